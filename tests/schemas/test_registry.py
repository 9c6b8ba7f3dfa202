"""Every record type is registered, and every field says how it compares, how sensitive it is, its label."""

import importlib
import inspect
import pkgutil

import pytest

from schemas import records
from schemas.codes import lists
from schemas.errors import SchemaError
from schemas.fields import Code, Many, Struct
from schemas.kinds import Kind, Sensitivity
from schemas.line import LineParser
from schemas.records.registry import RECORD_TYPES, Stream, schema_of
from schemas.wire import WireSchema
from tests.schemas.examples import RECORDS, line


def every_field(schema, path=""):
    for name, field in schema.load_fields.items():
        yield from one_field(field, f"{path}{name}")


def one_field(field, path):
    yield path, field
    if isinstance(field, Struct):
        yield from every_field(field.schema, f"{path}.")
    if isinstance(field, Many):
        yield from one_field(field.inner, f"{path}[]")


FIELDS = [
    pytest.param(field, id=f"{name}.{path}")
    for name, kind in RECORD_TYPES.items()
    for path, field in every_field(kind.schema)
]


def test_each_schema_of_a_record_is_registered_or_part_of_one_that_is():
    defined = {
        found
        for module in pkgutil.walk_packages(records.__path__, "schemas.records.")
        for _, found in inspect.getmembers(importlib.import_module(module.name), inspect.isclass)
        if issubclass(found, WireSchema) and found.__module__ == module.name
    }
    used = {type(kind.schema) for kind in RECORD_TYPES.values()}
    for kind in RECORD_TYPES.values():
        for _, field in every_field(kind.schema):
            if isinstance(field, Struct):
                used.add(type(field.schema))
    assert defined == used


def test_the_streams_carry_the_six_types_of_the_domain():
    by_stream = {
        stream: {kind.name for kind in RECORD_TYPES.values() if kind.stream is stream}
        for stream in Stream
    }
    assert by_stream == {
        Stream.TARGET: {"person", "household", "listing"},
        Stream.PROGRAM: {"program", "enrolment", "benefit"},
    }
    assert set(RECORDS) == set(RECORD_TYPES)


@pytest.mark.parametrize("name", RECORD_TYPES)
def test_a_type_is_found_by_its_name_on_the_wire(name):
    assert schema_of(f"{name}/1") is RECORD_TYPES[name]
    assert RECORD_TYPES[name].label_id


@pytest.mark.parametrize("name", ["person", "person/2", "persona/1", "", "person/01"])
def test_other_names_are_unknown(name):
    with pytest.raises(SchemaError) as unknown:
        schema_of(name)
    assert unknown.value.code == "schema.unknown"


@pytest.mark.parametrize("field", FIELDS)
def test_every_field_says_what_it_is(field):
    assert isinstance(field.kind, Kind)
    assert isinstance(field.sensitivity, Sensitivity)
    assert field.label_id.strip()
    assert field.label_id[0].isupper()
    if isinstance(field, Code):
        assert set(field.metadata["enum"]) == set(lists.load(field.list_name).codes) - (
            field.owner_only
        )


def test_what_the_law_calls_specific_is_of_the_highest_class():
    fields = dict(every_field(RECORD_TYPES["person"].schema))
    for name in (
        "mother_name",
        "chronic_illness",
        "disability",
        "health_cover",
        "pmks",
        "school",
        "disability[].kind",
        "health_cover.kind",
        "pmks[]",
        "school.nisn",
    ):
        assert fields[name].sensitivity is Sensitivity.SPECIFIC, name
    income = dict(every_field(RECORD_TYPES["household"].schema))["monthly_income"]
    assert income.sensitivity is Sensitivity.SPECIFIC
    for name in ("nik", "no_kk", "name_source", "birth_date", "address_ktp"):
        assert fields[name].sensitivity is Sensitivity.PERSONAL


@pytest.mark.parametrize("name", ["bank_account", "religion", "name_norm", "latitude"])
def test_what_is_not_exchanged_has_no_field(name):
    assert name not in RECORD_TYPES["person"].schema.load_fields
    with pytest.raises(SchemaError) as refused:
        LineParser(RECORD_TYPES["person"]).parse(line("person", **{name: "x"}))
    assert refused.value.code == "schema.unknown_field"
    assert refused.value.field is None
