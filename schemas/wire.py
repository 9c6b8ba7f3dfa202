"""The base of every schema: unknown fields are refused, rules are named, errors are codes."""

from collections.abc import Callable, Mapping
from typing import Any, ClassVar

from marshmallow import RAISE, Schema, ValidationError, post_load, validates_schema

Rule = Callable[[Mapping[str, Any]], None]


class WireSchema(Schema):
    """A shape of the wire. `rules` hold what binds several fields; null means absent.

    A rule takes the loaded values and raises `ValidationError(code, field)`.
    """

    rules: ClassVar[tuple[Rule, ...]] = ()
    error_messages = {  # noqa: RUF012  (marshmallow's own attribute)
        "type": "schema.type",
        "unknown": "schema.unknown_field",
    }

    class Meta(Schema.Meta):
        """What the schema does not name is refused."""

        unknown = RAISE

    @validates_schema
    def follow_rules(self, data: dict[str, Any], **_: Any) -> None:
        for rule in self.rules:
            rule(data)

    @post_load
    def drop_null(self, data: dict[str, Any], **_: Any) -> dict[str, Any]:
        return {name: value for name, value in data.items() if value is not None}


def first_fault(schema: Schema, error: ValidationError) -> tuple[str, str | None]:
    """The code and the field of the first fault, in the order in which the schema declares.

    Unknown fields come first and are not named: their names are the sender's text.
    """
    messages = error.messages
    if isinstance(messages, list):
        return str(messages[0]), None
    known = {field.data_key or name: name for name, field in schema.fields.items()}
    for key in messages:
        if key not in known and key != "_schema":
            return _code(messages[key]), None
    for key in (*known, "_schema"):
        if key in messages:
            where, code = _deepest(messages[key])
            path = ".".join([key, *where]) if key != "_schema" else None
            return code, path
    return "schema.invalid", None


def _deepest(messages: Any) -> tuple[list[str], str]:
    if not isinstance(messages, dict):
        return [], _code(messages)
    key = min(messages, key=lambda k: (not isinstance(k, int), k if isinstance(k, int) else 0))
    where, code = _deepest(messages[key])
    if code == "schema.unknown_field" or key == "_schema" or isinstance(key, int):
        return where, code
    return [str(key), *where], code


def _code(messages: Any) -> str:
    if isinstance(messages, dict):
        return _deepest(messages)[1]
    return str(messages[0] if isinstance(messages, list) else messages)
