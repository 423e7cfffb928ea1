"""What is done next: one thing after the other, and nothing before its time."""

from copy import deepcopy
from dataclasses import replace
from typing import Any

import pytest

from tertulia.client import limits
from tertulia.client.commands import ChangeRoom, CreateRoom, LeaveRoom, SendText
from tertulia.client.effects import (
    Asked,
    EntriesLoaded,
    LoadEntries,
    NetworkChanged,
    Ticked,
)
from tertulia.client.requests import ForRooms, ToFollow
from tertulia.client.room import Pending, Room, RoomState, Route
from tertulia.client.rows import EntryRow
from tertulia.client.views import RoomStatus
from tertulia.client.work import Admission, Checking, Publication, Refresh
from tertulia.wire import ErrorCode, frames
from tests.client.script import (
    alter,
    answer,
    asked_for,
    group_of,
    outline,
    refuse,
    room_of,
    run_until,
    sent,
    status,
)
from tests.client.world import Device, World


def circle(*names: str) -> tuple[bytes, list[Device]]:
    return World().circle(*names)


def does(device: Device, room: Room) -> list[str]:
    """Return what somebody does next whose room stands like this."""
    alter(device, room)
    effects = device.feed(Ticked())
    device.outbound.clear()
    return outline(effects)


def with_live(device: Device, room: bytes, **changes: Any) -> list[str]:
    return does(device, room_of(device, room).with_live(**changes))


# Whom the relay shuts out


def test_who_is_shut_out_answers_whoever_waits() -> None:
    _, (ana, _) = circle("Ana", "Luis")
    answer(ana, frames.Goodbye(ErrorCode.BANNED))
    assert outline(ana.feed(Asked(77, CreateRoom("mine")))) == [
        "Reply RelayRefusedError",
        "Emit RoomChanged",
    ]


# Which step comes next


def test_who_is_up_to_date_does_nothing() -> None:
    room, (ana, _) = circle("Ana", "Luis")
    assert does(ana, room_of(ana, room)) == []


def test_first_it_is_asked_what_may_be_read_once_for_all_rooms() -> None:
    world = World()
    ana = world.person("Ana")
    for name in ("Una", "Otra"):
        ana.get(CreateRoom(name))
    ana.inbox.append(NetworkChanged())
    run_until(ana, frames.ListRooms)
    assert [type(each) for each in ana.session.requests.values()].count(ForRooms) == 1
    assert ana.feed(Ticked()) == []


def test_then_it_follows_then_it_reads() -> None:
    room, (ana, _) = circle("Ana", "Luis")
    assert with_live(ana, room, followed=False, current=False) == [
        "Transmit FollowRoom"
    ]
    assert with_live(ana, room) == []
    assert with_live(ana, room, following=False, followed=True) == [
        "Transmit FetchEntries"
    ]
    assert with_live(ana, room) == []


@pytest.mark.parametrize(
    "changes",
    [
        {"stopped": True},
        {"paused": 10**15},
        {"route": Route.UNKNOWN, "paused": 10**15},
        {"following": True},
        {"fetching": True},
    ],
    ids=lambda changes: next(iter(changes)),
)
def test_who_waits_waits(changes: dict[str, Any]) -> None:
    room, (ana, _) = circle("Ana", "Luis")
    assert with_live(ana, room, current=False, followed=False, **changes) == []


@pytest.mark.parametrize(
    "over", [RoomStatus.LEFT, RoomStatus.REMOVED, RoomStatus.OUTDATED]
)
def test_in_a_room_that_is_over_nothing_is_done(over: RoomStatus) -> None:
    room, (ana, _) = circle("Ana", "Luis")
    changed = room_of(ana, room).with_state(status=over)
    assert does(ana, changed.with_live(current=False, followed=False)) == []


def test_offline_nothing_is_done() -> None:
    world = World()
    room, (ana, _) = world.circle("Ana", "Luis")
    world.reachable = False
    world.cut(ana)
    world.settle()
    assert outline(ana.feed(Asked(77, ChangeRoom(room, "Otra")))) == []


def test_a_new_room_is_founded_and_a_link_is_asked_with() -> None:
    room, (ana, _) = circle("Ana", "Luis")
    kept = room_of(ana, room)
    new = kept.with_state(founded=False)
    assert does(ana, new) == ["Transmit CreateRoom"]
    assert with_live(ana, room) == []
    (link,) = kept.links.values()
    joining = Room(room, RoomState(RoomStatus.JOINING, link=link))
    assert does(ana, joining.with_live(route=Route.NONE)) == [
        "Transmit RequestAdmission"
    ]
    assert with_live(ana, room) == []


