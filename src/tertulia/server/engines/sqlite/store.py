"""The folder of a store: its files, its schema and its versions.

    relay.db       the database (with -wal and -shm while it is open)
    relay.lock     held by the one process that has the store open
    blobs/xx/...   one file per blob, named by its id; `.part` while it arrives

The schema is in numbered files; opening an older store makes a backup beside it and
applies the files it lacks. A newer, foreign or damaged store is refused untouched.
"""

import sqlite3
from contextlib import closing
from importlib.resources import files
from pathlib import Path
from typing import Final

from tertulia.crypto import Rng
from tertulia.server.engines.sqlite.errors import (
    DamagedStoreError,
    NewerStoreError,
    StoreInUseError,
)

DATABASE: Final = "relay.db"
LOCK: Final = "relay.lock"
BLOBS: Final = "blobs"

# Says in the file itself whose it is: "TERT".
APPLICATION_ID: Final = 0x54455254

# Up to this size the whole file is checked at each start; it takes a tenth of a second.
_CHECKED_SIZE: Final = 32 * 1024 * 1024


def upgrades() -> list[str]:
    """Return the schema files in order; the first makes an empty store."""
    folder = files("tertulia.server.engines.sqlite") / "schema"
    names = sorted(file.name for file in folder.iterdir() if file.name.endswith(".sql"))
    return [(folder / name).read_text(encoding="utf-8") for name in names]


def lock(folder: Path) -> sqlite3.Connection:
    """Return a connection whose life is the lock; raise StoreInUseError.

    A lock of SQLite's works on every system and ends with the process, however it
    ends.
    """
    held = sqlite3.connect(
        folder / LOCK, timeout=0, isolation_level=None, check_same_thread=False
    )
    try:
        held.execute("BEGIN EXCLUSIVE")
    except sqlite3.OperationalError:
        held.close()
        raise StoreInUseError(folder) from None
    return held


def open_locked(
    folder: Path, rng: Rng
) -> tuple[sqlite3.Connection, sqlite3.Connection]:
    """Return the lock and the connection of a store, made if need be.

    Raises StoreError.
    """
    folder.mkdir(parents=True, exist_ok=True)
    held = lock(folder)
    try:
        prepare(folder, rng)
        return held, connect(folder / DATABASE)
    except BaseException:
        held.close()
        raise


def prepare(folder: Path, rng: Rng) -> None:
    """Make the store, or bring it to this program's version; raise StoreError."""
    path = folder / DATABASE
    (folder / BLOBS).mkdir(exist_ok=True)
    try:
        with closing(connect(path)) as database:
            version = check(database, path)
            scripts = upgrades()
            if 0 < version < len(scripts):
                back_up_version(database, path.with_name(f"{DATABASE}.v{version}.bak"))
            for number, script in enumerate(scripts[version:], start=version + 1):
                _upgrade(database, number, script)
            if version == 0:
                database.execute("INSERT INTO relay VALUES (1, ?)", (rng(16),))
    except sqlite3.DatabaseError as error:
        raise DamagedStoreError(path, str(error)) from error


def connect(path: Path) -> sqlite3.Connection:
    """Return a connection that writes durably, in a thread of the caller's choice."""
    database = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    database.execute("PRAGMA journal_mode = WAL")
    database.execute("PRAGMA synchronous = FULL")
    database.execute("PRAGMA foreign_keys = ON")
    database.execute("PRAGMA wal_autocheckpoint = 0")  # see `checkpoints.py`
    return database


def check(database: sqlite3.Connection, path: Path) -> int:
    """Return the store's version, 0 for an empty file; raise StoreError."""
    version = _pragma(database, "user_version")
    application = _pragma(database, "application_id")
    if version == 0 and application == 0 and not _has_tables(database):
        return 0
    if application != APPLICATION_ID:
        raise DamagedStoreError(path, "another program's database")
    if version > len(upgrades()):
        raise NewerStoreError(path, version, len(upgrades()))
    if path.stat().st_size <= _CHECKED_SIZE:
        (found,) = database.execute("PRAGMA quick_check(1)").fetchone()
        if found != "ok":
            raise DamagedStoreError(path, found)
    return version


def back_up_version(database: sqlite3.Connection, target: Path) -> None:
    """Copy the database before an upgrade changes it; an older copy is replaced."""
    target.unlink(missing_ok=True)
    database.execute("VACUUM INTO ?", (str(target),))


def _upgrade(database: sqlite3.Connection, number: int, script: str) -> None:
    database.executescript(
        f"BEGIN; {script}"
        f"; PRAGMA application_id = {APPLICATION_ID}"
        f"; PRAGMA user_version = {number}; COMMIT;"
    )


def _has_tables(database: sqlite3.Connection) -> bool:
    return database.execute("SELECT 1 FROM sqlite_schema").fetchone() is not None


def _pragma(database: sqlite3.Connection, name: str) -> int:
    value: int = database.execute(f"PRAGMA {name}").fetchone()[0]
    return value
