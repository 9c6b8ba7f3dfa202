"""The plan compiles what it knows to the letter, and refuses all else."""

import marshmallow
import pytest
from marshmallow import fields as mm
from marshmallow import post_load, pre_load, validate, validates, validates_schema

from schemas.errors import CannotCompile
from schemas.fields import Many, Struct, Text, WireField
from schemas.kinds import About
from schemas.plan import compile_plan
from schemas.wire import WireSchema

ABOUT = About("Isian")


class Shouted(Text):
    """A field that no plan has heard of, though it is one of a known kind."""

    def check(self, value):
        return super().check(value).upper()


class Inner(WireSchema):
    a = Text(5, ABOUT)


def schema(**fields):
    return WireSchema.from_dict(fields)()


@pytest.mark.parametrize(
    "field",
    [
        mm.String(),
        mm.Integer(),
        mm.Raw(),
        WireField(ABOUT),
        Shouted(5, ABOUT),
        Many(Shouted(5, ABOUT, required=True), 3, ABOUT),
        Many(Text(5, ABOUT), 3, ABOUT),  # a list of what may be null
        Text(5, ABOUT, validate=validate.Length(max=2)),
        Text(5, ABOUT, attribute="other"),
        Text(5, ABOUT, pre_load=str.strip),
        Text(5, ABOUT, post_load=str.strip),
        Struct(type("Odd", (WireSchema,), {"b": mm.Date()}), ABOUT),
    ],
    ids=lambda field: type(field).__name__,
)
def test_an_unknown_field_or_option_refuses_to_compile(field):
    with pytest.raises(CannotCompile):
        compile_plan(schema(a=field))


def test_hooks_that_no_plan_knows_refuse_to_compile():
    class Before(WireSchema):
        @pre_load
        def tidy(self, data, **_):
            return data

    class After(WireSchema):
        @post_load
        def turn(self, data, **_):
            return data

    class Whole(WireSchema):
        @validates_schema
        def judge(self, data, **_):
            return None

    class One(WireSchema):
        a = Text(5, ABOUT)

        @validates("a")
        def judge(self, value, **_):
            return None

    for kind in (Before, After, Whole, One):
        with pytest.raises(CannotCompile):
            compile_plan(kind())


def test_options_of_a_schema_that_change_its_verdict_refuse_to_compile():
    for made in (
        Inner(partial=True),
        Inner(many=True),
        Inner(unknown=marshmallow.EXCLUDE),
        marshmallow.Schema.from_dict({"a": Text(5, ABOUT)})(),
    ):
        with pytest.raises(CannotCompile):
            compile_plan(made)


def test_a_known_schema_compiles_and_null_is_the_same_as_absent():
    plan = compile_plan(Inner())
    assert plan({"a": None}) == plan({}) == Inner().load({"a": None}) == {}
    assert plan({"a": "x"}) == {"a": "x"}
