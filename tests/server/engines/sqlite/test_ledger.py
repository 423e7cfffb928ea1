"""The ledger: rooms held between batches, forgotten when a batch fails."""

import sqlite3

import pytest
from msgspec.structs import replace

from tertulia.relay import Blob, BlobLimits, Denied, Overtaken, Placed, Proposal
from tertulia.server.engines.sqlite import accounts, blobs, rooms
from tertulia.server.engines.sqlite import ledger as module
from tertulia.server.engines.sqlite.ledger import Ledger
from tertulia.wire import ErrorCode, Kind
from tests.server.engines.sqlite.conftest import ALICE, BOB, ROOM


def proposal(key: bytes, kind: Kind = Kind.APPLICATION) -> Proposal:
    return Proposal(ROOM, ALICE.device, key * 16, kind, 0, key, 5, room_limit=1 << 40)


def test_where_a_room_stands_is_written_once_per_batch(
    database: sqlite3.Connection, ledger: Ledger
) -> None:
    both = [proposal(b"1"), proposal(b"2")]
    assert ledger.append(both) == [Placed(1, 5), Placed(2, 5)]
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
    ledger.append([proposal(b"1", Kind.HANDSHAKE)])
    ledger.cut_everywhere([BOB.device])
    database.execute("ROLLBACK")
    ledger.abandon()
    assert ledger.finish() == []
    assert ledger.append([proposal(b"2", Kind.HANDSHAKE), proposal(b"3")]) == [
        Placed(1, 5),
        Overtaken(1),
    ]
    route = rooms.route(database, ROOM, BOB.device)
    assert route is not None
    assert route.last is None


def test_one_batch_knows_its_own_keys_and_those_of_before(ledger: Ledger) -> None:
    first = ledger.append([proposal(b"1"), proposal(b"1")])
    assert first == [Placed(1, 5), Placed(1, 5, again=True)]
    ledger.finish()
    elsewhere = replace(proposal(b"2"), room=b"?" * 16)
    second = ledger.append([elsewhere, proposal(b"2"), proposal(b"1")])
    assert second == [
        Denied(ErrorCode.NOT_FOUND),
        Placed(2, 5),
        Placed(1, 5, again=True),
    ]
    assert [entry.place for entry in ledger.finish()[0].entries] == [2]


def test_rooms_that_were_not_used_lately_are_released(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    rooms = [ROOM, b"s" * 16, b"t" * 16]
    for room in rooms[1:]:
        ledger.create_room(room, ALICE.device, 1)
    ledger.finish()
    monkeypatch.setattr(module, "MAX_HELD", 5)
    ledger.append([replace(proposal(b"1"), room=room) for room in rooms])
    ledger.finish()
    # The first has two routes, so that all three weigh seven.
    assert list(ledger._held) == rooms[1:]
    ledger.append([replace(proposal(b"2"), room=rooms[1])])
    ledger.finish()
    assert list(ledger._held) == [rooms[2], rooms[1]]
    assert ledger._size == 4
    assert ledger.append([proposal(b"1")]) == [Placed(1, 5, again=True)]


def test_a_room_goes_with_its_blobs_in_one_change(
    database: sqlite3.Connection, ledger: Ledger
) -> None:
    blob = Blob(b"x" * 16, ROOM, ALICE.account, 5, bytes(32), 1)
    assert blobs.create(database, blob, BlobLimits(99, 99, 99)) is None
    assert ledger.remove_room(ROOM) == [blob.blob]
    assert ledger.finish() == []
    account = accounts.account(database, ALICE.account)
    assert account is not None
    assert account.blob_bytes == 0
    assert ledger.remove_room(ROOM) is None
