"""A room in memory agrees with the database."""

import sqlite3

from tertulia.relay import Cut, Route
from tertulia.server.engines.sqlite import rooms
from tertulia.server.engines.sqlite.entry_table import EntryTable
from tertulia.server.engines.sqlite.held_room import HeldRoom
from tertulia.server.engines.sqlite.ledger import Ledger
from tests.server.engines.sqlite.conftest import ALICE, BOB, ROOM


def held(database: sqlite3.Connection) -> HeldRoom:
    state = rooms.state(database, ROOM)
    assert state is not None
    entries = EntryTable(database)
    return HeldRoom(database, entries, rooms.number_of(database, ROOM), state)


def test_routing_is_written_through(
    database: sqlite3.Connection, ledger: Ledger
) -> None:
    ledger.finish()
    room = held(database)
    assert (room.members(), room.size()) == (2, 3)
    assert list(room.cut(BOB.device)) == [Cut(BOB.device, 0)]
    assert list(room.cut(BOB.device)) == []
    room.add_route(ALICE.device, 9)  # routed already
    room.add_route(b"?" * 16, 9)  # never enrolled
    again = held(database)
    assert (again.members(), room.members()) == (1, 1)
    assert again.route(BOB.device) == room.route(BOB.device) == Route(0, 0)
    room.add_route(BOB.device, 3)
    assert held(database).route(BOB.device) == Route(3)
