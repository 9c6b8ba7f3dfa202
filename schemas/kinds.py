"""How a field's values compare, and how sensitive they are; each member has one meaning.

The index holds exactly one comparator for each `Kind`.
"""

from dataclasses import dataclass
from enum import StrEnum


class Kind(StrEnum):
    """How two values of a field are compared with each other."""

    NIK = "nik"
    NO_KK = "no_kk"
    NAME = "name"
    DATE = "date"
    SEX = "sex"
    KELURAHAN = "kelurahan"
    ADDRESS = "address"
    PHONE = "phone"
    TEXT = "text"
    CODE = "code"
    NUMBER = "number"
    NONE = "none"


class Sensitivity(StrEnum):
    """The four classes of personal data, after the general and specific data of UU 27/2022."""

    PUBLIC = "S0"
    INTERNAL = "S1"
    PERSONAL = "S2"
    SPECIFIC = "S3"


S0 = Sensitivity.PUBLIC
S1 = Sensitivity.INTERNAL
S2 = Sensitivity.PERSONAL
S3 = Sensitivity.SPECIFIC


@dataclass(frozen=True, slots=True)
class About:
    """What every field says of itself: how it compares, how sensitive it is, its label."""

    label_id: str
    kind: Kind = Kind.NONE
    sensitivity: Sensitivity = S2
