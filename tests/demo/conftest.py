"""One demo city for all tests of it."""

import pytest

from demo.city.build import City, build_city
from schemas.profile import Profile

PROFILE = Profile.load("payakumbuh")


@pytest.fixture(scope="session")
def city(tmp_path_factory: pytest.TempPathFactory) -> City:
    return build_city(7, tmp_path_factory.mktemp("city"), PROFILE)
