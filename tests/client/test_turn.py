"""A turn collects; its end decides the order: save, then send, then show."""

from dataclasses import replace

import pytest

from tertulia.client.commands import Carried
from tertulia.client.effects import (
    Connect,
    Disconnect,
    DownloadBlob,
    Emit,
    LoadEntries,
    Reply,
    Save,
    Transmit,
    UploadBlob,
)
from tertulia.client.events import RoomChanged
from tertulia.client.requests import ForRooms, ToFetch, Transfer
from tertulia.client.room import Room, RoomState
from tertulia.client.rows import (
    DropRoom,
    EvidenceRow,
    PutEvidence,
    PutProfile,
    PutRelay,
    PutRoom,
    RelayRow,
)
from tertulia.client.state import Phase, Session
from tertulia.client.turn import Turn
from tertulia.client.views import RoomStatus
from tertulia.wire import frames
from tests.client.script import saved
from tests.client.society import NOW, person, seeded

ROOM = b"r" * 16
ANA = person("Ana")
RELAY = RelayRow(b"f" * 32, ("https://relay.test",), 3)


def turn(**fields: object) -> Turn:
    rooms = {ROOM: Room(ROOM, RoomState(RoomStatus.LEFT))}
    session = Session(ANA, RELAY, seeded("turn"), rooms)
    return Turn(replace(session, **fields), NOW)  # type: ignore[arg-type]


def test_a_turn_in_which_nothing_happens_wants_nothing() -> None:
    assert turn().effects() == []


def test_whatever_the_order_of_rules_it_is_saved_then_sent_then_shown() -> None:
    now = turn()
    now.reply(1, Carried())
    now.emit(RoomChanged(ROOM))
    now.transmit(frames.ListRooms(1))
    now.connect(Disconnect())
    now.connect(Connect(()))
    now.load(LoadEntries(ROOM, 0, 9))
    now.put(now.session.rooms[ROOM].with_state(name="Otra"))
    now.keep_evidence(ROOM, "code", b"proof")
    kinds = [type(each) for each in now.effects()]
    assert kinds == [Save, Transmit, Disconnect, Connect, LoadEntries, Reply, Emit]


def test_all_changes_of_a_turn_are_one_transaction() -> None:
    now = turn()
    now.session = replace(
        now.session,
        profile=replace(ANA, name="Ana María"),
        relay=replace(RELAY, counter=4),
    )
    now.put(now.session.rooms[ROOM].with_state(name="Otra"))
    now.put(Room(b"n" * 16, RoomState(RoomStatus.JOINING)))
    now.keep_evidence(ROOM, "code", b"proof")
    (save,) = now.effects()
    assert isinstance(save, Save)
    kinds = [type(change) for change in save.changes]
    assert kinds == [PutProfile, PutRelay, PutRoom, PutRoom, PutEvidence]
    (proof,) = saved([save], PutEvidence)
    assert proof.row == EvidenceRow(ROOM, NOW, "code", b"proof")


def test_a_room_that_is_forgotten_is_dropped_from_the_disk() -> None:
    now = turn()
    now.put(Room(b"n" * 16, RoomState(RoomStatus.JOINING)))
    now.forget_room(ROOM)
    now.forget_room(b"n" * 16)
    now.forget_room(b"unknown")
    assert now.effects() == [Save((DropRoom(ROOM),))]
    assert now.room(ROOM) is None


def test_what_is_only_under_way_is_not_saved() -> None:
    now = turn()
    now.put(now.session.rooms[ROOM].with_live(paused=7))
    now.set_link(phase=Phase.OPEN)
    assert now.effects() == []
    assert now.is_open
    assert now.link.phase is Phase.OPEN


def test_a_room_that_is_put_back_as_it_was_costs_nothing() -> None:
    now = turn()
    before = now.session
    assert now.put(before.rooms[ROOM]) is before.rooms[ROOM]
    assert now.session is before


def test_requests_are_numbered_and_found_by_their_number_once() -> None:
    now = turn()
    now.request(lambda number: frames.FetchEntries(number, ROOM, 5), ToFetch(ROOM))
    now.request(lambda number: frames.FetchEntries(number, ROOM, 6), ToFetch(ROOM))
    assert now.effects() == [
        Transmit(frames.FetchEntries(1, ROOM, 5)),
        Transmit(frames.FetchEntries(2, ROOM, 6)),
    ]
    assert now.take_request(2) == ToFetch(ROOM)
    assert now.take_request(2) is None
    assert now.take_request(1) == ToFetch(ROOM)


def test_request_numbers_begin_anew_before_they_are_too_large() -> None:
    now = turn(next_request=2**32 - 1)
    now.request(frames.ListRooms, ForRooms())
    assert now.effects() == [Transmit(frames.ListRooms(2**32 - 1))]
    assert now.session.next_request == 1


def test_it_is_known_whether_rooms_were_asked_for() -> None:
    now = turn()
    assert not now.is_asking_rooms
    now.request(frames.ListRooms, ForRooms())
    assert now.is_asking_rooms


def test_transfers_are_numbered_and_found_once() -> None:
    now = turn()
    up = Transfer(ROOM, b"digest", is_upload=True)
    down = Transfer(ROOM, b"blob", is_upload=False)
    now.transfer(lambda number: UploadBlob(number, b"b", b"t", b"data"), up)
    now.transfer(lambda number: DownloadBlob(number, b"b", b"t", 4), down)
    assert now.effects() == [
        UploadBlob(1, b"b", b"t", b"data"),
        DownloadBlob(2, b"b", b"t", 4),
    ]
    assert now.take_transfer(2) == down
    assert now.take_transfer(2) is None
    assert now.take_transfer(1) == up


@pytest.mark.parametrize("number", [1, 0])
def test_a_command_is_answered(number: int) -> None:
    now = turn()
    now.reply(number, Carried())
    assert now.effects() == [Reply(number, Carried())]


def test_what_nobody_asked_is_not_answered() -> None:
    now = turn()
    now.reply(None, Carried())
    assert now.effects() == []


def test_randomness_is_the_session_s_own() -> None:
    assert turn().rng(8) == seeded("turn")(8)
