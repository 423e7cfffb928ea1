"""Backup, verification and restore of a store's folder.

A backup is a folder like the store itself. It is complete when its database has its
final name, which it gets last. A restored store is a new incarnation: what the backup
lacks, clients feed back, and heads signed before do not contradict those signed after.
"""

import os
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

from tertulia.crypto import Rng
from tertulia.server.engines.sqlite import rows, store
from tertulia.server.engines.sqlite.blob_files import BlobFiles, sync_folder
from tertulia.server.engines.sqlite.errors import DamagedStoreError, StoreExistsError
from tertulia.wire import first_hash, frames, next_hash


def back_up(folder: Path, target: Path) -> None:
    """Copy a store, in use or not, into a new folder; raise StoreExistsError."""
    _require_empty(target)
    unfinished = target / f"{store.DATABASE}.part"
    with (
        closing(_read_only(folder / store.DATABASE)) as source,
        closing(sqlite3.connect(unfinished)) as copy,
    ):
        source.backup(copy)
        _copy_blobs(copy, folder, target)
    _settle(unfinished, target / store.DATABASE)


def restore(backup: Path, folder: Path, rng: Rng) -> None:
    """Make a store from a backup, as a new incarnation; raise StoreError."""
    _require_empty(folder)
    problems = verify(backup)
    if problems:
        raise DamagedStoreError(backup, problems[0])
    unfinished = folder / f"{store.DATABASE}.part"
    with (
        closing(_read_only(backup / store.DATABASE)) as source,
        closing(sqlite3.connect(unfinished)) as copy,
    ):
        source.backup(copy)
        with copy:
            copy.execute("UPDATE relay SET incarnation = ?", (rng(16),))
        _copy_blobs(copy, backup, folder)
    _settle(unfinished, folder / store.DATABASE)


def verify(folder: Path) -> list[str]:
    """Return everything that is wrong with a store; an empty list if it is sound."""
    path = folder / store.DATABASE
    if not path.is_file():
        return [f"{path} is missing"]
    try:
        with closing(_read_only(path)) as database:
            store.check(database, path)
            found = database.execute("PRAGMA integrity_check").fetchall()
            problems = [text for (text,) in found if text != "ok"]
            problems += _broken_rooms(database)
            problems += _broken_blobs(database, folder)
    except (sqlite3.DatabaseError, DamagedStoreError) as error:
        return [str(error)]
    return problems


def _broken_rooms(database: sqlite3.Connection) -> Iterator[str]:
    """Recompute the running hash of every room."""
    for number, room, place, running in database.execute(
        "SELECT number, room, place, hash FROM room"
    ).fetchall():
        at, expected = 0, first_hash(room)
        for entry, stored in _entries(database, number):
            at, expected = entry.place, next_hash(room, expected, entry)
            if stored != expected:
                break
        if (at, expected) != (place, running):
            yield f"room {room.hex()}: the running hash breaks at place {at}"


def _entries(
    database: sqlite3.Connection, number: int
) -> Iterator[tuple[frames.Entry, bytes]]:
    found = database.execute(
        f"SELECT hash, {rows.ENTRY_COLUMNS} FROM entry"  # noqa: S608
        " WHERE id > ? AND id < ? ORDER BY id",
        (rows.entry_id(number, 0), rows.entry_id(number + 1, 0)),
    )
    for stored, *row in found:
        yield rows.entry(tuple(row)), stored


def _broken_blobs(database: sqlite3.Connection, folder: Path) -> Iterator[str]:
    files = BlobFiles(folder / store.BLOBS)
    for blob, digest in database.execute(
        "SELECT blob, hash FROM blob WHERE is_complete"
    ):
        if not files.is_sound(blob, digest):
            yield f"blob {blob.hex()} is missing or altered"


def _copy_blobs(database: sqlite3.Connection, source: Path, target: Path) -> None:
    origin = BlobFiles(source / store.BLOBS)
    copies = BlobFiles(target / store.BLOBS)
    for (blob,) in database.execute("SELECT blob FROM blob WHERE is_complete"):
        path = copies.path(blob)
        path.parent.mkdir(parents=True, exist_ok=True)
        # Retention may take a blob away meanwhile; then nobody misses it.
        if origin.path(blob).exists():
            shutil.copyfile(origin.path(blob), path)
            _sync_file(path)
    (target / store.BLOBS).mkdir(exist_ok=True)


def _settle(unfinished: Path, path: Path) -> None:
    _sync_file(unfinished)
    unfinished.rename(path)
    sync_folder(path.parent)


def _sync_file(path: Path) -> None:
    with path.open("rb+") as file:
        os.fsync(file.fileno())


def _require_empty(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    if any(folder.iterdir()):
        raise StoreExistsError(folder)


def _read_only(path: Path) -> sqlite3.Connection:
    return sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)
