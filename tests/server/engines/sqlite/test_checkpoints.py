"""Copying the WAL: when enough is in it, beside the commits, and anew in the end."""

import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from tertulia.server.engines.sqlite import checkpoints, store
from tertulia.server.engines.sqlite.checkpoints import Checkpoints, checkpoint


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "t.db"


@pytest.fixture
def database(path: Path) -> Iterator[sqlite3.Connection]:
    with closing(store.connect(path)) as opened:
        opened.execute("CREATE TABLE t (b BLOB)")
        checkpoint(opened)
        yield opened


def insert(database: sqlite3.Connection) -> None:
    database.execute("INSERT INTO t VALUES (zeroblob(100000))")


def copied(path: Path) -> int:
    """Return how many rows are in the database itself, without its WAL."""
    alone = path.with_name("alone.db")
    shutil.copyfile(path, alone)
    with closing(sqlite3.connect(alone)) as database:
        (count,) = database.execute("SELECT count(*) FROM t").fetchone()
    return int(count)


def test_commits_themselves_copy_nothing(
    path: Path, database: sqlite3.Connection
) -> None:
    for _ in range(300):
        insert(database)
    assert copied(path) == 0


@pytest.mark.parametrize(("size", "rows"), [(checkpoints.ENOUGH, 1), (1, 0)])
def test_a_thread_copies_once_there_is_enough(
    path: Path, database: sqlite3.Connection, size: int, rows: int
) -> None:
    copies = Checkpoints(path)
    insert(database)
    copies.note(database, 1, size)
    copies.close()
    assert copied(path) == rows


def test_many_small_changes_are_enough(
    path: Path, database: sqlite3.Connection
) -> None:
    copies = Checkpoints(path)
    insert(database)
    copies.note(database, 10_000, 0)
    copies.close()
    assert copied(path) == 1


def test_what_a_thread_left_of_a_long_wal_the_writer_copies(
    path: Path, database: sqlite3.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checkpoints, "MOST", 1)
    copies = Checkpoints(path)
    insert(database)
    copies.note(database, 1, checkpoints.ENOUGH)
    copies.close()
    long = checkpoint(database)
    insert(database)  # a new WAL: all of the one before was copied
    insert(database)
    assert copied(path) == 1
    copies.note(database, 1, 1)
    assert copied(path) == 3
    copies.note(database, 1, 1)
    insert(database)
    assert 0 < checkpoint(database) < 2 * long


def test_who_reads_keeps_nobody_from_copying_later(
    path: Path, database: sqlite3.Connection
) -> None:
    with closing(sqlite3.connect(path, isolation_level=None)) as reader:
        reader.execute("BEGIN")
        reader.execute("SELECT count(*) FROM t").fetchone()
        insert(database)
        checkpoint(database)
        assert copied(path) == 0
    checkpoint(database)
    assert copied(path) == 1


def test_a_database_that_fails_is_left_alone(path: Path) -> None:
    path.write_bytes(b"no database" * 1_000)
    copies = Checkpoints(path)
    with closing(sqlite3.connect(path)) as database:
        copies.note(database, 1, checkpoints.ENOUGH)
        copies.close()
        assert checkpoint(database) == 0
