"""A quick statement: its row by names, its fixed values, and a server that went away."""

import pytest
from sqlalchemy import func, select, text
from sqlalchemy.exc import OperationalError

from gateway.storage.outbox import outbox
from gateway.storage.quick import Quick

_TWO = Quick(text("select :a as a, :b as b where cast(:a as text) is not null"))
_PUT = Quick(outbox.insert().returning(outbox.c.job, func.upper("x").label("fixed")), "job", "args")


def test_a_row_comes_by_the_names_of_its_columns_or_not_at_all(fresh_database):
    with fresh_database.session() as session:
        row = _TWO.one(session, {"a": "one", "b": 2})
        assert (row.a, row.b) == ("one", 2)
        assert _TWO.one(session, {"a": None, "b": 2}) is None


def test_an_insert_is_of_the_session_s_own_transaction(fresh_database):
    with fresh_database.session() as session:
        row = _PUT.one(session, {"job": "apply", "args": "{}"})
        assert (row.job, row.fixed) == ("apply", "X")
        session.rollback()
        assert session.scalar(select(func.count()).select_from(outbox)) == 0


def test_a_server_that_went_away_is_said_as_sqlalchemy_says_it_and_names_no_value(fresh_database):
    with fresh_database.session() as session, fresh_database.session() as other:
        mine = session.scalar(text("select pg_backend_pid()"))
        other.execute(text("select pg_terminate_backend(:pid)"), {"pid": mine})
        with pytest.raises(OperationalError) as refused:
            _TWO.one(session, {"a": "1376012345678901", "b": 2})
        assert "1376012345678901" not in str(refused.value)
        session.rollback()
        assert _TWO.one(session, {"a": "again", "b": 2}).a == "again"
