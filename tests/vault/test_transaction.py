from collections.abc import Iterator

import apsw
import pytest

from tertulia.vault.transaction import transaction


@pytest.fixture
def database() -> Iterator[apsw.Connection]:
    database = apsw.Connection(":memory:")
    database.execute("CREATE TABLE kept (number INTEGER NOT NULL)")
    yield database
    database.close()


def kept(database: apsw.Connection) -> list[int]:
    return [number for (number,) in database.execute("SELECT number FROM kept")]


def test_what_happens_inside_is_kept(database: apsw.Connection) -> None:
    with transaction(database):
        database.execute("INSERT INTO kept VALUES (1)")
    assert not database.in_transaction
    assert kept(database) == [1]


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt])
def test_whatever_fails_undoes_all(
    database: apsw.Connection, error: type[BaseException]
) -> None:
    def insert_and_fail() -> None:
        with transaction(database):
            database.execute("INSERT INTO kept VALUES (1)")
            raise error

    with pytest.raises(error):
        insert_and_fail()
    assert not database.in_transaction
    assert kept(database) == []


def test_what_sqlite_undid_by_itself_keeps_its_first_error(
    database: apsw.Connection,
) -> None:
    script = "INSERT INTO kept VALUES (1); INSERT OR ROLLBACK INTO kept VALUES (NULL)"
    with pytest.raises(apsw.ConstraintError), transaction(database):
        database.execute(script)
    assert not database.in_transaction
    assert kept(database) == []


def test_a_commit_that_fails_undoes_all(database: apsw.Connection) -> None:
    database.pragma("foreign_keys", "ON")
    database.execute(
        "CREATE TABLE of (number REFERENCES missing DEFERRABLE INITIALLY DEFERRED);"
        "CREATE TABLE missing (number INTEGER PRIMARY KEY)"
    )
    with pytest.raises(apsw.ConstraintError), transaction(database):
        database.execute("INSERT INTO of VALUES (1)")
    assert not database.in_transaction
    assert database.execute("SELECT count(*) FROM of").get == 0