def test_who_lost_the_thread_asks_for_the_group_once() -> None:
    room, (ana, luis) = circle("Ana", "Luis")
    lost = room_of(ana, room).with_state(status=RoomStatus.LOST)
    assert does(ana, lost) == ["Transmit FetchGroup"]
    assert with_live(ana, room) == []
    pending = Pending(b"k" * 16, 1, bytes(32), group_of(luis, room))
    assert does(ana, replace(lost, pending=pending)) == []


def test_who_left_perhaps_asks_that_first_and_once() -> None:
    room, (_, luis) = circle("Ana", "Luis")
    luis.feed(Asked(77, LeaveRoom(room)))
    luis.outbound.clear()
    lost = room_of(luis, room).with_state(status=RoomStatus.LOST)
    assert does(luis, lost.with_live(in_flight=None)) == ["Transmit Leave"]
    assert with_live(luis, room) == []


# A member's part


def test_a_handshake_that_is_not_in_the_log_never_will_be() -> None:
    room, (ana, luis) = circle("Ana", "Luis")
    pending = Pending(b"k" * 16, 1, bytes(32), group_of(luis, room))
    waiting = replace(room_of(ana, room), pending=pending)
    assert does(ana, waiting) == ["Save"]
    assert room_of(ana, room).pending is None


def test_a_handshake_on_its_way_is_waited_for() -> None:
    world = World()
    room, (ana, _) = world.circle("Ana", "Luis")
    ana.ask(ChangeRoom(room, "Otra"))
    run_until(ana, frames.Commit)
    assert ana.feed(Ticked()) == []
    assert room_of(ana, room).pending is not None
    # A text that is asked for meanwhile waits for it.
    assert sent(ana.feed(Asked(77, SendText(room, "hola"))), frames.Append) == []


def test_wishes_come_before_looking_after_the_advice() -> None:
    world = World()
    room, (ana, _) = world.circle("Ana", "Luis")
    due = room_of(ana, room).with_live(repair_at=world.now)
    assert does(ana, due) == ["Transmit FetchGroup"]
    assert isinstance(room_of(ana, room).live.work, Checking)
    alter(ana, due)
    effects = ana.feed(Asked(77, ChangeRoom(room, "Otra")))
    assert outline(effects) == ["Save", "Transmit Commit"]


def test_who_is_asked_to_mends_the_advice_but_wishes_come_first() -> None:
    world = World()
    room, (ana, _) = world.circle("Ana", "Luis")
    asked = room_of(ana, room).with_live(reported=True)
    assert does(ana, asked) == ["Transmit BeginUpload"]
    assert isinstance(room_of(ana, room).live.work, Publication)
    unsure = asked.with_state(unconfirmed=True)
    assert "Transmit BeginUpload" not in does(ana, unsure)
    assert room_of(ana, room).live.work is None
    alter(ana, asked)
    effects = ana.feed(Asked(77, ChangeRoom(room, "Otra")))
    assert outline(effects) == ["Save", "Transmit Commit"]


def test_what_is_due_later_is_not_done_now() -> None:
    world = World()
    room, (ana, _) = world.circle("Ana", "Luis")
    later = world.now + 1
    assert with_live(ana, room, repair_at=later, greet_at=later, clean_at=later) == []
    assert ana.session.wake_at == later


def test_a_greeting_goes_out_when_it_is_due() -> None:
    world = World()
    room, (ana, _) = world.circle("Ana", "Luis")
    assert with_live(ana, room, greet_at=world.now) == ["Save", "Transmit Append"]
    assert room_of(ana, room).live.greet_at is None


def test_fresh_keys_are_wished_once_though_two_reasons_are_there() -> None:
    world = World()
    room, (ana, _) = world.circle("Ana", "Luis")
    tired = room_of(ana, room).with_state(sent=limits.REFRESH_MESSAGES)
    done = does(ana, tired.with_live(clean_at=world.now))
    assert done == ["Save", "Transmit Commit"]
    assert [type(each.aim) for each in room_of(ana, room).live.wishes] == [Refresh]
    assert with_live(ana, room, clean_at=world.now) == []
    assert len(room_of(ana, room).live.wishes) == 1


