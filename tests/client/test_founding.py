"""Making a room: all of it on the disk before the relay hears of it."""

from dataclasses import replace

import pytest

from tertulia.client import limits
from tertulia.client.commands import ChangeRoom, CreateRoom, RoomMade
from tertulia.client.effects import Asked
from tertulia.client.errors import RelayRefusedError
from tertulia.client.links import parse_room_link
from tertulia.client.queries import invite_views, member_views
from tertulia.client.requests import ToCreate
from tertulia.client.room import Route
from tertulia.client.rows import PutEpoch, PutInvite, PutRoom
from tertulia.client.views import RoomStatus
from tertulia.client.work import Creating
from tertulia.crypto import CLASSICAL_SUITE, HYBRID_SUITE, NoMlKemError
from tertulia.wire import ErrorCode, first_hash, frames
from tests.client.script import (
    answer,
    answers,
    asked_for,
    group_of,
    outline,
    refuse,
    room_of,
    saved,
    sent,
    status,
)
from tests.client.world import Device, World
from tests.no_ml_kem import no_ml_kem


def made(device: Device) -> tuple[bytes, list[str]]:
    """Let somebody make a room; nothing comes back from the relay."""
    effects = device.feed(Asked(77, CreateRoom(" La tertulia ", "De todo")))
    device.outbound.clear()
    (room,) = device.session.rooms
    return room, outline(effects)


def asking(device: Device) -> bytes:
    """Let somebody make a room, up to the question whether it may."""
    room, _ = made(device)
    answer(device, frames.Rooms(device.session.next_request - 1, ()))
    device.outbound.clear()
    return room


def test_a_room_is_on_the_disk_first() -> None:
    ana = World().person("Ana")
    room, effects = made(ana)
    assert effects == ["Save", "Transmit ListRooms"]
    assert ana.disk.rooms.keys() == {room}
    assert len(ana.disk.invites) == 1


def test_a_room_begins_with_its_founder_and_a_link() -> None:
    ana = World().person("Ana")
    effects = ana.feed(Asked(77, CreateRoom(" La tertulia ", "De todo")))
    assert len(saved(effects, PutRoom)) == len(saved(effects, PutEpoch)) == 1
    (row,) = saved(effects, PutInvite)
    (room,) = ana.session.rooms
    kept = room_of(ana, room)
    assert kept.policy is not None
    assert (kept.policy.name, kept.policy.topic) == ("La tertulia", "De todo")
    assert kept.policy.owner == ana.session.profile.account_public
    assert (kept.state.name, kept.state.topic) == ("La tertulia", "De todo")
    assert (kept.state.place, kept.state.hash) == (0, first_hash(room))
    assert group_of(ana, room).context.group_id == room
    assert [view.is_owner for view in member_views(ana.session, room)] == [True]
    link = parse_room_link(row.row.link)
    assert (link.room, link.epoch, link.place) == (room, 0, 0)
    (view,) = invite_views(ana.session, room)
    assert (view.link, view.expires, view.uses) == (row.row.link, None, None)


@pytest.mark.parametrize(
    ("large", "suite"), [(False, HYBRID_SUITE), (True, CLASSICAL_SUITE)]
)
def test_keys_are_hybrid_unless_the_room_is_to_be_large(
    large: bool,  # noqa: FBT001
    suite: int,
) -> None:
    ana = World().person("Ana")
    effects = ana.feed(Asked(77, CreateRoom("La tertulia", large=large)))
    (row,) = saved(effects, PutInvite)
    (room,) = ana.session.rooms
    assert group_of(ana, room).context.cipher_suite == suite
    assert parse_room_link(row.row.link).suite == suite


@pytest.mark.parametrize("large", [False, True])
def test_a_room_keeps_its_suite(
    large: bool,  # noqa: FBT001
) -> None:
    world = World()
    room, (ana, luis) = world.circle("Ana", "Luis", large=large)
    suite = group_of(ana, room).suite
    luis.crash()
    luis.start()
    world.settle()
    ana.get(ChangeRoom(room, topic="De todo"))
    world.wait(1_000)
    ana.say(room, "hola")
    for device in (ana, luis):
        assert group_of(device, room).suite is suite
        assert group_of(device, room).context.epoch == 2
    assert luis.lines(room)[-1].text == "hola"


