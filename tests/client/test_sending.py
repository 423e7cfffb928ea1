"""Sending the outbox: encrypted when it goes, in order, one at a time, once."""

from collections import deque
from collections.abc import Iterable
from dataclasses import replace

import pytest
from typing_extensions import override

from tertulia import mls
from tertulia.client import limits, sending
from tertulia.client.annotation import Annotation, NoClaim
from tertulia.client.commands import CreateInvite, LeaveRoom, SendText
from tertulia.client.effects import Asked, Ticked
from tertulia.client.events import MessageMoved, Warned
from tertulia.client.messages import message_id
from tertulia.client.requests import ToAppend
from tertulia.client.room import Route
from tertulia.client.rows import ChangeKeys, PutOutbox
from tertulia.client.sending import LATER
from tertulia.client.views import MessageState, RoomStatus
from tertulia.wire import ErrorCode, Kind, frames
from tests.client.script import (
    Rogue,
    alter,
    answer,
    asked_for,
    emitted,
    group_of,
    outline,
    refuse,
    room_of,
    run_until,
    saved,
    sent,
    signed_head,
    status,
)
from tests.client.world import Device, World


def circle(*names: str) -> tuple[bytes, list[Device]]:
    return World().circle(*names)


def send(device: Device, room: bytes, text: str = "hola") -> frames.Append:
    """Let somebody say something; return the frame, which does not get through."""
    device.commands += 1
    effects = device.feed(Asked(device.commands, SendText(room, text)))
    device.outbound.clear()
    (frame,) = sent(effects, frames.Append)
    return frame


def accepted(device: Device, room: bytes, place: int = 40) -> frames.Accepted:
    number = asked_for(device, ToAppend)
    head = signed_head(device.world, room, place, b"h" * 32)
    return frames.Accepted(number, place, 5_000, head)


def test_a_key_is_on_the_disk_before_its_ciphertext_is_on_the_wire() -> None:
    room, (ana, _) = circle("Ana", "Luis")
    effects = ana.feed(Asked(77, SendText(room, "hola")))
    assert outline(effects) == [
        "Save",
        "Transmit Append",
        "Emit MessageArrived",
        "Reply MessageKept",
    ]
    assert len(saved(effects, ChangeKeys)) == 1
    (row,) = saved(effects, PutOutbox)
    (frame,) = sent(effects, frames.Append)
    assert row.row.key == frame.key
    assert frame.blob in row.row.state


def test_a_message_says_what_its_sender_had_seen() -> None:
    room, (ana, _) = circle("Ana", "Luis")
    frame = send(ana, room)
    message = mls.decode_message(frame.blob)
    assert isinstance(message, mls.PrivateMessage)
    state = room_of(ana, room).state
    assert Annotation.decode(message.authenticated_data) == Annotation(
        frame.key, state.place, state.hash or b"", NoClaim()
    )
    assert frame.handshake == state.handshake


def test_a_text_of_any_small_size_looks_alike() -> None:
    room, (ana, _) = circle("Ana", "Luis")
    sizes = set()
    for text in ("x", "y" * 60):
        frame = send(ana, room, text)
        sizes.add(len(frame.blob))
        ana.world.cut(ana)
        ana.world.settle()
        ana.world.wait(2_000)
    assert len(sizes) == 1


def test_the_next_one_waits_until_the_one_before_came_by() -> None:
    room, (ana, _) = circle("Ana", "Luis")
    first = send(ana, room, "one")
    effects = ana.feed(Asked(78, SendText(room, "two")))
    assert sent(effects, frames.Append) == []
    effects = answer(ana, accepted(ana, room))
    assert outline(effects) == ["Save", "Emit MessageMoved"]
    assert emitted(effects, MessageMoved) == [
        MessageMoved(
            room, message_id(ana.device, first.key), MessageState.STORED, 40, 5_000
        )
    ]
    assert len(room_of(ana, room).outbox) == 2


def await_answer(device: Device, purpose: ToAppend) -> None:
    """Let the session wait for the answer to a message."""
    device.session = replace(device.session, requests={9: purpose}, next_request=10)


