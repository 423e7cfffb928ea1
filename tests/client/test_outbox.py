"""The outbox: what is in it is on the disk, and leaves it by the log alone."""

import pytest

from tertulia.client import outbox
from tertulia.client.content import Greeting, Leaving, Text, decode_content
from tertulia.client.effects import Reply
from tertulia.client.errors import NotMemberError
from tertulia.client.events import MessageArrived, MessageMoved, RoomChanged
from tertulia.client.messages import message_id, message_view
from tertulia.client.room import Room
from tertulia.client.rows import DropMessage, PutMessage, PutOutbox
from tertulia.client.turn import Turn
from tertulia.client.views import MessageKind, MessageState, RoomStatus
from tertulia.client.wishes import wish
from tertulia.client.work import Admission, Refresh
from tests.client.script import emitted, outline, room_of, saved
from tests.client.world import Device, World


def setting() -> tuple[Turn, Room, Device]:
    world = World()
    room, (ana, _) = world.circle("Ana", "Luis")
    return Turn(ana.session, world.now), room_of(ana, room), ana


def test_a_text_is_a_line_that_waits() -> None:
    turn, room, ana = setting()
    number = room.state.next_number
    room, name = outbox.enqueue(turn, room, Text("hola"))
    turn.put(room)
    (message,) = room.outbox
    assert (message.number, message.blob) == (number, b"")
    assert decode_content(message.content) == Text("hola")
    assert name == message_id(ana.device, message.key)
    assert room.state.next_number == number + 1
    effects = turn.effects()
    assert outline(effects) == ["Save", "Emit MessageArrived"]
    assert len(saved(effects, PutOutbox)) == 1
    (line,) = saved(effects, PutMessage)
    (shown,) = emitted(effects, MessageArrived)
    assert message_view(line.row, ana.session.profile) == shown.message
    assert (shown.message.state, shown.message.place) == (MessageState.QUEUED, None)
    assert shown.message.sender.is_me


def test_messages_are_in_the_order_in_which_they_were_said() -> None:
    turn, room, _ = setting()
    for text in ("one", "two"):
        room, _ = outbox.enqueue(turn, room, Text(text))
    first, second = room.outbox
    assert first.number < second.number
    assert first.key != second.key


@pytest.mark.parametrize("content", [Greeting(), Leaving(bytes(64))])
def test_what_is_no_text_is_no_line(content: Greeting | Leaving) -> None:
    turn, room, _ = setting()
    room, _ = outbox.enqueue(turn, room, content)
    assert turn.effects() == []
    if isinstance(content, Greeting):
        (message,) = room.outbox
        assert outbox.settle(turn, room, message, 40, 5_000).outbox == ()
        assert turn.effects() == []
        assert outbox.fail(turn, room, message, "room_full").outbox == ()
        assert turn.effects() == []


def test_the_log_gives_a_message_its_place_among_the_others() -> None:
    turn, room, ana = setting()
    room, name = outbox.enqueue(turn, room, Text("hola"))
    (message,) = room.outbox
    turn = Turn(ana.session, 0)
    room = outbox.settle(turn, room, message, 40, 5_000)
    assert room.outbox == ()
    effects = turn.effects()
    # The line is numbered anew, as the log has it.
    (save, *_) = effects
    assert [type(each) for each in save.changes] == [DropMessage, PutMessage]  # type: ignore[union-attr]
    (line,) = saved(effects, PutMessage)
    view = message_view(line.row, ana.session.profile)
    assert (view.state, view.place, view.time) == (MessageState.STORED, 40, 5_000)
    assert (view.message, view.text) == (name, "hola")
    assert emitted(effects, MessageMoved) == [
        MessageMoved(room.id, name, MessageState.STORED, 40, 5_000)
    ]


def test_what_was_told_is_not_told_again() -> None:
    turn, room, ana = setting()
    room, _ = outbox.enqueue(turn, room, Text("hola"))
    (message,) = room.outbox
    room = room.with_live(told=frozenset({message.key, b"other"}))
    room = room.with_live(in_flight=message.key)
    turn = Turn(ana.session, 0)
    room = outbox.settle(turn, room, message, 40, 5_000)
    assert outline(turn.effects()) == ["Save"]
    assert room.live.told == {b"other"}
    assert room.live.in_flight is None