def test_then_the_relay_is_told_and_then_what_joiners_need() -> None:
    ana = World().person("Ana")
    room, _ = made(ana)
    effects = answer(ana, frames.Rooms(ana.session.next_request - 1, ()))
    assert sent(effects, frames.CreateRoom)[0].room == room
    assert room_of(ana, room).live.work == Creating()
    ana.outbound.clear()
    effects = answer(ana, frames.Done(asked_for(ana, ToCreate)))
    assert outline(effects) == ["Transmit BeginUpload"]


def test_the_command_is_answered_when_others_can_join() -> None:
    world = World()
    ana = world.person("Ana")
    said = ana.get(CreateRoom("La tertulia"))
    (room,) = ana.session.rooms
    assert said == RoomMade(room, invite_views(ana.session, room)[0].link or "")
    assert room_of(ana, room).state.founded


def test_a_room_made_offline_is_founded_later_once() -> None:
    world = World()
    ana = world.person("Ana")
    world.reachable = False
    world.cut(ana)
    world.settle()
    asked = ana.ask(CreateRoom("La tertulia"))
    world.wait(10_000)
    assert asked not in ana.replies
    ana.crash()
    ana.start()
    world.reachable = True
    world.wait(60_000)
    (room,) = ana.session.rooms
    assert room_of(ana, room).state.founded
    assert len(world.engine._rooms) == 1


def test_a_room_that_the_relay_has_since_an_earlier_try_is_gone_on_with() -> None:
    ana = World().person("Ana")
    asking(ana)
    effects = refuse(ana, ToCreate, ErrorCode.EXISTS)
    assert outline(effects) == ["Transmit BeginUpload"]


def test_a_relay_that_wants_no_more_rooms_ends_it() -> None:
    ana = World().person("Ana")
    room = asking(ana)
    effects = refuse(ana, ToCreate, ErrorCode.TOO_MANY)
    (error,) = answers(effects)
    assert isinstance(error, RelayRefusedError)
    assert error.reason == "too_many"
    assert status(ana, room) is RoomStatus.LEFT


def test_a_busy_relay_is_asked_again_later() -> None:
    world = World()
    ana = world.person("Ana")
    room = asking(ana)
    assert answers(refuse(ana, ToCreate, ErrorCode.RATE_LIMITED)) == []
    assert room_of(ana, room).live.paused == world.now + limits.STORAGE_PAUSE
    world.wait(limits.STORAGE_PAUSE)
    assert isinstance(ana.replies[77], RoomMade)


def test_an_answer_of_another_kind_changes_nothing() -> None:
    ana = World().person("Ana")
    asking(ana)
    assert answer(ana, frames.Rooms(asked_for(ana, ToCreate), ())) == []


@pytest.mark.parametrize("is_forgotten", [True, False])
def test_an_answer_for_a_room_that_is_over_changes_nothing(
    is_forgotten: bool,  # noqa: FBT001
) -> None:
    ana = World().person("Ana")
    room = asking(ana)
    number = asked_for(ana, ToCreate)
    kept = replace(room_of(ana, room), group=None).with_state(status=RoomStatus.LEFT)
    kept = kept.with_live(route=Route.NONE)
    rooms = {} if is_forgotten else {room: kept}
    ana.session = replace(ana.session, rooms=rooms)
    assert answer(ana, frames.Done(number)) == []


def test_without_ml_kem_only_large_rooms_are_made() -> None:
    ana = World().person("Ana")
    with no_ml_kem():
        (error,) = answers(ana.feed(Asked(77, CreateRoom("small"))))
        assert isinstance(error, NoMlKemError)
        assert not ana.session.rooms
        assert not ana.disk.rooms
        assert isinstance(ana.get(CreateRoom("large", large=True)), RoomMade)
