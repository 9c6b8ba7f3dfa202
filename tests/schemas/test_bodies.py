"""Every HTTP body, asked or answered, has a marshmallow schema, and it stands under `schemas/`."""

import ast
import importlib
import inspect

import pytest
from marshmallow import Schema

from tests.shared import ROOT

API = sorted(
    path for path in (ROOT / "gateway" / "web" / "api").glob("*.py") if path.stem != "__init__"
)
PLACES = {"arguments": 0, "response": 1, "alt_response": 1}


def uses(tree):
    """The schema expression of each `@blueprint.arguments/response/alt_response`."""
    for call in ast.walk(tree):
        if not (isinstance(call, ast.Call) and isinstance(call.func, ast.Attribute)):
            continue
        place = PLACES.get(call.func.attr)
        if place is None or not isinstance(call.func.value, ast.Name):
            continue
        if len(call.args) > place:
            yield call.args[place]
        yield from (word.value for word in call.keywords if word.arg == "schema")


def imported(tree):
    """Where each imported name comes from."""
    return {
        alias.asname or alias.name: (node.module, alias.name)
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }


@pytest.mark.parametrize("path", API, ids=lambda path: path.stem)
def test_each_body_of_the_api_is_a_schema_of_the_shared_ground(path):
    tree = ast.parse(path.read_text(encoding="utf-8"))
    names = imported(tree)
    for used in uses(tree):
        bare = used.func if isinstance(used, ast.Call) else used
        assert isinstance(bare, ast.Name), f"line {used.lineno}: a schema is used by its name"
        assert bare.id in names, f"{bare.id} is not imported"
        module, name = names[bare.id]
        assert module.split(".")[0] == "schemas", f"{name} comes from {module}"
        assert issubclass(getattr(importlib.import_module(module), name), Schema)


@pytest.mark.parametrize("path", API, ids=lambda path: path.stem)
def test_the_api_defines_no_schema_and_reads_no_body_by_hand(path):
    tree = ast.parse(path.read_text(encoding="utf-8"))
    bases = {
        ast.unparse(base)
        for node in ast.walk(tree)
        if isinstance(node, ast.ClassDef)
        for base in node.bases
    }
    assert not {base for base in bases if base.endswith("Schema")}
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute):
            assert node.attr not in ("json", "get_json", "form", "from_dict"), node.lineno


def test_there_are_bodies_to_look_at():
    trees = [ast.parse(path.read_text(encoding="utf-8")) for path in API]
    assert sum(len(list(uses(tree))) for tree in trees) >= 8


@pytest.mark.parametrize("module", ["schemas.exchange", "schemas.verification"])
def test_what_is_asked_is_bounded(module):
    """Texts that come in have a longest length, a pattern or a list; unknown members are refused."""
    found = inspect.getmembers(importlib.import_module(module), inspect.isclass)
    asked = [kind for name, kind in found if name.endswith(("Request", "Query"))]
    assert asked
    for kind in asked:
        schema = kind()
        assert schema.unknown == "raise"
        for name, field in schema.load_fields.items():
            if type(field).__name__ == "String":
                assert field.validators, f"{kind.__name__}.{name}"
