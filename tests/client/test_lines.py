"""Lines that entries bring: stored first, then shown, each under its own name."""

from tertulia.client.events import MessageArrived, Warned
from tertulia.client.identity import member_of
from tertulia.client.lines import (
    keep_line,
    keep_notice,
    keep_void,
    member_of_device,
)
from tertulia.client.messages import message_id, message_view
from tertulia.client.notices import Notice
from tertulia.client.room import Room, RoomState
from tertulia.client.rows import PutEvidence, PutMessage
from tertulia.client.turn import Turn
from tertulia.client.views import MessageKind, MessageState, RoomStatus
from tertulia.wire import Kind, frames
from tests.client.script import (
    decode,
    emitted,
    group_of,
    outline,
    room_of,
    saved,
)
from tests.client.world import Device, World


def setting() -> tuple[Turn, Room, frames.Entry, Device]:
    """Return a turn of Ana's, in which something that Luis sent is looked at."""
    world = World()
    room, (ana, luis) = world.circle("Ana", "Luis")
    entry = frames.Entry(
        40, Kind.APPLICATION, luis.device, 5_000, b"k" * 16, 3, b"blob"
    )
    return Turn(ana.session, world.now), room_of(ana, room), entry, luis


def stored(turn: Turn) -> MessageArrived:
    """Return the one line that was stored, which is also the one that is shown."""
    effects = turn.effects()
    assert outline(effects)[0] == "Save"
    (change,) = saved(effects, PutMessage)
    (event,) = emitted(effects, MessageArrived)
    assert message_view(change.row, turn.session.profile) == event.message
    return event


def test_what_a_member_said_is_stored_and_shown() -> None:
    turn, room, entry, luis = setting()
    group = group_of(luis, room.id)
    keep_line(turn, room, entry, member_of(group.leaf), "hola")
    line = stored(turn).message
    assert (line.kind, line.text, line.state) == (
        MessageKind.TEXT,
        "hola",
        MessageState.RECEIVED,
    )
    assert (line.sender.account, line.sender.name, line.sender.is_me) == (
        luis.account,
        "Luis",
        False,
    )
    assert (line.message, line.place, line.time) == (
        message_id(entry.device, entry.key),
        40,
        5_000,
    )


def test_what_only_a_newer_program_knows_is_a_line_without_text() -> None:
    turn, room, entry, luis = setting()
    keep_line(turn, room, entry, member_of(group_of(luis, room.id).leaf), None)
    line = stored(turn).message
    assert (line.kind, line.text) == (MessageKind.UNKNOWN, "")


def test_several_notices_about_one_entry_are_several_lines() -> None:
    turn, room, entry, luis = setting()
    for index, text in enumerate(("one", "two")):
        notice = Notice(MessageKind.RENAMED_ROOM, luis.account, "Luis", text)
        keep_notice(turn, room, entry, notice, index)
    effects = turn.effects()
    names = [each.row.message for each in saved(effects, PutMessage)]
    assert names[0] == message_id(entry.device, entry.key)
    assert len(set(names)) == 2
    lines = [each.message for each in emitted(effects, MessageArrived)]
    assert [line.text for line in lines] == ["one", "two"]
    assert {line.sender.name for line in lines} == {"Luis"}


def test_a_void_entry_is_kept_as_proof_and_names_whose_device_sent_it() -> None:
    turn, room, entry, luis = setting()
    keep_void(turn, room, entry)
    line = stored(turn).message
    assert (line.kind, line.state) == (MessageKind.VOID, MessageState.VOID)
    assert (line.sender.account, line.sender.name) == (luis.account, "Luis")
    effects = turn.effects()
    (proof,) = saved(effects, PutEvidence)
    assert (proof.row.code, proof.row.room) == ("entry_void", room.id)
    assert decode(proof.row.data, frames.Entry) == entry
    assert emitted(effects, Warned) == [Warned(room.id, "entry_void", "Luis", 40)]


def test_a_void_entry_of_nobody_is_of_nobody() -> None:
    turn, room, entry, _ = setting()
    keep_void(
        turn, room, frames.Entry(40, entry.kind, b"x" * 16, 5_000, entry.key, 3, b"")
    )
    line = stored(turn).message
    assert (line.sender.account, line.sender.name) == (b"", "")


def test_without_keys_nobody_is_known() -> None:
    _, room, entry, luis = setting()
    member = member_of_device(room, luis.device)
    assert member is not None
    assert member.name == "Luis"
    assert member_of_device(room, b"x" * 16) is None
    empty = Room(room.id, RoomState(RoomStatus.LEFT))
    assert member_of_device(empty, entry.device) is None
