"""A measured figure, the table that shows it, and the file that keeps it."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Figure:
    """One row of `results.json`; null where there is none.

    Attributes:
        value: what was measured, in `unit`.
        peer: what it is compared with, and `peer_value` what that took in the same unit.
        limit_value: what the machine could do at best, measured in the same run.
        ratio: value to peer, or to the limit.
        bar: what the issue asks for; of the ratio where the issue asks for a ratio.
        holds: whether it is met.
    """

    name: str
    value: float
    unit: str
    peer: str | None = None
    peer_value: float | None = None
    limit_value: float | None = None
    ratio: float | None = None
    bar: float | None = None
    holds: bool | None = None
    command: str | None = None


def medians(runs: Sequence[Sequence[Figure]]) -> list[Figure]:
    """Of each figure the run with the middle value; every run made the same figures in order."""
    return [sorted(same, key=lambda f: f.value)[len(same) // 2] for same in zip(*runs, strict=True)]


def write(figures: Sequence[Figure], path: Path) -> None:
    """Keep the figures as a JSON list."""
    path.parent.mkdir(parents=True, exist_ok=True)
    rows = [asdict(figure) for figure in figures]
    path.write_text(json.dumps(rows, indent=1) + "\n", encoding="utf-8")


def head() -> None:
    """The line above the figures."""
    print(f"\n{'benchmark':<18} {'value':>10} {'unit':<18} {'bar':>9}  {'':<6} beside it")
    print(f"{'-' * 18} {'-' * 10} {'-' * 18} {'-' * 9}  {'-' * 6} {'-' * 32}")


def show(figure: Figure) -> None:
    """One line of the table."""
    verdict = {True: "holds", False: "FAILS", None: ""}[figure.holds]
    bar = "" if figure.bar is None else f"{figure.bar:,g}"
    line = f"{figure.name:<18} {_number(figure.value):>10} {figure.unit:<18} {bar:>9}  {verdict:<6}"
    print(f"{line} {_beside(figure)}".rstrip(), flush=True)


def _beside(figure: Figure) -> str:
    said = []
    if figure.peer is not None:
        peer = "" if figure.peer_value is None else f" {_number(figure.peer_value)}"
        said.append(figure.peer + peer)
    if figure.limit_value is not None:
        said.append(f"limit {_number(figure.limit_value)}")
    if figure.ratio is not None:
        said.append(f"ratio {figure.ratio:g}")
    return ", ".join(said)


def _number(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:,.4g}"
