"""How far a source was read: a column's value, kept with its type so that it compares as it did."""

import json
from datetime import date, datetime
from decimal import Decimal


def write_mark(value: object) -> str | None:
    """The text to remember a value by; None for nothing read yet."""
    match value:
        case None:
            return None
        case datetime():
            return json.dumps(["datetime", value.isoformat()])
        case date():
            return json.dumps(["date", value.isoformat()])
        case Decimal():
            return json.dumps(["decimal", str(value)])
        case int() | str():
            return json.dumps([type(value).__name__, value])
    return json.dumps(["str", str(value)])


def read_mark(text: str | None) -> object:
    """The value that a remembered text stands for."""
    if text is None:
        return None
    kind, value = json.loads(text)
    match kind:
        case "datetime":
            return datetime.fromisoformat(value)
        case "date":
            return date.fromisoformat(value)
        case "decimal":
            return Decimal(value)
    return value