def test_another_one_that_is_on_its_way_stays_so() -> None:
    turn, room, _ = setting()
    room, _ = outbox.enqueue(turn, room, Text("hola"))
    room = room.with_live(in_flight=b"other")
    (message,) = room.outbox
    settled = outbox.settle(turn, room, message, 40, 5_000)
    assert settled.live.in_flight == b"other"


def test_a_failed_message_says_why() -> None:
    turn, room, ana = setting()
    room, name = outbox.enqueue(turn, room, Text("hola"))
    (message,) = room.outbox
    turn = Turn(ana.session, 0)
    assert outbox.fail(turn, room, message, "room_full").outbox == ()
    effects = turn.effects()
    (line,) = saved(effects, PutMessage)
    view = message_view(line.row, ana.session.profile)
    assert (view.state, view.reason) == (MessageState.FAILED, "room_full")
    assert emitted(effects, MessageMoved) == [
        MessageMoved(room.id, name, MessageState.FAILED, reason="room_full")
    ]


def test_with_a_room_go_its_keys_and_what_waited() -> None:
    turn, room, ana = setting()
    room, _ = outbox.enqueue(turn, room, Text("hola"))
    room = room.with_live(greet_at=1, clean_at=2, repair_at=3)
    turn = Turn(ana.session, 0)
    room = outbox.end(turn, room, RoomStatus.LEFT)
    assert room.state.status is RoomStatus.LEFT
    assert room.group is None
    assert room.outbox == ()
    assert room.links == {}
    live = room.live
    assert (live.greet_at, live.clean_at, live.repair_at) == (None, None, None)
    effects = turn.effects()
    assert emitted(effects, RoomChanged) == [RoomChanged(room.id)]
    (moved,) = emitted(effects, MessageMoved)
    assert (moved.state, moved.reason) == (MessageState.FAILED, "left")


def test_who_is_about_to_enter_a_room_again_goes_on_with_that() -> None:
    turn, room, _ = setting()
    room = wish(turn, room, Refresh(), 7)
    room = room.with_state(status=RoomStatus.JOINING, former=RoomStatus.LOST)
    room = room.with_state(link="link", doubt=3)
    room = room.with_live(work=Admission(), in_flight=b"k" * 16)
    room = outbox.end(turn, room, RoomStatus.LEFT)
    state, live = room.state, room.live
    assert (state.status, state.former) == (RoomStatus.JOINING, RoomStatus.LEFT)
    assert (state.link, state.doubt) == ("link", None)
    assert (live.work, live.in_flight, live.wishes) == (Admission(), None, ())
    assert room.group is None


def test_who_waits_for_a_change_of_a_room_that_ends_is_told_so() -> None:
    turn, room, _ = setting()
    room = wish(turn, room, Refresh(), 7)
    outbox.end(turn, room, RoomStatus.REMOVED)
    (reply,) = [each for each in turn.effects() if isinstance(each, Reply)]
    assert (reply.number, type(reply.answer)) == (7, NotMemberError)


def test_my_own_goodbye_ends_the_room() -> None:
    turn, room, _ = setting()
    room, _ = outbox.enqueue(turn, room, Leaving(bytes(64)))
    (message,) = room.outbox
    room = outbox.settle(turn, room, message, 40, 5_000)
    assert room.state.status is RoomStatus.LEFT
    assert room.outbox == ()


def test_the_disk_and_the_faces_agree_at_every_moment() -> None:
    world = World()
    room, (ana, luis) = world.circle("Ana", "Luis")
    world.cut(ana)
    world.reachable = False
    world.settle()
    name = ana.say(room, "hola")
    assert ana.lines(room)[-1].state is MessageState.QUEUED
    assert len(ana.disk.outbox) == 1
    world.reachable = True
    world.wait(5_000)
    assert ana.lines(room)[-1].state is MessageState.STORED
    assert ana.disk.outbox == {}
    (moved,) = ana.seen(MessageMoved)
    assert (moved.message, moved.state) == (name, MessageState.STORED)
    assert [line.kind for line in luis.lines(room)][-1] is MessageKind.TEXT
