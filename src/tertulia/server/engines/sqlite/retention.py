"""Removing what is no longer kept, in SQL, a part at a time so that nobody waits long."""

import sqlite3
from collections.abc import Sequence
from hashlib import sha256

from tertulia.relay import (
    Progress,
    RetentionRules,
    entry_age,
    first_needed,
    is_past,
)
from tertulia.server.engines.sqlite import rows

_PART = 1_000


def rooms(database: sqlite3.Connection) -> Sequence[bytes]:
    """Return all rooms."""
    return [room for (room,) in database.execute("SELECT room FROM room")]


def drop_blobs(
    database: sqlite3.Connection, room: bytes, rules: RetentionRules
) -> tuple[int, int]:
    """Drop blobs of a room's entries; return how many, and their size."""
    row = database.execute(
        "SELECT number, handshake, retention FROM room WHERE room = ?", (room,)
    ).fetchone()
    if row is None:
        return 0, 0
    number, handshake, retention = row
    needed = first_needed(rules, handshake, _progress(database, number))
    age = entry_age(rules, retention)
    oldest = rules.now - age if age is not None else -1
    past = database.execute(
        "SELECT id, blob FROM entry WHERE id > ? AND id < ? AND blob IS NOT NULL"
        " AND CASE kind WHEN 1 THEN id < ? ELSE time < ? END LIMIT ?",
        (
            rows.entry_id(number, 0),
            rows.entry_id(number + 1, 0),
            rows.entry_id(number, needed),
            oldest,
            _PART,
        ),
    ).fetchall()
    database.executemany(
        "UPDATE entry SET blob = NULL, blob_hash = ? WHERE id = ?",
        [(sha256(blob).digest(), entry) for entry, blob in past],
    )
    return len(past), sum(len(blob) for _, blob in past)


def _progress(database: sqlite3.Connection, number: int) -> list[Progress]:
    found = database.execute(
        "SELECT last, handshake, heard FROM route WHERE room = ?", (number,)
    )
    return [Progress(*row) for row in found]


def past_blobs(database: sqlite3.Connection, rules: RetentionRules) -> Sequence[bytes]:
    """Return the uploaded blobs that are no longer kept."""
    current = set()
    for (encoded,) in database.execute(
        "SELECT advice FROM room WHERE advice IS NOT NULL"
    ):
        advice = rows.advice(encoded)
        if advice is not None and advice.tree is not None:
            current.add(advice.tree.blob)
    found = database.execute(f"SELECT replaced, {rows.BLOB_COLUMNS} FROM blob")  # noqa: S608
    return [
        known.blob
        for replaced, *row in found
        if (known := rows.blob(tuple(row))).blob not in current
        and is_past(known, replaced, rules)
    ]