def test_what_was_told_is_not_told_again() -> None:
    room, (ana, _) = circle("Ana", "Luis")
    frame = send(ana, room)
    answer(ana, accepted(ana, room))
    await_answer(ana, ToAppend(room, frame.key))
    assert answer(ana, accepted(ana, room)) == []


@pytest.mark.parametrize("is_known", [True, False])
def test_an_answer_after_the_entry_itself_changes_nothing(
    is_known: bool,  # noqa: FBT001
) -> None:
    room, (ana, _) = circle("Ana", "Luis")
    ana.say(room, "hola")
    await_answer(ana, ToAppend(room if is_known else b"x" * 16, b"k" * 16))
    assert answer(ana, accepted(ana, room)) == []


def test_stale_in_the_same_epoch_sends_the_same_bytes_again() -> None:
    world = World()
    room, (ana, luis, eva) = world.circle("Ana", "Luis", "Eva")
    rogue = Rogue(eva, room)
    ana.commands += 1
    effects = ana.feed(Asked(ana.commands, SendText(room, "hola")))
    (first,) = sent(effects, frames.Append)
    held = list(ana.outbound)
    ana.outbound.clear()
    luis.alive = False
    rogue.publish(b"garbage", world.rng(16))
    ana.outbound.extend(held)
    seen = watch_appends(ana)
    world.settle()
    assert [frame.blob for frame in seen] == [first.blob]
    assert [frame.key for frame in seen] == [first.key]
    assert seen[0].handshake > first.handshake
    assert ana.texts(room) == ["hola"]


class Watched(deque[frames.FromClient]):
    """Frames to be sent; notes every message among them."""

    def __init__(self, waiting: Iterable[frames.FromClient]) -> None:
        super().__init__(waiting)
        self.seen: list[frames.Append] = []

    @override
    def append(self, frame: frames.FromClient, /) -> None:
        if isinstance(frame, frames.Append):
            self.seen.append(frame)
        super().append(frame)


def watch_appends(device: Device) -> list[frames.Append]:
    """Note every message that goes out from now on."""
    device.outbound = watched = Watched(device.outbound)
    return watched.seen


def test_stale_after_a_new_epoch_encrypts_anew_under_the_same_key() -> None:
    world = World()
    room, (ana, luis) = world.circle("Ana", "Luis")
    effects = ana.feed(Asked(77, SendText(room, "hola")))
    (first,) = sent(effects, frames.Append)
    held = list(ana.outbound)
    ana.outbound.clear()
    ana.alive = False
    luis.get(CreateInvite(room))
    ana.alive = True
    # Nothing of the new epoch has come here yet.
    ana.outbound.extend(held)
    seen = watch_appends(ana)
    world.cut(ana)
    world.wait(3_000)
    (second,) = seen
    assert second.key == first.key
    assert second.blob != first.blob
    epochs = []
    for frame in (first, second):
        message = mls.decode_message(frame.blob)
        assert isinstance(message, mls.PrivateMessage)
        epochs.append(message.epoch)
    assert epochs[1] == epochs[0] + 1
    assert luis.texts(room) == ana.texts(room) == ["hola"]


def test_stale_means_to_read_on_first() -> None:
    room, (ana, _) = circle("Ana", "Luis")
    send(ana, room)
    number = asked_for(ana, ToAppend)
    effects = answer(ana, frames.Stale(number, room, 9, ()))
    assert outline(effects) == ["Transmit FetchEntries"]
    assert room_of(ana, room).live.in_flight is None


def test_a_relay_cannot_keep_a_sender_busy_with_what_is_not_there() -> None:
    room, (ana, luis) = circle("Ana", "Luis")
    send(ana, room)
    ana.outbound.clear()
    answer(ana, frames.Stale(asked_for(ana, ToAppend), room, 9, ()))
    ana.world.settle()
    assert ana.session.wake_at == ana.world.now + limits.STORAGE_PAUSE
    assert room_of(ana, room).live.in_flight is None
    ana.world.wait(limits.STORAGE_PAUSE)
    assert len(luis.texts(room)) == 1


