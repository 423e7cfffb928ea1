"""Entries of the log as received, in SQL."""

from collections.abc import Iterator
from typing import Final

import apsw

from tertulia.client import EntryRow

# Kept to prove what a relay sent, to feed a relay that lost its newest entries, and to
# look up the hash that a sender had seen: two full pages of catch-up do for a room.
KEPT_ENTRIES: Final = 2_000

# An entry can be near a mebibyte; texts of ordinary length stay far below this.
KEPT_BYTES: Final = 32 * 1024 * 1024

# Most senders name an entry of the last minutes; older ones are looked up.
RECENT_HASHES: Final = 256


def put_entry(database: apsw.Connection, row: EntryRow) -> None:
    """Keep an entry, instead of one at its place."""
    database.execute(
        "INSERT OR REPLACE INTO entry (room, place, size, hash, entry)"
        " VALUES (?, ?, ?, ?, ?)",
        (row.room, row.place, len(row.entry), row.hash, row.entry),
    )


def drop_oldest(database: apsw.Connection, room: bytes) -> None:
    """Let go of a room's oldest entries beyond the limits; the newest always stays."""
    last = max(_beyond_limits(database, room), default=None)
    if last is not None:
        database.execute(
            "DELETE FROM entry WHERE room = ? AND place <= ?", (room, last)
        )


def _beyond_limits(database: apsw.Connection, room: bytes) -> Iterator[int]:
    count, size = database.execute(
        "SELECT count(*), total(size) FROM entry WHERE room = ?", (room,)
    ).get
    oldest_first = database.execute(
        "SELECT place, size FROM entry WHERE room = ? ORDER BY place", (room,)
    )
    for place, entry_size in oldest_first:
        if count == 1 or (count <= KEPT_ENTRIES and size <= KEPT_BYTES):
            oldest_first.close()
            return
        yield place
        count -= 1
        size -= entry_size


def entries(
    database: apsw.Connection, room: bytes, after: int, limit: int
) -> list[EntryRow]:
    """Return the first kept entries after a place."""
    found = database.execute(
        "SELECT room, place, hash, entry FROM entry WHERE room = ? AND place > ?"
        " ORDER BY place LIMIT ?",
        (room, after, limit),
    )
    return [EntryRow(*row) for row in found]


def hash_at(database: apsw.Connection, room: bytes, place: int) -> bytes | None:
    """Return the running hash at a place; None if no kept entry has it."""
    found: bytes | None = database.execute(
        "SELECT hash FROM entry WHERE room = ? AND place = ?", (room, place)
    ).get
    return found


def recent_hashes(
    database: apsw.Connection, room: bytes
) -> tuple[tuple[int, bytes], ...]:
    """Return place and running hash of the newest entries, oldest first."""
    found = database.execute(
        "SELECT place, hash FROM entry WHERE room = ? ORDER BY place DESC LIMIT ?",
        (room, RECENT_HASHES),
    )
    return tuple((place, running) for place, running in found)[::-1]
