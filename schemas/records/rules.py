"""What binds several fields of one record; each rule raises a code."""

from collections.abc import Mapping
from typing import Any

from marshmallow import ValidationError

from schemas.wire import Rule

_IN_OUT = frozenset({"proposed_in", "proposed_out"})


def nik_agrees_with_status(values: Mapping[str, Any]) -> None:
    """A NIK has the status `valid_form` (or none said); anything else has no NIK, and says why."""
    status = values.get("nik_status")
    if values.get("nik") is not None:
        if status not in (None, "valid_form"):
            raise ValidationError("nik.status", "nik_status")
    elif status == "valid_form" or (status is None and values.get("nik_raw") is not None):
        raise ValidationError("nik.status", "nik_status")


def exactly_one_of(*names: str) -> Rule:
    """The rule that one of these fields is given, and only one."""

    def rule(values: Mapping[str, Any]) -> None:
        if sum(values.get(name) is not None for name in names) != 1:
            raise ValidationError("schema.one_of", names[0])

    return rule


def decided(values: Mapping[str, Any]) -> None:
    """A proposal in or out names its reason, who decided and when; an exclusion its reason."""
    status = values.get("listing_status")
    needed: tuple[str, ...] = ()
    if status in _IN_OUT:
        needed = ("status_reason", "decided_by", "decided_at")
    elif status == "excluded":
        needed = ("status_reason",)
    for name in needed:
        if values.get(name) is None:
            raise ValidationError("listing.undecided", name)


def in_order(first: str, last: str) -> Rule:
    """The rule that one day is not after another."""

    def rule(values: Mapping[str, Any]) -> None:
        start, end = values.get(first), values.get(last)
        if start is not None and end is not None and end < start:
            raise ValidationError("date.order", last)

    return rule