@pytest.mark.parametrize("code", sorted(LATER))
def test_where_the_relay_asks_for_a_pause_it_gets_one(code: ErrorCode) -> None:
    room, (ana, _) = circle("Ana", "Luis")
    for facts, pause in (
        ({}, limits.STORAGE_PAUSE),
        ({"retry_after": 700}, 700),
        ({"retry_after": 1}, limits.SHORTEST_PAUSE),
    ):
        if room_of(ana, room).live.in_flight is None:
            ana.world.wait(5_000)
            send(ana, room)
        assert refuse(ana, ToAppend, code, **facts) == []
        assert room_of(ana, room).live.paused == ana.world.now + pause
        assert ana.session.wake_at == ana.world.now + pause


def test_after_the_pause_it_goes_out() -> None:
    world = World()
    room, (ana, luis) = world.circle("Ana", "Luis")
    send(ana, room)
    refuse(ana, ToAppend, ErrorCode.UNAVAILABLE, retry_after=700)
    world.wait(600)
    assert luis.texts(room) == []
    world.wait(200)
    assert luis.texts(room) == ["hola"]


def test_a_relay_that_is_behind_is_fed() -> None:
    room, (ana, _) = circle("Ana", "Luis")
    send(ana, room)
    effects = refuse(ana, ToAppend, ErrorCode.BEHIND, place=1)
    assert outline(effects) == ["LoadEntries"]
    assert room_of(ana, room).live.refeeding == 1


def test_a_room_that_is_not_there_is_asked_for() -> None:
    room, (ana, _) = circle("Ana", "Luis")
    send(ana, room)
    # Not at once: a relay that lists what it denies must keep nobody busy.
    assert refuse(ana, ToAppend, ErrorCode.NOT_FOUND) == []
    ana.world.now += limits.SHORTEST_PAUSE
    assert ana.session.wake_at == ana.world.now
    assert outline(ana.feed(Ticked())) == ["Transmit ListRooms"]
    assert room_of(ana, room).live.route is Route.UNKNOWN
    assert len(room_of(ana, room).outbox) == 1


@pytest.mark.parametrize("code", [ErrorCode.ROOM_FULL, ErrorCode.TOO_LARGE])
def test_what_the_relay_will_never_take_has_failed(code: ErrorCode) -> None:
    room, (ana, _) = circle("Ana", "Luis")
    send(ana, room)
    effects = refuse(ana, ToAppend, code)
    assert outline(effects) == ["Save", "Emit MessageMoved"]
    (moved,) = emitted(effects, MessageMoved)
    assert (moved.state, moved.reason) == (MessageState.FAILED, code.value)
    assert room_of(ana, room).outbox == ()
    assert ana.lines(room)[-1].reason == code.value


def test_an_answer_of_another_kind_changes_nothing() -> None:
    room, (ana, _) = circle("Ana", "Luis")
    send(ana, room)
    assert answer(ana, frames.Done(asked_for(ana, ToAppend))) == []


def test_the_goodbye_goes_as_such_and_the_room_is_left() -> None:
    room, (_, luis) = circle("Ana", "Luis")
    effects = luis.feed(Asked(77, LeaveRoom(room)))
    assert outline(effects) == ["Save", "Transmit Leave", "Reply Carried"]
    luis.outbound.clear()
    effects = answer(luis, accepted(luis, room))
    assert status(luis, room) is RoomStatus.LEFT
    assert outline(effects) == ["Save", "Emit RoomChanged"]


def goodbye(luis: Device, room: bytes) -> None:
    """Let somebody say goodbye that ends before it hears an answer."""
    luis.feed(Asked(77, LeaveRoom(room)))
    (frame,) = luis.outbound
    assert isinstance(frame, frames.Leave)
    luis.crash()


