"""Which class serves which kind; loaded by name, so that no driver is imported unasked."""

import importlib
from collections.abc import Mapping

from connectors.config import SourceConfig
from connectors.errors import FixSettings
from connectors.sources.base import Source

SOURCES: Mapping[str, str] = {
    "sql": "connectors.sources.sql:SqlSource",
    "text": "connectors.sources.text:TextSource",
    "dbf": "connectors.sources.dbf:DbfSource",
    "drop": "connectors.sources.drop:DropSource",
    "xlsx": "connectors.sources.xlsx:XlsxSource",
}


def open_source(config: SourceConfig) -> Source:
    """The source of a configuration, not yet connected.

    Raises:
        FixSettings: the kind is not known, or its driver is not installed.
    """
    if config.kind not in SOURCES:
        reason = f"it is one of {', '.join(SOURCES)}"
        raise FixSettings("settings.value", key="source.kind", reason=reason)
    module, _, name = SOURCES[config.kind].partition(":")
    try:
        source: Source = getattr(importlib.import_module(module), name)(config)
    except ModuleNotFoundError as err:
        raise FixSettings("settings.driver", kind=config.kind, package=err.name) from err
    return source
