"""Questions about rooms do not see into the next one."""

import sqlite3

from tertulia.relay import Proposal
from tertulia.server.engines.sqlite import rooms
from tertulia.server.engines.sqlite.ledger import Ledger
from tertulia.wire import MAX_INTEGER, Kind, first_hash
from tests.server.engines.sqlite.conftest import ALICE, ROOM


def test_rooms_are_kept_apart(database: sqlite3.Connection, ledger: Ledger) -> None:
    other = b"s" * 16
    ledger.create_room(other, ALICE.device, 1)
    for room, key, latest in ((ROOM, b"1", 0), (other, b"1", 0), (ROOM, b"2", 1)):
        sender = ALICE.device
        proposal = Proposal(
            room, sender, key * 16, Kind.HANDSHAKE, latest, room, 1, room_limit=9_999
        )
        ledger.append([proposal])
    ledger.finish()
    for room, places in ((ROOM, [1, 2]), (other, [1])):
        page = rooms.page(database, room, 0, MAX_INTEGER, 10)
        assert [entry.place for entry in page.entries] == places
        assert {entry.blob for entry in page.entries} == {room}
        assert page.previous == first_hash(room)
        entries, _ = rooms.handshakes(database, room, 0, 10)
        assert [entry.place for entry in entries] == places
    beyond = rooms.page(database, other, MAX_INTEGER, MAX_INTEGER, 10)
    assert beyond.entries == ()
    assert rooms.hash_at(database, other, 2) is None
    assert rooms.number_of(database, bytes(16)) == 0