def test_in_doubt_nothing_is_made() -> None:
    world = World()
    room, (ana, _) = world.circle("Ana", "Luis")
    doubtful = room_of(ana, room).with_state(doubt=2, sent=limits.REFRESH_MESSAGES)
    assert does(ana, doubtful.with_live(greet_at=world.now)) == []
    wake = ana.session.wake_at
    assert wake is None or wake > world.now


# Being woken


def test_who_waits_for_nothing_is_woken_for_fresh_keys() -> None:
    _, (ana, _) = circle("Ana", "Luis")
    ana.feed(Ticked())
    wake = ana.session.wake_at
    assert wake is not None
    assert wake - ana.world.now > limits.REFRESH_TIME - 100_000


def test_without_rooms_nobody_is_woken() -> None:
    assert World().person("Ana").session.wake_at is None


def test_offline_one_is_woken_to_try_again() -> None:
    world = World()
    _, (ana, _) = world.circle("Ana", "Luis")
    world.reachable = False
    world.cut(ana)
    world.settle()
    assert ana.session.wake_at == ana.session.link.retry_at


@pytest.mark.parametrize(
    "changes",
    [
        {"greet_at": 5},
        {"clean_at": 5},
        {"repair_at": 5},
        {"paused": 5},
    ],
    ids=lambda changes: next(iter(changes)),
)
def test_one_is_woken_for_what_is_next(changes: dict[str, int]) -> None:
    room, (ana, _) = circle("Ana", "Luis")
    ((name, wait),) = changes.items()
    with_live(ana, room, **{name: ana.world.now + wait})
    assert ana.session.wake_at == ana.world.now + wait


def test_nobody_is_woken_for_what_cannot_be_done() -> None:
    room, (ana, _) = circle("Ana", "Luis")
    now = ana.world.now
    busy = room_of(ana, room).with_live(work=Admission(), repair_at=now)
    does(ana, busy)
    wake = ana.session.wake_at
    assert wake is None or wake > now
    alter(ana, room_of(ana, room).with_live(work=None, current=False, fetching=True))
    ana.feed(Ticked())
    wake = ana.session.wake_at
    assert wake is None or wake > now


def test_a_pause_of_one_room_stops_no_other() -> None:
    world = World()
    ana = world.person("Ana")
    first = ana.get(CreateRoom("Una")).room
    second = ana.get(CreateRoom("Otra")).room
    with_live(ana, first, paused=world.now + 9_000)
    ana.say(second, "hola")
    assert room_of(ana, second).outbox == ()
    ana.say(first, "later")
    assert len(room_of(ana, first).outbox) == 1
    world.wait(9_000)
    assert room_of(ana, first).outbox == ()


# Giving back what a restored relay lost


def refeeding() -> tuple[bytes, Device, EntriesLoaded]:
    """Return somebody who looks up what its relay lost."""
    world = World()
    room, (ana, _) = world.circle("Ana", "Luis")
    ana.say(room, "one")
    ana.say(room, "two")
    ana.inbox.append(NetworkChanged())
    run_until(ana, frames.FollowRoom)
    effects = refuse(ana, ToFollow, ErrorCode.BEHIND, place=2)
    assert effects == [LoadEntries(room, 2, limits.REFEED_ENTRIES)]
    (loaded,) = ana.inbox
    ana.inbox.clear()
    assert isinstance(loaded, EntriesLoaded)
    return room, ana, loaded


def test_while_it_looks_it_does_nothing_else() -> None:
    room, ana, _ = refeeding()
    assert ana.feed(Ticked()) == []
    assert room_of(ana, room).live.fetching


def test_only_what_the_relay_signed_for_is_given_back() -> None:
    room, ana, loaded = refeeding()
    last = loaded.rows[-1]
    beyond = EntryRow(room, last.place + 1, last.hash, last.entry)
    effects = ana.feed(EntriesLoaded(room, (*loaded.rows, beyond)))
    (refeed,) = sent(effects, frames.Refeed)
    assert [entry.place for entry in refeed.entries] == [3, 4]


def comes_back(ana: Device, room: bytes) -> bool:
    """Whether Ana gave up what the relay lost, and comes back into what it has."""
    kept = room_of(ana, room)
    return (kept.state.status, kept.state.head, kept.live.refeeding) == (
        RoomStatus.LOST,
        None,
        None,
    )


@pytest.mark.parametrize("kept", [0, 1])
def test_what_is_no_longer_whole_is_not_given_back(kept: int) -> None:
    room, ana, loaded = refeeding()
    effects = ana.feed(EntriesLoaded(room, loaded.rows[:kept]))
    assert sent(effects, frames.Refeed) == []
    assert comes_back(ana, room)


