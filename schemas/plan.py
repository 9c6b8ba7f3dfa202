"""A fast plan compiled from a marshmallow schema; marshmallow keeps the last word.

The plan walks the fields that a record has and calls the same `check` that marshmallow would call.
It knows only the fields and hooks listed here: anything else refuses to compile, so a rule can
never be skipped in silence. Whatever the plan does not accept is loaded again by marshmallow, which
alone says what is wrong.
"""

from collections.abc import Callable, Mapping
from typing import Any

from marshmallow import Schema, ValidationError

from schemas import envelope, fields
from schemas.errors import CannotCompile
from schemas.wire import WireSchema

Plan = Callable[[Mapping[str, Any]], dict[str, Any]]
Check = Callable[[Any], Any]

_SCALARS = frozenset(
    {
        fields.Text,
        fields.Token,
        fields.Nik,
        fields.NoKk,
        fields.Wilayah,
        fields.Phone,
        fields.Ref,
        fields.Code,
        fields.Whole,
        fields.Rupiah,
        fields.Flag,
        fields.Day,
        fields.PartialDate,
        fields.Timestamp,
        fields.Predicate,
        fields.Decimal,
        envelope.Salt,
        envelope.RecordId,
        envelope.Version,
        envelope.Operation,
    }
)
_KNOWN_HOOKS = {
    "validates_schema": ["follow_rules"],
    "post_load": ["drop_null"],
}


class NotByPlan(Exception):
    """The plan does not accept the record; ask marshmallow."""


MISSES = (NotByPlan, ValidationError, KeyError, TypeError)


def compile_plan(schema: Schema) -> Plan:
    """A function that gives what `schema.load` would give, or raises one of `MISSES`.

    Raises:
        CannotCompile: the schema holds a field, an option or a hook that the plan does not know.
    """
    _refuse_unknown_hooks(schema)
    table = {
        field.data_key or name: (name, _check_of(field), bool(field.allow_none))
        for name, field in schema.load_fields.items()
    }
    required = frozenset(name for name, field in schema.load_fields.items() if field.required)
    rules = schema.rules if isinstance(schema, WireSchema) else ()

    def plan(data: Mapping[str, Any]) -> dict[str, Any]:
        out: dict[str, Any] = {}
        for key, value in data.items():
            name, check, nullable = table[key]
            if value is not None:
                out[name] = check(value)
            elif not nullable:
                raise NotByPlan
        if not required <= out.keys():
            raise NotByPlan
        for rule in rules:
            rule(out)
        return out

    return plan


def _refuse_unknown_hooks(schema: Schema) -> None:
    if not isinstance(schema, WireSchema):
        raise CannotCompile("plan.schema", "only a WireSchema compiles")
    hooks = {tag: [name for name, _, _ in found] for tag, found in schema._hooks.items() if found}  # noqa: SLF001
    if hooks != _KNOWN_HOOKS or schema.unknown != "raise" or schema.partial or schema.many:
        raise CannotCompile("plan.hooks", "the schema has hooks or options that no plan knows")


def _check_of(field: Any) -> Check:
    plain = not (field.validators or field.pre_load or field.post_load)
    if not plain or field.attribute is not None or field.dump_only:
        raise CannotCompile("plan.options", "the field has options that no plan knows")
    if type(field) is fields.Struct:
        return _struct(field)
    if type(field) is fields.Many:
        return _many(field)
    if type(field) not in _SCALARS:
        raise CannotCompile("plan.field", f"no plan knows the field {type(field).__name__}")
    if type(field) is fields.Code:
        return {code: code for code in field.allowed}.__getitem__
    if type(field) is fields.Text:
        return _text(field)
    check: Check = field.check
    return check


def _text(field: fields.Text) -> Check:
    """Plain ASCII at once; all else as the field itself does it."""
    longest = field.longest
    slowly = field.check

    def check(value: Any) -> str:
        if (
            type(value) is str
            and value.isascii()
            and value.isprintable()
            and len(value) <= longest
            and value
            and not value.isspace()
        ):
            return value
        return slowly(value)

    return check


def _struct(field: fields.Struct) -> Check:
    if field.only or field.exclude or field.unknown:
        raise CannotCompile("plan.options", "the object has options that no plan knows")
    inner = compile_plan(field.schema)

    def check(value: Any) -> dict[str, Any]:
        if type(value) is not dict:
            raise NotByPlan
        return inner(value)

    return check


def _many(field: fields.Many) -> Check:
    if field.inner.allow_none:
        raise CannotCompile("plan.options", "the values of a list cannot be null")
    inner = _check_of(field.inner)

    def check(value: Any) -> list[Any]:
        if field.fault(value) is not None:
            raise NotByPlan
        out = []
        for each in value:
            if each is None:
                raise NotByPlan
            out.append(inner(each))
        return out

    return check
