"""Entries by the batch: found and stored as if one by one."""

import sqlite3

import pytest

from tertulia.relay import Placed
from tertulia.server.engines.sqlite.entry_table import EntryTable
from tertulia.wire import Kind, frames
from tests.server.engines.sqlite.conftest import ALICE, BOB


def entry(place: int, device: bytes = ALICE.device) -> frames.Entry:
    key = place.to_bytes(16)
    return frames.Entry(place, Kind.APPLICATION, device, 9, key, 0, b"blob")


@pytest.mark.parametrize("count", [1, 2, 7, 128, 300])
def test_batches_of_any_size_are_stored_and_found(
    database: sqlite3.Connection, count: int
) -> None:
    table = EntryTable(database)
    for place in range(1, count + 1):
        table.add(1, entry(place), bytes([place % 256]) * 32)
    table.store()
    stored = database.execute("SELECT id, hash FROM entry ORDER BY id").fetchall()
    assert stored == [
        ((1 << 40) | place, bytes([place % 256]) * 32) for place in range(1, count + 1)
    ]
    assert table.earlier(1, ALICE.device, entry(1).key) is None, "forgotten"
    asked = [(entry(place).key, ALICE.device, 1) for place in range(count + 2)]
    table.look_up(asked)
    for place in range(1, count + 1):
        found = table.earlier(1, ALICE.device, entry(place).key)
        assert found == Placed(place, 9, again=True)
    assert table.earlier(1, ALICE.device, entry(count + 1).key) is None


def test_a_key_counts_for_one_device_in_one_room(database: sqlite3.Connection) -> None:
    table = EntryTable(database)
    for number, device in ((1, ALICE.device), (2, ALICE.device), (1, BOB.device)):
        place = 3 if device == BOB.device else 2
        one = frames.Entry(place, Kind.APPLICATION, device, 9, b"k" * 16, 0, b"")
        table.add(number, one, bytes(32))
    table.store()
    table.look_up([(b"k" * 16, ALICE.device, 2), (b"k" * 16, BOB.device, 1)])
    assert table.earlier(2, ALICE.device, b"k" * 16) == Placed(2, 9, again=True)
    assert table.earlier(1, BOB.device, b"k" * 16) == Placed(3, 9, again=True)
    assert table.earlier(1, ALICE.device, b"k" * 16) is None, "not asked for"
    assert table.earlier(2, BOB.device, b"k" * 16) is None


def test_what_was_held_back_can_be_forgotten(database: sqlite3.Connection) -> None:
    table = EntryTable(database)
    table.add(1, entry(1), bytes(32))
    assert table.earlier(1, ALICE.device, entry(1).key) == Placed(1, 9, again=True)
    table.forget()
    table.store()
    assert database.execute("SELECT count(*) FROM entry").fetchone() == (0,)


def test_the_index_over_keys_answers(database: sqlite3.Connection) -> None:
    plan = database.execute(
        "EXPLAIN QUERY PLAN SELECT id FROM entry"
        " WHERE key = ? AND device = ? AND (id >> 40) = ?",
        (b"", b"", 1),
    ).fetchall()
    assert "entry_of_sender" in str(plan)
