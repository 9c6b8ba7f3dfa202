"""A model as JSON text and back: a frozen file that a release ships or a run keeps."""

import json
from collections.abc import Mapping
from importlib import resources
from typing import Any

from gateway.index.frequency import Frequency
from gateway.index.model import Field
from gateway.index.scoring import FieldModel, Model
from schemas.kinds import Kind

FORMAT = "titian-model/1"
DEFAULT = "default"


class BadModel(ValueError):
    """The text is not a model of this format."""


def load(name: str = DEFAULT) -> Model:
    """A shipped model by name.

    Raises:
        FileNotFoundError: no such model is shipped.
    """
    return parse(resources.files(__package__).joinpath("models", f"{name}.json").read_text("utf-8"))


def parse(text: str) -> Model:
    """Read a model.

    Raises:
        BadModel: the text is not JSON, of another format, or incomplete.
    """
    try:
        data = json.loads(text)
        if data["format"] != FORMAT:
            raise BadModel("the model is of another format")
        fields = tuple(_field(f) for f in data["fields"])
        return Model(data["version"], fields, data["match"], dict(data["priors"]))
    except (KeyError, TypeError, json.JSONDecodeError) as err:
        raise BadModel("the text is not a complete model") from err


def dump(model: Model, *, notes: Mapping[str, object] | None = None) -> str:
    """A model as JSON, one field a line; chances with seven significant digits."""
    head = {
        "format": FORMAT,
        "version": model.version,
        "notes": dict(notes or {}),
        "match": _short(model.match),
        "priors": {h: _short(p) for h, p in model.priors.items()},
    }
    fields = ",\n".join(json.dumps(_plain(f), ensure_ascii=False) for f in model.fields)
    opened = json.dumps(head, indent=1, ensure_ascii=False).removesuffix("\n}")
    return f'{opened},\n "fields": [\n{fields}\n ]\n}}\n'


def _plain(field: FieldModel) -> dict[str, object]:
    return {
        "name": field.field.name,
        "kind": str(field.field.kind),
        "given": field.field.given,
        "unless": field.field.unless,
        "m": [_short(x) for x in field.m],
        "u": [[_short(x) for x in row] for row in field.u],
        "others": {h: [_short(x) for x in row] for h, row in field.others.items()},
        "frequency": None if field.frequency is None else _plain_table(field.frequency),
    }


def _plain_table(table: Frequency) -> dict[str, object]:
    """Values grouped by their bits, so that each number stands once."""
    grouped: dict[float, list[str]] = {}
    for value, bits in sorted(table.known.items()):
        grouped.setdefault(round(bits, 1), []).append(value)
    return {
        "by_word": table.by_word,
        "unknown": round(table.unknown, 2),
        "known": {str(bits): values for bits, values in sorted(grouped.items())},
    }


def _field(data: Mapping[str, Any]) -> FieldModel:
    table, unless = data["frequency"], data["unless"]
    return FieldModel(
        field=Field(
            data["name"],
            Kind(data["kind"]),
            data["given"],
            None if unless is None else (unless[0], tuple(unless[1])),
        ),
        m=tuple(data["m"]),
        u=tuple(tuple(row) for row in data["u"]),
        others={h: tuple(row) for h, row in data["others"].items()},
        frequency=None if table is None else _table(table),
    )


def _table(data: Mapping[str, Any]) -> Frequency:
    known = {value: float(bits) for bits, values in data["known"].items() for value in values}
    return Frequency(by_word=data["by_word"], known=known, unknown=data["unknown"])


def _short(x: float) -> float:
    return float(f"{x:.7g}")
