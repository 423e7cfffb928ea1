"""Chores: done once, by whoever's turn comes first, and not before they are due."""

from dataclasses import replace

import pytest

from tertulia.client import chores, limits
from tertulia.client.annotation import Annotation, InviteClaim, NoClaim
from tertulia.client.commands import CreateInvite, JoinRoom, LeaveRoom
from tertulia.client.content import Greeting, decode_content
from tertulia.client.effects import Ticked
from tertulia.client.room import Leaver, Room, RoomState
from tertulia.client.turn import Turn
from tertulia.client.views import RoomStatus
from tertulia.wire import frames
from tests.client.script import group_of, room_of, sent, status
from tests.client.society import change_of, policy_by
from tests.client.society import room_of as group_room
from tests.client.world import Device, World

DAY = 86_400_000


def circle(*names: str) -> tuple[bytes, list[Device]]:
    return World().circle(*names)


def turn_of(device: Device) -> Turn:
    return Turn(device.session, device.world.now)


# Greeting


def test_who_made_the_invite_owes_a_greeting() -> None:
    room, (ana, luis) = circle("Ana", "Luis")
    group = group_of(ana, room)
    (invite,) = room_of(ana, room).policy.invites  # type: ignore[union-attr]
    joining = Annotation(bytes(16), 0, bytes(32), InviteClaim(invite.invite, bytes(64)))
    change = replace(
        change_of(group_room("Ana", "Luis"), "Ana"), context_before=group.context
    )
    assert chores.owes_greeting(ana.session.profile, change, joining)
    assert not chores.owes_greeting(luis.session.profile, change, joining)
    other = replace(joining, claim=InviteClaim(b"x" * 16, bytes(64)))
    assert not chores.owes_greeting(ana.session.profile, change, other)
    assert not chores.owes_greeting(
        ana.session.profile, change, replace(joining, claim=NoClaim())
    )


def test_one_greeting_serves_all_who_join_meanwhile() -> None:
    world = World()
    ana = world.person("Ana")
    room, link = world.room(ana)
    joiners = [world.person(name) for name in ("Luis", "Eva", "Juan")]
    for joiner in joiners:
        joiner.ask(JoinRoom(link))
    world.settle()
    planned = room_of(ana, room).live.greet_at
    assert planned is not None
    assert planned <= world.now + limits.GREETING_PAUSE
    world.wait(limits.GREETING_PAUSE)
    assert room_of(ana, room).live.greet_at is None
    assert all(room_of(each, room).state.inviter == b"" for each in joiners)
    assert room_of(ana, room).state.sent == 1


def test_a_greeting_that_is_planned_stays_planned() -> None:
    room, (ana, _) = circle("Ana", "Luis")
    first = chores.plan_greeting(turn_of(ana), room_of(ana, room))
    assert first.live.greet_at == ana.world.now + limits.GREETING_PAUSE
    ana.world.now += 100
    assert chores.plan_greeting(turn_of(ana), first) == first


def test_what_a_greeter_says_is_a_greeting_and_no_line() -> None:
    room, (ana, luis) = circle("Ana", "Luis")
    ana.session = replace(
        ana.session,
        rooms={room: chores.plan_greeting(turn_of(ana), room_of(ana, room))},
    )
    ana.world.now += limits.GREETING_PAUSE
    assert len(sent(ana.feed(Ticked()), frames.Append)) == 1
    (message,) = room_of(ana, room).outbox
    assert decode_content(message.content) == Greeting()
    before = len(luis.lines(room))
    ana.world.settle()
    assert len(luis.lines(room)) == before
    assert room_of(ana, room).outbox == ()


# Cleaning and repair


def leaver_of(device: Device, room: bytes) -> Leaver:
    return Leaver(group_of(device, room).leaf_index, device.device, bytes(64))


def with_leavers(room: Room, *leavers: Leaver) -> Room:
    return room.with_state(leavers=leavers)


@pytest.mark.parametrize("rank", [0, 1, 2])
def test_each_waits_longer_than_those_before_it(rank: int) -> None:
    room, people = circle("Ana", "Luis", "Eva", "Juan")
    me = people[rank]
    going = with_leavers(room_of(me, room), leaver_of(people[3], room))
    planned = chores.plan_cleaning(turn_of(me), going).live.clean_at
    assert planned is not None
    wait = planned - me.world.now - limits.CLEANING_PAUSE
    assert rank * limits.RANK_PAUSE <= wait < (rank + 1) * limits.RANK_PAUSE
    repair = chores.plan_repair(turn_of(me), going).live.repair_at
    assert repair is not None
    wait = repair - me.world.now - limits.REPAIR_PAUSE
    assert rank * limits.RANK_PAUSE <= wait < (rank + 1) * limits.RANK_PAUSE


def test_who_leaves_has_no_rank() -> None:
    room, (ana, luis, eva) = circle("Ana", "Luis", "Eva")
    going = with_leavers(
        room_of(eva, room), leaver_of(ana, room), leaver_of(luis, room)
    )
    planned = chores.plan_cleaning(turn_of(eva), going).live.clean_at
    assert planned is not None
    assert planned - eva.world.now < limits.CLEANING_PAUSE + limits.RANK_PAUSE


