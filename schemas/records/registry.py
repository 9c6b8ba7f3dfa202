"""The one list of record types; a new one is a schema and a line here."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Any

from marshmallow import Schema, ValidationError

from schemas.errors import LineRefused, SchemaError
from schemas.plan import MISSES, Plan, compile_plan
from schemas.records.program.benefit import BenefitSchema
from schemas.records.program.enrolment import EnrolmentSchema
from schemas.records.program.program import ProgramSchema
from schemas.records.target.household import HouseholdSchema
from schemas.records.target.listing import ListingSchema
from schemas.records.target.person import PersonSchema
from schemas.wire import first_fault


class Stream(StrEnum):
    """The two streams of an agency."""

    TARGET = "target"
    PROGRAM = "program"


@dataclass(frozen=True, slots=True)
class RecordType:
    """One kind of record: where it travels, its schema, and the plan compiled from it."""

    stream: Stream
    name: str
    version: int
    label_id: str
    schema: Schema
    plan: Plan

    @property
    def schema_name(self) -> str:
        return f"{self.name}/{self.version}"

    def load(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """The accepted values, null ones left out: by the plan, or as marshmallow says.

        Raises:
            LineRefused: the first fault, in the order of the schema.
        """
        try:
            return self.plan(values)
        except MISSES:
            return load_strictly(self.schema, values)


def load_strictly(schema: Schema, values: Mapping[str, Any]) -> dict[str, Any]:
    """What marshmallow accepts: the official verdict.

    Raises:
        LineRefused: the first fault, in the order of the schema.
    """
    try:
        loaded: dict[str, Any] = schema.load(values)
    except ValidationError as err:
        code, field = first_fault(schema, err)
        raise LineRefused(code, field) from None
    return loaded


def record_type(stream: Stream, name: str, label_id: str, schema: Schema) -> RecordType:
    """A record type of version 1 with its plan.

    Raises:
        CannotCompile: the schema holds what no plan knows.
    """
    return RecordType(stream, name, 1, label_id, schema, compile_plan(schema))


RECORD_TYPES: Mapping[str, RecordType] = MappingProxyType(
    {
        kind.name: kind
        for kind in (
            record_type(Stream.TARGET, "person", "Orang", PersonSchema()),
            record_type(Stream.TARGET, "household", "Rumah tangga", HouseholdSchema()),
            record_type(Stream.TARGET, "listing", "Daftar sasaran", ListingSchema()),
            record_type(Stream.PROGRAM, "program", "Program", ProgramSchema()),
            record_type(Stream.PROGRAM, "enrolment", "Kepesertaan", EnrolmentSchema()),
            record_type(Stream.PROGRAM, "benefit", "Bantuan diterima", BenefitSchema()),
        )
    }
)


def schema_of(name: str) -> RecordType:
    """The record type of a schema's name on the wire, `person/1`.

    Raises:
        SchemaError: `schema.unknown`, no record type has this name and version.
    """
    for kind in RECORD_TYPES.values():
        if kind.schema_name == name:
            return kind
    raise SchemaError("schema.unknown")
