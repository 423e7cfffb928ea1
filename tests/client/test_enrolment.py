"""A copied vault becomes another device, and shuts the former one out last."""

from dataclasses import replace

import pytest

from tertulia.client import enrolment
from tertulia.client.commands import CreateRoom, SendText
from tertulia.client.effects import Asked
from tertulia.client.errors import RelayRefusedError
from tertulia.client.events import EVERYWHERE, MessageMoved, Warned
from tertulia.client.identity import device_list
from tertulia.client.requests import ForDeviceList, ForDevices
from tertulia.client.room import Pending, Room, RoomState
from tertulia.client.rows import ProfileRow
from tertulia.client.turn import Turn
from tertulia.client.views import MessageState, RoomStatus
from tertulia.client.work import Introduce
from tertulia.wire import SignedDeviceList, frames
from tests.client.script import (
    alter,
    answers,
    emitted,
    group_of,
    room_of,
    sent,
)
from tests.client.world import Device, World


def circle() -> tuple[bytes, Device, Turn]:
    """Return a room, somebody in it, and a turn in which something happens."""
    world = World()
    room, (ana, _) = world.circle("Ana", "Luis")
    return room, ana, Turn(ana.session, world.now)


def other_device(profile: ProfileRow) -> ProfileRow:
    return replace(profile, device=b"d" * 16)


def listed(profile: ProfileRow) -> frames.DeviceListed:
    """Return a device list, as the relay gives it."""
    return frames.DeviceListed(1, device_list(profile, 4).encode())


def known(turn: Turn) -> int | None:
    """Return the number of the list that was noted."""
    devices = turn.session.devices
    return None if devices is None else devices.number


def published(turn: Turn) -> SignedDeviceList:
    (frame,) = sent(turn.effects(), frames.PublishDeviceList)
    return SignedDeviceList.decode(frame.devices)


def test_another_device_has_new_keys_under_the_same_account() -> None:
    _, ana, turn = circle()
    before = ana.session.profile
    assert enrolment.renew(turn)
    after = turn.session.profile
    assert after.account_public == before.account_public
    assert after.device != before.device
    assert after.device_key != before.device_key
    assert after.created == turn.now
    assert emitted(turn.effects(), Warned) == [Warned(EVERYWHERE, "vault_cloned")]


def test_a_linked_device_cannot_make_itself_another() -> None:
    _, ana, turn = circle()
    profile = replace(ana.session.profile, account_key=None)
    turn.session = replace(turn.session, profile=profile)
    assert not enrolment.renew(turn)
    assert turn.session.profile == profile


def test_what_waited_may_be_said_already_and_is_not_said_again() -> None:
    room, ana, _ = circle()
    ana.feed(Asked(77, SendText(room, "hola")))
    pending = Pending(b"k" * 16, 1, bytes(32), group_of(ana, room))
    alter(ana, replace(room_of(ana, room), pending=pending).with_state(doubt=9))
    turn = Turn(ana.session, ana.world.now)
    enrolment.change_profile(turn, other_device(ana.session.profile))
    kept = turn.session.rooms[room]
    assert (kept.state.status, kept.state.doubt) == (RoomStatus.LOST, None)
    assert (kept.outbox, kept.pending) == ((), None)
    (moved,) = emitted(turn.effects(), MessageMoved)
    assert (moved.state, moved.reason) == (MessageState.FAILED, "vault_cloned")


def test_a_room_that_nobody_else_has_yet_goes_with_the_device_that_made_it() -> None:
    world = World()
    ana = world.person("Ana", connect=False)
    world.reachable = False
    ana.feed(Asked(77, CreateRoom("mine")))
    ((room, _),) = ana.session.rooms.items()
    turn = Turn(ana.session, world.now)
    enrolment.change_profile(turn, other_device(ana.session.profile))
    (error,) = answers(turn.effects())
    assert isinstance(error, RelayRefusedError)
    assert error.reason == "cloned"
    assert turn.session.rooms[room].state.status is RoomStatus.LEFT


def test_rooms_that_are_over_are_not_come_back_to() -> None:
    room, ana, turn = circle()
    over = Room(room, RoomState(RoomStatus.LEFT))
    turn.put(over)
    enrolment.change_profile(turn, other_device(ana.session.profile))
    assert turn.session.rooms[room] == over


