"""What is known of blobs, in SQL; their bytes are files, see `blob_files`."""

import sqlite3
from collections.abc import Sequence

from tertulia.relay import Blob, BlobLimits, Denied, object_to_blob
from tertulia.server.engines.sqlite import rows
from tertulia.wire import ErrorCode, frames


def blob(database: sqlite3.Connection, blob_id: bytes) -> Blob | None:
    """Return what is known of the blob; how much has arrived, its file tells."""
    row = database.execute(
        f"SELECT {rows.BLOB_COLUMNS} FROM blob WHERE blob = ?",  # noqa: S608
        (blob_id,),
    ).fetchone()
    return None if row is None else rows.blob(row)


def blobs_of(database: sqlite3.Connection, room: bytes) -> Sequence[bytes]:
    """Return the ids of all blobs of a room."""
    found = database.execute("SELECT blob FROM blob WHERE room = ?", (room,))
    return [blob_id for (blob_id,) in found]


def is_there(
    database: sqlite3.Connection, room: bytes, reference: frames.BlobReference
) -> bool:
    """Tell whether the room has this blob, complete and as referred to."""
    found = database.execute(
        "SELECT 1 FROM blob WHERE blob = ? AND room = ? AND size = ? AND hash = ?"
        " AND is_complete",
        (reference.blob, room, reference.size, reference.hash),
    )
    return found.fetchone() is not None


def create(
    database: sqlite3.Connection, new: Blob, allowed: BlobLimits
) -> Denied | None:
    """Announce a blob; denied if account, room or relay would store too much."""
    stored = _stored(database, new)
    if stored is None:
        return Denied(ErrorCode.NOT_FOUND)
    denied = object_to_blob(new, stored, allowed)
    if denied is None:
        database.execute(
            f"INSERT INTO blob ({rows.BLOB_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, 0)",  # noqa: S608
            (new.blob, new.room, new.account, new.size, new.hash, new.created),
        )
        _charge(database, new.account, new.size)
    return denied


def _stored(database: sqlite3.Connection, new: Blob) -> BlobLimits | None:
    account, room, relay = database.execute(
        "SELECT (SELECT blob_bytes FROM account WHERE account = ?),"
        " (SELECT size FROM room WHERE room = ?), (SELECT total(size) FROM room)",
        (new.account, new.room),
    ).fetchone()
    if account is None or room is None:
        return None
    return BlobLimits(account, room, int(relay))


def _charge(database: sqlite3.Connection, account: bytes, size: int) -> None:
    database.execute(
        "UPDATE account SET blob_bytes = blob_bytes + ? WHERE account = ?",
        (size, account),
    )


def complete(database: sqlite3.Connection, blob_id: bytes) -> None:
    """Note that all bytes are durable and fit the hash."""
    database.execute("UPDATE blob SET is_complete = 1 WHERE blob = ?", (blob_id,))


def remove(database: sqlite3.Connection, blob_id: bytes) -> Blob | None:
    """Remove what is known of the blob; return what that was."""
    known = blob(database, blob_id)
    if known is not None:
        database.execute("DELETE FROM blob WHERE blob = ?", (blob_id,))
        _charge(database, known.account, -known.size)
    return known


def replace_tree(
    database: sqlite3.Connection,
    older: frames.GroupAdvice | None,
    newer: frames.GroupAdvice,
    now: int,
) -> None:
    """Mark the tree of the older advice for removal, and that of the newer not."""
    trees = [(now, older.tree)] if older else []
    database.executemany(
        "UPDATE blob SET replaced = ? WHERE blob = ?",
        [
            (replaced, tree.blob)
            for replaced, tree in [*trees, (None, newer.tree)]
            if tree is not None
        ],
    )
