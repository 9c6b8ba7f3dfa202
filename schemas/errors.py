"""What can be wrong with words on the wire: a code, and the field, never the value."""


class SchemaError(Exception):
    """The root of this room's errors; `code` is what machines and pages go by."""

    def __init__(self, code: str, sentence: str = "") -> None:
        super().__init__(sentence or code)
        self.code = code


class LineRefused(SchemaError):
    """One record line that is not accepted; `field` is None where the whole line is meant.

    A field name that the schema does not know is never repeated: it is the sender's text.
    """

    def __init__(self, code: str, field: str | None = None) -> None:
        super().__init__(code, code if field is None else f"{code} in {field}")
        self.field = field


class PayloadRefused(SchemaError):
    """A signed statement or a body that is not in the shape its schema asks for."""

    def __init__(self, code: str, field: str | None = None) -> None:
        super().__init__(code, code if field is None else f"{code} in {field}")
        self.field = field


class Unreadable(SchemaError):
    """A value of a source that cannot be read with certainty; the agency has to be asked."""


class CannotCompile(SchemaError):
    """A schema that holds what the fast plan does not know, so it must not be guessed at."""


class ProfileBroken(SchemaError):
    """A city profile, or a code list, whose files do not fit together."""
