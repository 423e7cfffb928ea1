"""Opening a store: new, older, newer, foreign, damaged, in use."""

import sqlite3
from contextlib import closing
from pathlib import Path
from random import Random

import pytest

from tertulia.errors import VaultError
from tertulia.server.engines.sqlite import (
    DamagedStoreError,
    NewerStoreError,
    StoreInUseError,
    store,
)

RNG = Random(1).randbytes


def columns() -> dict[str, list[str]]:
    """Return the lines that declare columns, by table."""
    tables: dict[str, list[str]] = {}
    table = ""
    for line in store.upgrades()[0].splitlines():
        if line.startswith("CREATE TABLE"):
            table = line.split()[2]
        elif line.startswith("  ") and line.split()[0].islower():
            tables.setdefault(table, []).append(line)
    return tables


def test_every_column_is_explained() -> None:
    tables = columns()
    assert len(tables) > 10
    for lines in tables.values():
        for line in lines:
            assert " -- " in line, line


def test_a_store_is_made_once_and_keeps_its_incarnation(tmp_path: Path) -> None:
    incarnations = set()
    for _ in range(2):
        store.prepare(tmp_path, RNG)
        with closing(sqlite3.connect(tmp_path / store.DATABASE)) as database:
            incarnations |= set(database.execute("SELECT incarnation FROM relay"))
    assert len(incarnations) == 1


def test_changes_are_durable_and_readers_do_not_wait(tmp_path: Path) -> None:
    with closing(store.connect(tmp_path / store.DATABASE)) as database:
        modes = [
            database.execute(f"PRAGMA {name}").fetchone()[0]
            for name in ("journal_mode", "synchronous", "foreign_keys")
        ]
    assert modes == ["wal", 2, 1]


def test_a_newer_store_is_refused_untouched(tmp_path: Path) -> None:
    store.prepare(tmp_path, RNG)
    path = tmp_path / store.DATABASE
    with closing(sqlite3.connect(path)) as database:
        database.execute("PRAGMA user_version = 99")
    before = path.read_bytes()
    with pytest.raises(NewerStoreError) as caught:
        store.prepare(tmp_path, RNG)
    known = len(store.upgrades())
    assert str(caught.value).endswith(
        f"has version 99, this program knows {known}: update it"
    )
    assert isinstance(caught.value, VaultError)
    assert path.read_bytes() == before


def test_another_program_s_database_is_refused(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / store.DATABASE)) as database:
        database.execute("CREATE TABLE recipes (title TEXT)")
    with pytest.raises(DamagedStoreError, match="another program"):
        store.prepare(tmp_path, RNG)


def test_a_damaged_store_is_refused_with_advice(tmp_path: Path) -> None:
    path = tmp_path / store.DATABASE
    store.prepare(tmp_path, RNG)
    with path.open("r+b") as file:
        file.seek(4096)
        file.write(b"\xff" * 20_000)
    with pytest.raises(DamagedStoreError, match="restore a backup"):
        store.prepare(tmp_path, RNG)
    path.write_bytes(b"this is no database at all" * 100)
    with pytest.raises(DamagedStoreError):
        store.prepare(tmp_path, RNG)


def test_an_older_store_is_upgraded_after_a_backup(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.prepare(tmp_path, RNG)
    later = [*store.upgrades(), "ALTER TABLE relay ADD COLUMN motto TEXT;"]
    monkeypatch.setattr(store, "upgrades", lambda: later)
    store.prepare(tmp_path, RNG)
    path = tmp_path / store.DATABASE
    with closing(sqlite3.connect(path)) as database:
        assert database.execute("SELECT motto FROM relay").fetchall() == [(None,)]
        assert database.execute("PRAGMA user_version").fetchone() == (len(later),)
    before = len(later) - 1
    with closing(sqlite3.connect(tmp_path / f"relay.db.v{before}.bak")) as backup:
        assert backup.execute("PRAGMA user_version").fetchone() == (before,)


def test_an_upgrade_that_fails_changes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.prepare(tmp_path, RNG)
    scripts = store.upgrades()
    broken = [*scripts, "ALTER TABLE relay ADD COLUMN motto TEXT; nonsense;"]
    monkeypatch.setattr(store, "upgrades", lambda: broken)
    with pytest.raises(DamagedStoreError):
        store.prepare(tmp_path, RNG)
    monkeypatch.setattr(store, "upgrades", lambda: scripts)
    store.prepare(tmp_path, RNG)


def test_one_process_has_a_store(tmp_path: Path) -> None:
    held, database = store.open_locked(tmp_path / "new", RNG)
    with pytest.raises(StoreInUseError):
        store.open_locked(tmp_path / "new", RNG)
    database.close()
    held.close()
    held, database = store.open_locked(tmp_path / "new", RNG)
    database.close()
    held.close()


def test_a_refused_store_is_not_kept_locked(tmp_path: Path) -> None:
    (tmp_path / store.DATABASE).write_bytes(b"no database" * 100)
    for _ in range(2):
        with pytest.raises(DamagedStoreError):
            store.open_locked(tmp_path, RNG)