def test_a_plan_is_kept_until_there_is_nothing_to_clean() -> None:
    room, (ana, luis) = circle("Ana", "Luis")
    going = with_leavers(room_of(ana, room), leaver_of(luis, room))
    planned = chores.plan_cleaning(turn_of(ana), going)
    ana.world.now += 100
    assert chores.plan_cleaning(turn_of(ana), planned) == planned
    repaired = chores.plan_repair(turn_of(ana), planned.with_live(repair_at=5))
    assert repaired.live.repair_at == 5
    assert repaired.live.review_at == ana.world.now + limits.REVIEW_PAUSE
    done = chores.plan_cleaning(turn_of(ana), with_leavers(planned))
    assert done.live.clean_at is None


def test_who_is_no_member_cleans_nothing() -> None:
    room, (ana, luis) = circle("Ana", "Luis")
    going = with_leavers(room_of(ana, room), leaver_of(luis, room))
    for other in (going.with_state(status=RoomStatus.LOST), replace(going, group=None)):
        assert chores.plan_cleaning(turn_of(ana), other).live.clean_at is None
    empty = Room(room, RoomState(RoomStatus.LOST))
    repaired = chores.plan_repair(turn_of(ana), empty)
    assert repaired.live.repair_at == ana.world.now + limits.REPAIR_PAUSE


def test_one_member_cleans_for_all() -> None:
    room, (ana, luis, eva, juan) = circle("Ana", "Luis", "Eva", "Juan")
    epoch = group_of(ana, room).context.epoch
    juan.get(LeaveRoom(room))
    ana.world.wait(20_000)
    for person in (ana, luis, eva):
        assert group_of(person, room).context.epoch == epoch + 1
        assert len(list(group_of(person, room).tree.members())) == 3
        assert room_of(person, room).live.clean_at is None


def test_when_the_first_is_away_the_next_one_cleans() -> None:
    room, (ana, luis, eva) = circle("Ana", "Luis", "Eva")
    ana.crash()
    eva.get(LeaveRoom(room))
    ana.world.wait(20_000)
    assert len(list(group_of(luis, room).tree.members())) == 2
    ana.start()
    ana.world.wait(20_000)
    assert len(list(group_of(ana, room).tree.members())) == 2
    assert group_of(ana, room).context.epoch == group_of(luis, room).context.epoch
    assert ana.codes() == luis.codes() == []


def test_what_is_refused_is_put_off() -> None:
    room, (ana, luis) = circle("Ana", "Luis")
    later = ana.world.now + limits.CHORE_PAUSE
    off = chores.put_off(turn_of(ana), room_of(ana, room).with_live(clean_at=1))
    assert (off.live.refresh_at, off.live.clean_at) == (later, None)
    assert chores.refresh_due(off.with_state(sent=limits.REFRESH_MESSAGES)) == later
    going = with_leavers(room_of(ana, room), leaver_of(luis, room))
    assert chores.put_off(turn_of(ana), going).live.clean_at == later


# Fresh keys


def test_keys_are_refreshed_after_a_week_and_up_to_a_day() -> None:
    now = 1_000
    state = RoomState(RoomStatus.MEMBER, refreshed=now)
    first = Room(bytes(16), state)
    last = Room(b"\xff" * 16, state)
    assert chores.refresh_due(first) == now + 7 * DAY
    assert now + 8 * DAY - 1 <= chores.refresh_due(last) <= now + 8 * DAY


def test_keys_are_refreshed_after_a_thousand_messages() -> None:
    state = RoomState(RoomStatus.MEMBER, refreshed=1_000, sent=999)
    room = Room(bytes(16), state)
    assert chores.refresh_due(room) == 1_000 + 7 * DAY
    assert chores.refresh_due(room.with_state(sent=1_000)) == 1_000


def test_a_device_refreshes_its_leaf_by_itself() -> None:
    room, (ana, luis) = circle("Ana", "Luis")
    before = {each: group_of(each, room).leaf.encryption_key for each in (ana, luis)}
    due = chores.refresh_due(room_of(ana, room))
    ana.world.wait(due - ana.world.now - 10_000)
    assert group_of(ana, room).leaf.encryption_key == before[ana]
    ana.world.wait(30_000)
    for each in (ana, luis):
        assert group_of(each, room).leaf.encryption_key != before[each]
        assert status(each, room) is RoomStatus.MEMBER
        assert each.codes() == []
    luis.say(room, "fresh")
    assert ana.texts(room) == ["fresh"]


def test_the_thousandth_message_brings_fresh_keys() -> None:
    room, (ana, luis) = circle("Ana", "Luis")
    before = group_of(ana, room).leaf.encryption_key
    ana.session = replace(
        ana.session,
        rooms={room: room_of(ana, room).with_state(sent=limits.REFRESH_MESSAGES - 1)},
    )
    ana.say(room, "one more")
    ana.world.settle()
    assert group_of(ana, room).leaf.encryption_key != before
    assert room_of(ana, room).state.sent == 0
    assert luis.texts(room) == ["one more"]


def test_the_owner_s_own_policy_lists_who_is_greeted() -> None:
    assert policy_by("Ana").invites == ()
    room, (ana, luis) = circle("Ana", "Luis")
    made = luis.get(CreateInvite(room))
    eva = ana.world.person("Eva")
    eva.get(JoinRoom(made.link))
    assert room_of(luis, room).live.greet_at is not None
    assert room_of(ana, room).live.greet_at is None