@pytest.mark.parametrize("cleaned", [False, True])
def test_who_left_has_left_though_somebody_routed_it_anew(
    cleaned: bool,  # noqa: FBT001
) -> None:
    world = World()
    room, (ana, luis, eva) = world.circle("Ana", "Luis", "Eva")
    ana.ask(CreateInvite(room))
    named = run_until(ana, frames.Commit)
    goodbye(luis, room)
    assert world.deliver_adrift()
    ana.outbound.append(named)  # made before the goodbye was heard
    world.wait(10_000 if cleaned else 0)
    luis.start()
    world.wait(10_000)
    assert status(luis, room) is RoomStatus.LEFT
    assert len(list(group_of(eva, room).tree.members())) == 2
    assert ana.codes() == luis.codes() == eva.codes() == []


@pytest.mark.parametrize("stored", [False, True])
def test_who_lost_the_thread_asks_first_whether_it_left(
    stored: bool,  # noqa: FBT001
) -> None:
    world = World()
    room, (ana, luis, eva) = world.circle("Ana", "Luis", "Eva")
    goodbye(luis, room)
    if stored:
        world.deliver_adrift()
    world.adrift.clear()
    luis.start()
    alter(luis, room_of(luis, room).with_state(status=RoomStatus.LOST))
    said = run_until(luis, frames.Leave)
    assert said.handshake == 0, "to be taken by no relay that has not got it"
    luis.outbound.append(said)
    world.wait(10_000)
    assert status(luis, room) is RoomStatus.LEFT
    log = list(world.engine._rooms[room].entries.values())
    assert [entry.key for entry in log].count(said.key) == 1
    third = [entry for entry in log if entry.kind is Kind.HANDSHAKE][2]
    assert third.device == (ana.device if stored else luis.device)
    assert len(list(group_of(eva, room).tree.members())) == 2
    assert ana.codes() == luis.codes() == eva.codes() == []


@pytest.mark.parametrize("code", [ErrorCode.NOT_FOUND, *sorted(LATER)])
def test_who_is_refused_an_answer_whether_it_left(code: ErrorCode) -> None:
    room, (_, luis) = circle("Ana", "Luis")
    luis.feed(Asked(77, LeaveRoom(room)))
    luis.outbound.clear()
    alter(luis, room_of(luis, room).with_state(status=RoomStatus.LOST))
    effects = refuse(luis, ToAppend, code)
    kept = room_of(luis, room)
    assert kept.live.in_flight is None
    (message,) = kept.outbox
    if code in LATER:
        assert kept.live.paused > luis.world.now
        assert sending.goodbye(kept) == message
        assert sent(effects, frames.FetchGroup) == []
    else:
        assert sending.goodbye(kept) is None
        assert len(sent(effects, frames.FetchGroup)) == 1


def test_messages_count_towards_fresh_keys() -> None:
    room, (ana, _) = circle("Ana", "Luis")
    before = room_of(ana, room).state.sent
    ana.say(room, "one")
    ana.say(room, "two")
    assert room_of(ana, room).state.sent == before + 2
    assert group_of(ana, room).context.epoch == 1


def test_what_was_not_there_when_it_was_read_is_not_stored() -> None:
    room, (ana, _) = circle("Ana", "Luis")
    first = send(ana, room)
    (number,) = (
        number
        for number, purpose in ana.session.requests.items()
        if isinstance(purpose, ToAppend)
    )
    head = signed_head(ana.world, room, 2, room_of(ana, room).hashes[2])
    effects = answer(ana, frames.Accepted(number, 2, 5_000, head))
    assert emitted(effects, MessageMoved) == []
    assert emitted(effects, Warned) == [Warned(room, "entry_altered", place=2)]
    assert [kept.key for kept in room_of(ana, room).outbox] == [first.key]
    assert room_of(ana, room).live.paused > ana.world.now


def test_an_acknowledgement_is_proof() -> None:
    room, (ana, _) = circle("Ana", "Luis")
    send(ana, room)
    said = accepted(ana, room)
    answer(ana, said)
    assert room_of(ana, room).state.head == said.head