def test_another_name_is_carried_into_the_rooms_one_is_in() -> None:
    room, ana, turn = circle()
    turn.put(Room(b"o" * 16, RoomState(RoomStatus.LEFT)))
    enrolment.change_profile(turn, replace(ana.session.profile, name="Ana María"))
    (wish,) = turn.session.rooms[room].live.wishes
    assert wish.aim == Introduce()
    assert turn.session.rooms[b"o" * 16].live.wishes == ()
    turn = Turn(ana.session, 0)
    enrolment.change_profile(turn, ana.session.profile)
    assert turn.effects() == []


# The device list


def test_the_first_list_is_published_and_a_later_one_is_looked_at() -> None:
    _, ana, turn = circle()
    enrolment.ask_devices(turn, 0)
    assert published(turn).devices.number == 1
    assert ForDevices() in turn.session.requests.values()
    turn = Turn(ana.session, 0)
    enrolment.ask_devices(turn, 3)
    (fetch,) = sent(turn.effects(), frames.FetchDeviceList)
    assert fetch.account == ana.account
    assert ForDeviceList() in turn.session.requests.values()


def test_a_linked_device_leaves_the_list_to_the_first_one() -> None:
    _, ana, turn = circle()
    profile = replace(ana.session.profile, account_key=None)
    turn.session = replace(turn.session, profile=profile)
    enrolment.ask_devices(turn, 0)
    assert turn.effects()[1:] == []


def test_only_the_account_s_own_list_counts() -> None:
    _, ana, turn = circle()
    stranger = World(seed=9).person("Eva").session.profile
    for frame in (
        frames.DeviceListed(1, b"garbage"),
        listed(stranger),
        frames.Done(1),
    ):
        enrolment.devices_listed(turn, frame)
        assert known(turn) is None
    good = listed(ana.session.profile)
    spoilt = good.devices[:-1] + bytes((good.devices[-1] ^ 1,))
    enrolment.devices_listed(turn, frames.DeviceListed(1, spoilt))
    assert known(turn) is None
    enrolment.devices_listed(turn, good)
    assert known(turn) == 4


def test_where_no_other_device_is_listed_nobody_is_revoked() -> None:
    _, ana, turn = circle()
    enrolment.revoke_former(turn)
    enrolment.devices_listed(turn, listed(ana.session.profile))
    enrolment.revoke_former(turn)
    assert turn.effects() == []
    assert turn.session.devices is None


@pytest.mark.parametrize("has_room", [True, False])
def test_the_former_device_is_revoked_when_no_room_needs_it(
    has_room: bool,  # noqa: FBT001
) -> None:
    room, ana, turn = circle()
    former = ana.session.profile
    enrolment.devices_listed(turn, listed(former))
    enrolment.change_profile(turn, other_device(former))
    if not has_room:
        turn.put(Room(room, RoomState(RoomStatus.LEFT)))
    enrolment.revoke_former(turn)
    if has_room:
        assert sent(turn.effects(), frames.PublishDeviceList) == []
        assert turn.session.devices is not None
        return
    said = published(turn).devices
    assert said.number == 5
    assert said.revoked == (former.device,)
    assert [each.device for each in said.devices] == [b"d" * 16]


def test_it_is_known_whose_leaf_a_room_has() -> None:
    room, ana, _ = circle()
    profile = ana.session.profile
    kept = room_of(ana, room)
    assert not enrolment.is_former(profile, kept)
    assert enrolment.is_former(other_device(profile), kept)
    assert not enrolment.is_former(other_device(profile), replace(kept, group=None))


def test_all_of_it_happens_over_the_relay() -> None:
    world = World()
    room, (ana, luis) = world.circle("Ana", "Luis")
    ana.get(CreateRoom("Otra"))
    former = ana.device
    ana.session = replace(ana.session, link=replace(ana.session.link, is_copied=True))
    ana.say(room, "still me")
    world.wait(5_000)
    assert ana.device != former
    for name in ana.session.rooms:
        assert room_of(ana, name).is_member
    ana.say(room, "hola")
    assert luis.texts(room)[-1] == "hola"
