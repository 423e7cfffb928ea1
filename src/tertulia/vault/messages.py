"""Lines of conversations, in SQL.

A message id is its sender's choice, so a member of two rooms may use one in both: each
room has its own line then.
"""

import apsw

from tertulia.client import MessageRow

_COLUMNS = "room, message, place, body, number"


def put_message(database: apsw.Connection, row: MessageRow) -> None:
    """Add a line with the next number, or replace place and body of the one there.

    A line that has its place in the log stays as it is: the first entry of an id counts.
    """
    database.execute(
        "INSERT INTO message (room, message, place, body) VALUES (?, ?, ?, ?)"
        " ON CONFLICT (message, room) DO UPDATE SET place = excluded.place,"
        " body = excluded.body WHERE message.place IS NULL",
        (row.room, row.message, row.place, row.body),
    )


def drop_message(database: apsw.Connection, room: bytes, message: bytes) -> None:
    """Delete a line."""
    database.execute(
        "DELETE FROM message WHERE message = ? AND room = ?", (message, room)
    )


def messages_after(
    database: apsw.Connection, room: bytes | None, after: int, limit: int
) -> list[MessageRow]:
    """Return the first lines after a number, of a room or of all."""
    return _lines(database, room, f"number > ?2 ORDER BY number LIMIT {limit:d}", after)


def newest_messages(
    database: apsw.Connection, room: bytes | None, after: int, limit: int
) -> list[MessageRow]:
    """Return the last lines after a number, of a room or of all, oldest first."""
    found = _lines(
        database, room, f"number > ?2 ORDER BY number DESC LIMIT {limit:d}", after
    )
    return found[::-1]


def _lines(
    database: apsw.Connection, room: bytes | None, which: str, after: int
) -> list[MessageRow]:
    # Two statements: one that takes both cases could not use the index.
    where = "?1 IS NULL" if room is None else "room = ?1"
    found = database.execute(
        f"SELECT {_COLUMNS} FROM message WHERE {where} AND {which}",  # noqa: S608
        (room, after),
    )
    return [MessageRow(*row) for row in found]


def message(
    database: apsw.Connection, room: bytes | None, message: bytes
) -> MessageRow | None:
    """Return the line with an id in a room; in any, the first one."""
    found = database.execute(
        f"SELECT {_COLUMNS} FROM message WHERE message = ?1"  # noqa: S608
        " AND (?2 IS NULL OR room = ?2) ORDER BY number LIMIT 1",
        (message, room),
    ).fetchone()
    return None if found is None else MessageRow(*found)


def count_messages(database: apsw.Connection, room: bytes) -> int:
    """Return how many lines a room has."""
    count: int = database.execute(
        "SELECT count(*) FROM message WHERE room = ?", (room,)
    ).get
    return count
