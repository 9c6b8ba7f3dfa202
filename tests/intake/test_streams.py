"""`titian streams`: what stopped is listed with why, and goes on only when a person says so."""

import pytest
from click.testing import CliRunner

from gateway.cli import cli
from gateway.index import modelfile
from gateway.intake import query
from gateway.intake.model import Forked
from tests.intake.factory import enrol, send, tools_of


@pytest.fixture(scope="module")
def forked(database):
    """An agency whose stream stopped: two histories came under its key."""
    tools, agency = tools_of(database, modelfile.load()), enrol(database)
    first = agency.people(range(2))
    other = agency.people([8])
    send(database, tools, first)
    with pytest.raises(Forked):
        send(database, tools, other)
    first.advance()
    return tools, agency


def _titian(database, *arguments, typed=""):
    environ = database.settings.environ()
    return CliRunner().invoke(cli, ["streams", *arguments], input=typed, env=environ)


def test_a_stopped_stream_is_listed_asked_about_and_goes_on(database, forked):
    tools, agency = forked
    listed = _titian(database, "list").output
    assert f"{agency.code}  target" in listed
    assert "fork content" in listed
    refused = _titian(database, "resume", agency.code, "target", typed="n\n")
    assert refused.exit_code == 1
    with database.session() as session:
        assert query.head(session, agency.code, "target").suspended == "fork"
    resumed = _titian(database, "resume", agency.code, "target", "--yes")
    assert resumed.exit_code == 0, resumed.output
    assert "may go on" in resumed.output
    send(database, tools, agency.people([9]))
    assert "no stream stands still" in _titian(database, "list").output


@pytest.mark.parametrize("stream", ["program", "target"])
def test_a_stream_that_runs_is_not_touched(database, forked, stream):
    assert _titian(database, "resume", "nobody", stream, "--yes").exit_code == 1
