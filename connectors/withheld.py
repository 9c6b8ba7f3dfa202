"""What no settings file can publish: tables, sheets, files and columns that the city withholds.

The names are patterns of the city profile; case, quotes and a schema in front do not matter. It is
the second fence: the first is that the account has no right to read them (`doctor` looks).
"""

import fnmatch
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import PurePath

from connectors.config import Dataset, SourceConfig
from connectors.errors import FixSettings
from schemas.profile import Profile

_NAMING = ("table", "sheet", "pattern")
_QUOTES = str.maketrans("", "", "\"'`[]")


def is_withheld(name: str, patterns: Sequence[str]) -> bool:
    """Whether a table, sheet, file or column is one that never leaves."""
    plain = name.translate(_QUOTES).strip().casefold()
    parts = (plain, *plain.split("."), *(PurePath(part).stem for part in (plain,)))
    return any(fnmatch.fnmatchcase(part, pattern) for part in parts for pattern in patterns)


def fenced(source: SourceConfig, profile: Profile) -> SourceConfig:
    """The source, knowing what it may never read.

    Raises:
        FixSettings: `settings.withheld`, the settings name something of it.
    """
    patterns = tuple(pattern.casefold() for pattern in profile.withheld)
    for dataset in source.datasets.values():
        for name in _names(dataset):
            if is_withheld(name, patterns):
                raise FixSettings("settings.withheld", name=name, dataset=dataset.name)
    return replace(source, withheld=patterns)


def _names(dataset: Dataset) -> Iterable[str]:
    options = (str(dataset.options[key]) for key in _NAMING if key in dataset.options)
    return (dataset.name, *options, *dataset.columns)
