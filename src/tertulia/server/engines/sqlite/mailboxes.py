"""Welcomes that wait for devices, in SQL."""

import sqlite3
from collections.abc import Iterator, Sequence

from tertulia.relay import Delivery, take_welcomes
from tertulia.wire import frames, limits


def post(
    database: sqlite3.Connection,
    room: tuple[bytes, int],
    welcomes: Sequence[frames.Welcome],
) -> Iterator[Delivery]:
    """Put Welcomes of a room at a place into mailboxes; the oldest give way."""
    for welcome in welcomes:
        for device in welcome.devices:
            row = database.execute(
                "UPDATE device SET welcomes = welcomes + 1 WHERE device = ?"
                " RETURNING welcomes",
                (device,),
            ).fetchone()
            if row is None:
                continue
            waiting = frames.WaitingWelcome(row[0], *room, welcome.blob)
            database.execute(
                "INSERT INTO welcome VALUES (?, ?, ?, ?, ?)",
                (device, waiting.number, *room, welcome.blob),
            )
            _make_room(database, device)
            yield Delivery(device, waiting)


def _make_room(database: sqlite3.Connection, device: bytes) -> None:
    database.execute(
        "DELETE FROM welcome WHERE device = :device AND number <= ("
        " SELECT number FROM welcome WHERE device = :device"
        " ORDER BY number DESC LIMIT 1 OFFSET :kept)",
        {"device": device, "kept": limits.WELCOMES_PER_DEVICE},
    )


def welcomes(
    database: sqlite3.Connection, device: bytes, after: int
) -> tuple[Sequence[frames.WaitingWelcome], bool]:
    """Return a page of waiting Welcomes, and whether there are more."""
    found = database.execute(
        "SELECT number, room, place, blob FROM welcome"
        " WHERE device = ? AND number > ? ORDER BY number",
        (device, after),
    )
    return take_welcomes(frames.WaitingWelcome(*row) for row in found)


def count(database: sqlite3.Connection, device: bytes) -> int:
    """Return how many Welcomes wait."""
    number: int = database.execute(
        "SELECT count(*) FROM welcome WHERE device = ?", (device,)
    ).fetchone()[0]
    return number


def discard(database: sqlite3.Connection, device: bytes, until: int) -> None:
    """Remove the Welcomes up to a number."""
    database.execute(
        "DELETE FROM welcome WHERE device = ? AND number <= ?", (device, until)
    )
