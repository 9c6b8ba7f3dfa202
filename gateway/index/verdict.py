"""What people can decide about two records. Source: design/domain.md 6.3."""

from enum import StrEnum


class Verdict(StrEnum):
    """*Sama*, *beda*, *belum tahu*, *perbaiki di sumber*; only the first two bind the engine."""

    SAME = "same"
    DIFFERENT = "different"
    UNSURE = "unsure"
    AT_SOURCE = "at_source"
