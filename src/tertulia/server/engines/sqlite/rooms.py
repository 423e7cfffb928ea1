"""Questions about rooms, in SQL."""

import sqlite3
from collections.abc import Sequence

from tertulia.relay import Entrance, Page, RoomState, RoomUsage, Route, take_page
from tertulia.server.engines.sqlite import rows
from tertulia.wire import first_hash, frames


def state(database: sqlite3.Connection, room: bytes) -> RoomState | None:
    """Return where the room stands."""
    row = database.execute(
        "SELECT room, place, hash, handshake, time, size FROM room WHERE room = ?",
        (room,),
    ).fetchone()
    return None if row is None else rows.room_state(row)


def number_of(database: sqlite3.Connection, room: bytes) -> int:
    """Return what entries name the room by; 0, which none has, if there is no room."""
    row = database.execute("SELECT number FROM room WHERE room = ?", (room,)).fetchone()
    return 0 if row is None else row[0]


def usages(database: sqlite3.Connection) -> Sequence[RoomUsage]:
    """Return what each room stores."""
    found = database.execute(
        "SELECT room,"
        " (SELECT count(*) FROM route WHERE room = number AND last IS NULL),"
        " place, size, time FROM room ORDER BY number"
    )
    return [RoomUsage(*row) for row in found]


def route(database: sqlite3.Connection, room: bytes, device: bytes) -> Route | None:
    """Return what the device may read."""
    row = database.execute(
        "SELECT first, last FROM route WHERE device = ?"
        " AND room = (SELECT number FROM room WHERE room = ?)",
        (device, room),
    ).fetchone()
    return None if row is None else Route(*row)


def routes(database: sqlite3.Connection, device: bytes) -> Sequence[frames.RoomRoute]:
    """Return all rooms the device may read."""
    found = database.execute(
        "SELECT room.room, first, last FROM route JOIN room ON number = route.room"
        " WHERE device = ? ORDER BY number",
        (device,),
    )
    return [frames.RoomRoute(*row) for row in found]


def has_account(database: sqlite3.Connection, room: bytes, account: bytes) -> bool:
    """Tell whether a device of the account is routed to the room."""
    found = database.execute(
        "SELECT 1 FROM device JOIN route USING (device)"
        " WHERE account = ? AND last IS NULL"
        " AND room = (SELECT number FROM room WHERE room = ?)",
        (account, room),
    )
    return found.fetchone() is not None


def page(
    database: sqlite3.Connection, room: bytes, after: int, until: int, limit: int
) -> Page:
    """Return a page of entries after one place and up to another."""
    number = number_of(database, room)
    last = rows.entry_id(number, min(until, rows.PLACE_MASK))
    first = rows.entry_id(number, min(after, rows.PLACE_MASK))
    found = database.execute(
        f"SELECT {rows.ENTRY_COLUMNS} FROM entry"  # noqa: S608
        " WHERE id > ? AND id <= ? ORDER BY id",
        (first, last),
    )
    entries, more = take_page(rows.entries(found), limit)
    return Page(_hash_before(database, room, number, first), entries, more)


def _hash_before(
    database: sqlite3.Connection, room: bytes, number: int, after: int
) -> bytes:
    row = database.execute(
        "SELECT hash FROM entry WHERE id <= ? AND id > ? ORDER BY id DESC LIMIT 1",
        (after, rows.entry_id(number, 0)),
    ).fetchone()
    return first_hash(room) if row is None else row[0]


def handshakes(
    database: sqlite3.Connection, room: bytes, after: int, limit: int
) -> tuple[Sequence[frames.Entry], bool]:
    """Return the handshakes after a place, and whether there are more."""
    number = number_of(database, room)
    found = database.execute(
        f"SELECT {rows.ENTRY_COLUMNS} FROM entry"  # noqa: S608
        " WHERE kind = 1 AND id > ? AND id < ? ORDER BY id",
        (rows.entry_id(number, after), rows.entry_id(number + 1, 0)),
    )
    return take_page(rows.entries(found), limit)


def hash_at(database: sqlite3.Connection, room: bytes, place: int) -> bytes | None:
    """Return the running hash at a place; None if no entry has it."""
    if place == 0:
        return first_hash(room)
    row = database.execute(
        "SELECT hash FROM entry WHERE id = ?",
        (rows.entry_id(number_of(database, room), min(place, rows.PLACE_MASK)),),
    ).fetchone()
    return None if row is None else row[0]


def group(database: sqlite3.Connection, room: bytes) -> frames.GroupAdvice | None:
    """Return what joiners need."""
    row = database.execute("SELECT advice FROM room WHERE room = ?", (room,)).fetchone()
    return None if row is None else rows.advice(row[0])


def entrance(database: sqlite3.Connection, room: bytes) -> Entrance | None:
    """Return what joiners start from."""
    with rows.one_moment(database):
        now, advice = state(database, room), group(database, room)
        found = database.execute(
            "SELECT bytes FROM tree_patch"
            " WHERE room = (SELECT number FROM room WHERE room = ?) ORDER BY number",
            (room,),
        ).fetchall()
    if now is None or advice is None or advice.tree is None:
        return None
    return Entrance(now, advice, advice.tree, tuple(patch for (patch,) in found))


def patches(database: sqlite3.Connection, number: int) -> tuple[int, int]:
    """Return how many patches follow the tree of a room, and their size."""
    count, size = database.execute(
        "SELECT count(*), total(length(bytes)) FROM tree_patch WHERE room = ?",
        (number,),
    ).fetchone()
    return count, int(size)


def markers(database: sqlite3.Connection, room: bytes) -> Sequence[frames.Marker]:
    """Return the markers of devices that are routed."""
    found = database.execute(
        "SELECT marker.device, slot, marker.blob"
        " FROM marker JOIN route USING (room, device)"
        " WHERE last IS NULL AND room = (SELECT number FROM room WHERE room = ?)"
        " ORDER BY device, slot",
        (room,),
    )
    return [frames.Marker(*row) for row in found]
