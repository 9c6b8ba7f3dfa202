"""How well proposed settings fit a source's first rows: a share a field, and ten mapped rows."""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import islice

from connectors.rules import Rule
from connectors.runner import Job
from connectors.sources.base import Row, query_of
from connectors.transforms import text_of

LOOKED_AT, SHOWN = 200, 10


@dataclass(frozen=True, slots=True)
class Sample:
    """One block: `fits` gives the share (0 to 1) of filled cells that a field's rule could read."""

    block: str
    looked: int
    fits: Mapping[str, float]
    rows: tuple[Mapping[str, object], ...]


def sample(job: Job) -> list[Sample]:
    """A look at the first rows of each block; nothing is kept.

    Raises:
        ConnectorError: the source cannot be read.
    """
    return [_of_block(job, name) for name in job.mappers]


def _of_block(job: Job, name: str) -> Sample:
    mapper = job.mappers[name]
    query = query_of(mapper.block, mapper.used, job.config.source, None)
    filled: dict[str, int] = {}
    read: dict[str, int] = {}
    shown: list[Mapping[str, object]] = []
    looked = 0
    for row, mapped in mapper.records(islice(job.source.rows(query), LOOKED_AT)):
        looked += 1
        values = {} if mapped is None else mapped.values
        for rule in mapper.rules:
            field = ".".join(rule.target)
            if _is_filled(row, rule):
                filled[field] = filled.get(field, 0) + 1
                read[field] = read.get(field, 0) + _says(values, rule)
        if mapped is not None and mapped.refused is None and len(shown) < SHOWN:
            shown.append(values)
    return Sample(name, looked, {f: read[f] / n for f, n in filled.items()}, tuple(shown))


def _is_filled(row: Row, rule: Rule) -> bool:
    return any(text_of(row.get(column)) is not None for column in rule.columns)


def _says(values: Mapping[str, object], rule: Rule) -> bool:
    inner: object = values
    for part in rule.target:
        inner = inner.get(part) if isinstance(inner, Mapping) else None
    return inner is not None