def test_what_no_frame_holds_is_not_given_back() -> None:
    room, ana, loaded = refeeding()
    first, *rest = loaded.rows
    large = replace(first, entry=bytes(limits.REFEED_BYTES))
    assert sent(ana.feed(EntriesLoaded(room, (large, *rest))), frames.Refeed) == []
    assert comes_back(ana, room)


def test_without_a_signed_head_nothing_is_given_back() -> None:
    room, ana, loaded = refeeding()
    alter(ana, room_of(ana, room).with_state(head=None))
    ana.feed(loaded)
    assert comes_back(ana, room)
    room, ana, _ = refeeding()
    alter(ana, room_of(ana, room).with_state(head=None).with_live(fetching=False))
    ana.feed(Ticked())
    assert comes_back(ana, room)


def test_a_relay_that_has_all_it_signed_for_is_asked_anew() -> None:
    room, ana, _ = refeeding()
    alter(ana, room_of(ana, room).with_live(refeeding=4, fetching=False))
    ana.feed(Ticked())
    assert comes_back(ana, room)


def test_who_cannot_give_it_back_comes_back_and_goes_on() -> None:
    world = World()
    room, people = world.circle("Ana", "Luis")
    ana, luis = people
    kept = deepcopy(world.engine._rooms[room])
    ana.say(room, "one")
    ana.say(room, "two")
    world.engine._rooms[room] = kept
    for each in people:
        each.disk.entries.clear()
    world.restart_relay()
    world.wait(60_000)
    # Who is the first to enter again makes it another history for the second.
    for each in people:
        assert each.codes().count("out_of_step") <= 1
        assert each.codes().count("head_contradicted") <= 1
        assert status(each, room) is RoomStatus.MEMBER
    ana.say(room, "three")
    assert luis.texts(room) == ["one", "two", "three"]


@pytest.mark.parametrize("code", [ErrorCode.FORKED, ErrorCode.GONE])
def test_whose_log_does_not_go_on_asks_no_more_until_it_is_back(
    code: ErrorCode,
) -> None:
    world = World()
    _, (ana, _) = world.circle("Ana", "Luis")
    ana.inbox.append(NetworkChanged())
    run_until(ana, frames.FollowRoom)
    assert outline(refuse(ana, ToFollow, code))[0] == "Save"
    assert ana.session.wake_at == world.now + limits.STORAGE_PAUSE
    world.now += limits.STORAGE_PAUSE
    effects = ana.feed(Ticked())
    assert sent(effects, frames.FollowRoom) == []
    assert len(sent(effects, frames.FetchGroup)) == 1


def test_what_nobody_looks_for_any_more_is_let_be() -> None:
    room, ana, loaded = refeeding()
    alter(ana, room_of(ana, room).with_live(refeeding=None))
    assert ana.feed(loaded) == []
    assert ana.feed(EntriesLoaded(b"x" * 16, ())) == []


def test_a_restored_relay_and_its_people_go_on() -> None:
    room, ana, loaded = refeeding()
    (refeed,) = sent(ana.feed(loaded), frames.Refeed)
    ana.outbound.clear()
    answer(ana, frames.Done(refeed.request))
    assert room_of(ana, room).live.following
    number = asked_for(ana, ToFollow)
    head = room_of(ana, room).state.head
    assert head is not None
    answer(ana, frames.Followed(number, head, 1, 0, 1))
    ana.say(room, "three")
    assert ana.texts(room) == ["one", "two", "three"]
    assert status(ana, room) is RoomStatus.MEMBER


def test_rooms_that_go_while_others_are_looked_after_are_let_go() -> None:
    world = World()
    ana = world.person("Ana")
    room, link = world.room(ana)
    luis = world.person("Luis")
    joining = Room(room, RoomState(RoomStatus.JOINING, link=link))
    alter(luis, joining.with_live(route=Route.NONE))
    luis.feed(Ticked())
    luis.session = replace(luis.session, rooms={})
    assert luis.feed(Ticked()) == []


def test_a_copied_vault_is_another_device_before_anything_else() -> None:
    room, (ana, _) = circle("Ana", "Luis")
    before = ana.device
    ana.session = replace(ana.session, link=replace(ana.session.link, is_copied=True))
    effects = ana.feed(Ticked())
    assert "Connect" in outline(effects)
    assert ana.device != before
    assert status(ana, room) is RoomStatus.LOST
    ana.world.wait(5_000)
    assert status(ana, room) is RoomStatus.MEMBER
