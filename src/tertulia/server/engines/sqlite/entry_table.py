"""Entries by the batch: which have a place already, and storing those that get one.

A statement with many rows costs as much as one row does with a thread that must ask for
the interpreter anew after each. So a batch is looked up in one query and stored by a few
statements, each for a power of two of rows, so that few are ever prepared.

Keys begin with the time (`wire.new_message_key`), and so the index over them grows at
its end. Keys in no order would each touch a page of their own: in a store of a million
entries that made an append five times as expensive.
"""

import functools
import sqlite3
from collections.abc import Iterator, Sequence
from typing import Any, Final, TypeVar

from tertulia.relay import Placed
from tertulia.server.engines.sqlite import rows
from tertulia.wire import blob_hash, frames

T = TypeVar("T")

_AT_ONCE: Final = 128  # rows; nine parameters each stay far below SQLite's limit


class EntryTable:
    """The writer's view of the table `entry` while it appends a batch."""

    def __init__(self, database: sqlite3.Connection) -> None:
        self._database = database
        self._earlier: dict[tuple[bytes, bytes, int], Placed] = {}
        self._rows: list[tuple[Any, ...]] = []

    def look_up(self, asked: Sequence[tuple[bytes, bytes, int]]) -> None:
        """Find the places that entries of these (key, device, room number) have."""
        for part in _parts(asked):
            for key, device, number, time in self._database.execute(
                _look_up(len(part)), [value for each in part for value in each]
            ):
                placed = Placed(number & rows.PLACE_MASK, time, again=True)
                self._earlier[key, device, number >> rows.PLACE_BITS] = placed

    def earlier(self, number: int, device: bytes, key: bytes) -> Placed | None:
        """Return the place of an entry that was looked up, or added since."""
        return self._earlier.get((key, device, number))

    def add(self, number: int, entry: frames.Entry, running: bytes) -> None:
        """Hold back the room's next entry, until `store`."""
        placed = Placed(entry.place, entry.time, again=True)
        self._earlier[entry.key, entry.device, number] = placed
        self._rows.append(
            (
                rows.entry_id(number, entry.place),
                entry.kind,
                entry.device,
                entry.time,
                entry.key,
                entry.handshake,
                running,
                None if entry.blob is not None else blob_hash(entry),
                entry.blob,
            )
        )

    def store(self) -> None:
        """Store what was held back, and forget what was looked up."""
        for part in _parts(self._rows):
            self._database.execute(
                _insert(len(part)), [value for row in part for value in row]
            )
        self.forget()

    def forget(self) -> None:
        """Forget what was looked up or held back."""
        self._earlier.clear()
        self._rows.clear()


def _parts(items: Sequence[T]) -> Iterator[Sequence[T]]:
    """Yield the items in parts whose sizes are powers of two."""
    start = 0
    while rest := len(items) - start:
        stop = start + min(_AT_ONCE, 1 << rest.bit_length() - 1)
        yield items[start:stop]
        start = stop


@functools.cache
def _look_up(count: int) -> str:
    asked = ", ".join(["(?, ?, ?)"] * count)
    return (
        f"WITH asked (key, device, room) AS (VALUES {asked})"  # noqa: S608
        " SELECT entry.key, entry.device, id, time FROM asked CROSS JOIN entry"
        " ON entry.key = asked.key AND entry.device = asked.device"
        " AND (id >> 40) = asked.room"
    )


@functools.cache
def _insert(count: int) -> str:
    values = ", ".join(["(?, ?, ?, ?, ?, ?, ?, ?, ?)"] * count)
    # A batch that fails is rolled back whole. Said here, it saves SQLite the journal
    # from which it would take back the statement alone.
    return f"INSERT OR ROLLBACK INTO entry VALUES {values}"  # noqa: S608
