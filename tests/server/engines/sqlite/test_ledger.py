"""The ledger: rooms held between batches, forgotten when a batch fails."""

import sqlite3

from tertulia.relay import Overtaken, Placed, Proposal
from tertulia.server.engines.sqlite import ledger as module
from tertulia.server.engines.sqlite import rooms
from tertulia.server.engines.sqlite.ledger import Ledger
from tertulia.wire import Kind
from tests.server.engines.sqlite.conftest import ALICE, BOB, ROOM


def proposal(key: bytes, kind: Kind = Kind.APPLICATION) -> Proposal:
    return Proposal(ROOM, ALICE.device, key * 16, kind, 0, key, 5, room_limit=1 << 40)


def test_where_a_room_stands_is_written_once_per_batch(
    database: sqlite3.Connection, ledger: Ledger
) -> None:
    assert ledger.append(proposal(b"1")) == Placed(1, 5)
    assert ledger.append(proposal(b"2")) == Placed(2, 5)
    before = rooms.state(database, ROOM)
    (change,) = ledger.finish()
    after = rooms.state(database, ROOM)
    assert before is not None
    assert (before.place, after) == (0, change.state)
    assert [entry.place for entry in change.entries] == [1, 2]
    assert ledger.finish() == []


def test_what_was_rolled_back_never_was(
    database: sqlite3.Connection, ledger: Ledger
) -> None:
    database.execute("BEGIN")
    ledger.append(proposal(b"1", Kind.HANDSHAKE))
    ledger.cut_everywhere([BOB.device])
    database.execute("ROLLBACK")
    ledger.abandon()
    assert ledger.finish() == []
    assert ledger.append(proposal(b"2", Kind.HANDSHAKE)) == Placed(1, 5)
    assert ledger.append(proposal(b"3")) == Overtaken(1)
    route = rooms.route(database, ROOM, BOB.device)
    assert route is not None
    assert route.last is None


def test_not_every_room_is_held_for_ever(
    ledger: Ledger,
) -> None:
    ledger.append(proposal(b"1"))
    assert ledger._held
    for number in range(module.MAX_HELD + 1):
        ledger._held[number.to_bytes(16)] = ledger._held[ROOM]
    ledger.finish()
    assert not ledger._held
    assert ledger.append(proposal(b"1")) == Placed(1, 5, again=True)
