"""What is passed round in `keys/` cannot be changed under anybody's hands."""

import dataclasses
import importlib
import pkgutil

import pytest

import keys

MODULES = [each.name for each in pkgutil.iter_modules(keys.__path__)]


@pytest.mark.parametrize("name", MODULES)
def test_every_value_is_frozen_and_takes_no_other_fields(name: str) -> None:
    module = importlib.import_module(f"keys.{name}")
    for found in vars(module).values():
        if not isinstance(found, type) or found.__module__ != module.__name__:
            continue
        if dataclasses.is_dataclass(found) and not found.__name__.startswith("_"):
            assert "__slots__" in vars(found), found.__name__
            assert found.__dataclass_params__.frozen, found.__name__
