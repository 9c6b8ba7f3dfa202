"""The press: a template and plain data become a PDF. It reads no table, no clock and no network.

What a person said reaches the template as a value, never as source, so it is typeset letter by
letter and cannot give an order. The fonts are those inside the typesetter; so equal data give equal
pages on every machine. Each template is sealed by its hash: a released one is never altered, a
better one gets the next version, and old letters keep theirs.

Source: ISO 14289-1 (PDF/UA-1), which the typesetter checks.
"""

import hashlib
import io
import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any, Literal

import segno
import typst

from gateway.errors import Unavailable
from gateway.letters.model import Kind

_FOLDER = Path(__file__).with_name("templates")
_SEALS = "sealed.json"
_SHAPELESS = re.compile("[\\x00-\\x08\\x0b-\\x1f\\x7f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")
"""Control characters and marks of direction: they have no shape, and the latter could turn round
the figures that follow a name."""


@cache
def newest() -> Mapping[Kind, str]:
    """The template by which each kind is typeset from now on, by name and version."""
    table: dict[str, dict[str, str]] = _table()
    return {kind: table["newest"][kind.value] for kind in Kind}


def typeset(
    template: str, data: Mapping[str, Any], marks: Mapping[str, Any], at: datetime
) -> bytes:
    """The PDF of a template (`rujukan-1`).

    Args:
        template: its name and version.
        data: what the letter was made of, as JSON values.
        marks: of this print alone: `paper`, `copy` (0 for the original), `link` of the QR.
        at: the moment that stands in the file, so that equal input gives equal bytes.

    Raises:
        Unavailable: the template is gone or was altered since its release (`letter.template`).
    """
    check_seal(template)
    inputs = {"data": _json(data), "print": _json(marks), "qr": _qr(str(marks.get("link", "")))}
    try:
        return _compile(template, inputs, at, "ua-1")
    except typst.TypstError:
        # A name in letters that no font of ours has cannot be made accessible; it is printed still.
        return _compile(template, inputs, at, "1.7")


def check_seal(template: str) -> None:
    """Return if the template, and all that it is made with, is as it was released.

    Raises:
        Unavailable: it is not (`letter.template`).
    """
    sealed = _table()["sealed"].get(template)
    if sealed is None or sealed != seal(template):
        raise Unavailable(
            "letter.template",
            "Templat surat ini berubah sejak diterbitkan. Surat tetap tersimpan; hubungi operator.",
        )


@cache
def seal(template: str) -> str:
    """SHA-256 in hexadecimal of a template's files: the house's frame, then its own."""
    frame, own = _FOLDER / "house-1.typ", _FOLDER / f"{template}.typ"
    if not own.is_file():
        return ""
    return hashlib.sha256(frame.read_bytes() + b"\0" + own.read_bytes()).hexdigest()


def _compile(
    template: str, inputs: dict[str, str], at: datetime, standard: Literal["ua-1", "1.7"]
) -> bytes:
    made = _press().compile(
        input=str(_FOLDER / f"{template}.typ"),
        format="pdf",
        sys_inputs=inputs,
        pdf_standards=standard,
        timestamp=int(at.astimezone(UTC).timestamp()),
    )
    assert isinstance(made, bytes)  # noqa: S101 -- a PDF is one file
    return made


@cache
def _press() -> typst.Compiler:
    return typst.Compiler(root=str(_FOLDER), ignore_system_fonts=True)


@cache
def _table() -> dict[str, Any]:
    found: dict[str, Any] = json.loads((_FOLDER / _SEALS).read_text(encoding="utf-8"))
    return found


def _json(value: Any) -> str:
    return json.dumps(_shaped(value), ensure_ascii=False)


def _shaped(value: Any) -> Any:
    if isinstance(value, str):
        return _SHAPELESS.sub("", value)
    if isinstance(value, Mapping):
        return {key: _shaped(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_shaped(each) for each in value]
    return value


def _qr(link: str) -> str:
    """The code as SVG, or nothing."""
    if not link:
        return ""
    out = io.BytesIO()
    segno.make_qr(link, error="m").save(
        out, kind="svg", xmldecl=False, svgclass=None, lineclass=None
    )
    return out.getvalue().decode()
