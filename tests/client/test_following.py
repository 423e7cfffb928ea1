"""Reading the log: in order, without gaps, and only one history."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest
from msgspec.structs import replace as changed

from tertulia import mls
from tertulia.client import limits
from tertulia.client.commands import (
    ChangeRoom,
    CreateInvite,
    JoinRoom,
    LeaveRoom,
    RemoveMember,
    RoomJoined,
)
from tertulia.client.content import Text
from tertulia.client.effects import (
    Asked,
    Effect,
    EntriesLoaded,
    NetworkChanged,
    Ticked,
)
from tertulia.client.errors import RelayRefusedError
from tertulia.client.events import CatchingUp, Warned
from tertulia.client.identity import POLICY
from tertulia.client.requests import ForRooms, ToFetch, ToFollow, ToRefeed
from tertulia.client.room import Pending, Route
from tertulia.client.rows import PutEntry, PutEvidence, PutRoom
from tertulia.client.views import RoomStatus
from tertulia.client.work import Sent
from tertulia.wire import ErrorCode, Kind, frames
from tests.client.script import (
    Log,
    Rogue,
    alter,
    answer,
    answers,
    asked_for,
    decode,
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


def scene() -> tuple[bytes, Device, Rogue, Log]:
    """Return somebody, a member who says what it likes, and a log to write."""
    room, (ana, luis) = circle("Ana", "Luis")
    return room, ana, Rogue(luis, room), Log.after(ana, room)


def says(rogue: Rogue, log: Log, text: str, place: int | None = None) -> frames.Entry:
    """Return the entry of a text; it is not in the log yet."""
    blob = rogue.text(Text(text))
    return log.entry(blob, rogue.device.device, rogue.key, place=place)


def evidence(effects: Sequence[Effect]) -> list[str]:
    return [each.row.code for each in saved(effects, PutEvidence)]


def asked(device: Device, kind: type[Any]) -> bytes:
    """Connect anew, up to a question of a kind."""
    device.inbox.append(NetworkChanged())
    frame: Any = run_until(device, kind)
    name: bytes = getattr(frame, "room", b"")
    return name


# Live


def test_what_follows_is_taken_saved_and_shown() -> None:
    room, ana, rogue, log = scene()
    entry = says(rogue, log, "hola")
    effects = answer(ana, log.page(entry))
    assert outline(effects) == ["Save", "Emit MessageArrived"]
    (row,) = saved(effects, PutEntry)
    assert decode(row.row.entry, frames.Entry) == entry
    assert row.row.hash == log.hash
    state = room_of(ana, room).state
    assert (state.place, state.hash) == (log.place, log.hash)
    assert state.head == signed_head(ana.world, room, log.place, log.hash)


def test_a_page_is_one_transaction() -> None:
    room, ana, rogue, log = scene()
    entries = []
    for number in range(5):
        entry = says(rogue, log, f"text {number}", log.place + 1 + 2 * number)
        entries.append(entry)
    effects = answer(ana, log.page(*entries))
    assert outline(effects)[0] == "Save"
    assert len(saved(effects, PutEntry)) == 5
    assert len(saved(effects, PutRoom)) == 1
    assert ana.texts(room)[-5:] == [f"text {number}" for number in range(5)]


def test_what_came_already_is_ignored() -> None:
    room, ana, rogue, log = scene()
    page = log.page(says(rogue, log, "hola"))
    answer(ana, page)
    assert answer(ana, page) == []
    assert ana.texts(room) == ["hola"]


def test_of_a_page_that_overlaps_only_the_new_part_counts() -> None:
    room, ana, rogue, log = scene()
    before = log.hash
    one = says(rogue, log, "one")
    answer(ana, log.page(one))
    two = says(rogue, log, "two")
    page = log.page(two)
    both = changed(page, previous=before, entries=(one, two))
    effects = answer(ana, both)
    assert len(saved(effects, PutEntry)) == 1
    assert ana.texts(room) == ["one", "two"]


def test_a_gap_is_asked_for() -> None:
    room, ana, rogue, log = scene()
    log.page(says(rogue, log, "missed"))
    effects = answer(ana, log.page(says(rogue, log, "seen")))
    assert outline(effects) == ["Transmit FetchEntries"]
    (fetch,) = sent(effects, frames.FetchEntries)
    state = room_of(ana, room).state
    assert (fetch.room, fetch.after, fetch.hash) == (room, state.place, state.hash)
    assert room_of(ana, room).live.expected == log.place
    assert ana.texts(room) == []


def test_reordered_pushes_come_out_in_order() -> None:
    room, ana, rogue, log = scene()
    first = log.page(says(rogue, log, "one"))
    second = log.page(says(rogue, log, "two"))
    answer(ana, second)
    answer(ana, first)
    assert ana.texts(room) == ["one"]
    number = asked_for(ana, ToFetch)
    answer(ana, changed(second, request=number))
    assert ana.texts(room) == ["one", "two"]
    assert room_of(ana, room).live.current


def test_entries_that_do_not_rise_are_no_log() -> None:
    room, ana, rogue, log = scene()
    one = says(rogue, log, "one", 50)
    two = says(rogue, log, "two", 50)
    effects = answer(ana, log.page(one, two))
    assert saved(effects, PutEntry) == []
    assert outline(effects) == ["Transmit FetchEntries"]
    number = asked_for(ana, ToFetch)
    log = Log.after(ana, room)
    effects = answer(ana, log.page(one, two, request=number))
    assert evidence(effects) == ["head_contradicted"]
    assert ana.texts(room) == []


def test_pushes_for_rooms_that_are_not_read_are_let_be() -> None:
    room, ana, rogue, log = scene()
    page = log.page(says(rogue, log, "hola"))
    assert answer(ana, changed(page, entries=())) == []
    alter(ana, room_of(ana, room).with_state(status=RoomStatus.LEFT))
    assert answer(ana, page) == []
    assert answer(ana, changed(page, room=b"x" * 16)) == []


def test_before_the_first_page_a_push_is_a_gap() -> None:
    room, ana, rogue, log = scene()
    alter(ana, room_of(ana, room).with_state(hash=None))
    effects = answer(ana, log.page(says(rogue, log, "hola")))
    assert outline(effects) == ["Transmit FetchEntries"]
    assert room_of(ana, room).live.expected == log.place


# Catching up


def test_follow_first_then_fetch_until_there_is_no_more() -> None:
    world = World()
    room, (ana, luis) = world.circle("Ana", "Luis")
    world.cut(ana)
    world.settle()
    for number in range(3):
        luis.say(room, f"text {number}")
    assert asked(ana, frames.FollowRoom) == room
    follow = asked_for(ana, ToFollow)
    state = room_of(ana, room).state
    assert room_of(ana, room).live.following
    head = signed_head(world, room, state.place + 3, b"h" * 32)
    effects = answer(ana, frames.Followed(follow, head, 3, 0, 2))
    assert outline(effects) == ["Save", "Transmit FetchEntries"]
    world.cut(ana)
    world.wait(5_000)
    assert ana.texts(room) == [f"text {number}" for number in range(3)]


def test_pages_are_read_one_after_the_other() -> None:
    room, ana, rogue, log = scene()
    first = says(rogue, log, "one")
    log_page = log.page(first, more=True)
    second = says(rogue, log, "two")
    rest = log.page(second)
    final = signed_head(ana.world, room, log.place, log.hash)
    alter(ana, room_of(ana, room).with_live(current=False))
    assert outline(ana.feed(Ticked())) == ["Transmit FetchEntries"]
    page = changed(log_page, request=asked_for(ana, ToFetch), head=final)
    effects = answer(ana, page)
    assert outline(effects) == ["Save", "Transmit FetchEntries", "Emit MessageArrived"]
    effects = answer(ana, changed(rest, request=asked_for(ana, ToFetch)))
    assert sent(effects, frames.FetchEntries) == []
    assert room_of(ana, room).live.current
    assert ana.texts(room) == ["one", "two"]


def test_progress_is_told_when_there_is_much_to_read() -> None:
    room, ana, rogue, log = scene()
    start = log.place
    alter(ana, room_of(ana, room).with_live(current=False, start=start))
    ana.feed(Ticked())
    page = log.page(says(rogue, log, "one"), more=True)
    far = signed_head(ana.world, room, start + limits.PROGRESS_FROM, b"h" * 32)
    effects = answer(ana, changed(page, request=asked_for(ana, ToFetch), head=far))
    assert emitted(effects, CatchingUp) == [CatchingUp(room, 1, limits.PROGRESS_FROM)]


def test_an_answer_of_another_kind_or_for_no_room_changes_nothing() -> None:
    room, ana, rogue, log = scene()
    alter(ana, room_of(ana, room).with_live(current=False))
    ana.feed(Ticked())
    number = asked_for(ana, ToFetch)
    waiting = ana.session
    page = log.page(says(rogue, log, "hola"), request=number)
    ana.session = replace(waiting, rooms={})
    assert answer(ana, page) == []
    ana.session = waiting
    assert answer(ana, frames.Done(number)) == []


@pytest.mark.parametrize("kind", [ToFollow, ToRefeed])
def test_other_answers_change_nothing_either(kind: type[Any]) -> None:
    room, (ana, _) = circle("Ana", "Luis")
    ana.session = replace(ana.session, requests={9: kind(b"x" * 16)})
    assert answer(ana, frames.Done(9)) == []
    if kind is ToFollow:
        asked(ana, frames.FollowRoom)
        assert answer(ana, frames.Done(asked_for(ana, kind))) == []
        assert not room_of(ana, room).live.followed


# One history


def contradiction(ana: Device, head: frames.SignedHead) -> list[str]:
    """Return the evidence kept when the relay signs this."""
    asked(ana, frames.FollowRoom)
    number = asked_for(ana, ToFollow)
    effects = answer(ana, frames.Followed(number, head, 0, 0, 1))
    warnings = [each.code for each in emitted(effects, Warned)]
    assert warnings == evidence(effects)
    return warnings


def test_two_heads_that_contradict_each_other_are_proof() -> None:
    room, (ana, _) = circle("Ana", "Luis")
    old = room_of(ana, room).state.head
    assert old is not None
    other = signed_head(ana.world, room, old.place, b"x" * 32)
    assert contradiction(ana, other) == ["head_contradicted"]
    assert room_of(ana, room).state.head == old


def test_a_head_that_contradicts_what_was_read_is_proof() -> None:
    room, (ana, _) = circle("Ana", "Luis")
    place = room_of(ana, room).state.place
    other = signed_head(ana.world, room, place, b"x" * 32, b"other incarnatio")
    assert contradiction(ana, other) == ["head_contradicted"]


def test_a_head_that_somebody_else_signed_is_none() -> None:
    room, (ana, _) = circle("Ana", "Luis")
    old = room_of(ana, room).state.head
    assert old is not None
    assert contradiction(ana, changed(old, place=99)) == ["head_contradicted"]
    assert room_of(ana, room).state.head == old


def test_an_older_head_does_not_replace_a_newer_one() -> None:
    room, (ana, _) = circle("Ana", "Luis")
    old = room_of(ana, room).state.head
    assert old is not None
    hashes = room_of(ana, room).hashes
    earlier = signed_head(ana.world, room, old.place - 1, hashes[old.place - 1])
    assert contradiction(ana, earlier) == []
    assert room_of(ana, room).state.head == old


def test_entries_under_a_head_that_says_otherwise_are_proof() -> None:
    room, ana, rogue, log = scene()
    page = log.page(says(rogue, log, "hola"))
    other = signed_head(ana.world, room, log.place, b"x" * 32)
    effects = answer(ana, changed(page, head=other))
    assert evidence(effects) == ["head_contradicted"]
    (proof,) = saved(effects, PutEvidence)
    assert decode(proof.row.data, frames.SignedHead) == other
    assert ana.texts(room) == ["hola"]


def test_a_page_that_does_not_follow_is_another_history() -> None:
    room, ana, rogue, log = scene()
    log.page(says(rogue, log, "hidden"))
    alter(ana, room_of(ana, room).with_live(current=False))
    ana.feed(Ticked())
    page = log.page(says(rogue, log, "shown"), request=asked_for(ana, ToFetch))
    effects = answer(ana, page)
    assert evidence(effects) == ["head_contradicted"]
    assert status(ana, room) is RoomStatus.LOST
    assert ana.texts(room) == []


# When the relay does not go on from here


@pytest.mark.parametrize("purpose", [ToFollow, ToFetch])
def test_each_refusal_has_its_consequence(purpose: type[Any]) -> None:
    for code, facts, check in (
        (ErrorCode.BEHIND, {"place": 1}, lambda kept: kept.live.refeeding == 1),
        (ErrorCode.BEHIND, {}, lambda kept: kept.live.refeeding == 0),
        (
            ErrorCode.FORKED,
            {},
            lambda kept: kept.state.status is RoomStatus.LOST,
        ),
        (ErrorCode.GONE, {}, lambda kept: kept.state.status is RoomStatus.LOST),
        (
            ErrorCode.NOT_FOUND,
            {},
            lambda kept: kept.live.route is Route.UNKNOWN and kept.live.paused > 0,
        ),
        (
            ErrorCode.RATE_LIMITED,
            {"retry_after": 700},
            lambda kept: kept.live.paused > 0,
        ),
        (ErrorCode.UNAVAILABLE, {}, lambda kept: kept.live.paused > 0),
        (ErrorCode.NOT_ALLOWED, {}, lambda kept: kept.live.stopped),
    ):
        room, (ana, _) = circle("Ana", "Luis")
        if purpose is ToFollow:
            asked(ana, frames.FollowRoom)
        else:
            alter(ana, room_of(ana, room).with_live(current=False))
            ana.feed(Ticked())
        refuse(ana, purpose, code, **facts)
        assert check(room_of(ana, room)), code


def test_a_room_that_was_cut_and_is_not_found_is_over_for_now() -> None:
    room, (ana, _) = circle("Ana", "Luis")
    alter(ana, room_of(ana, room).with_live(current=False, route=Route.CUT))
    ana.feed(Ticked())
    refuse(ana, ToFetch, ErrorCode.NOT_FOUND)
    assert room_of(ana, room).live.stopped


def test_who_comes_too_late_comes_back_by_itself() -> None:
    world = World()
    room, (ana, luis) = world.circle("Ana", "Luis")
    asked(ana, frames.FollowRoom)
    effects = refuse(ana, ToFollow, ErrorCode.GONE, place=3)
    assert emitted(effects, Warned) == [Warned(room, "out_of_step", place=3)]
    world.wait(limits.STORAGE_PAUSE)
    assert status(ana, room) is RoomStatus.MEMBER
    ana.say(room, "back")
    assert luis.texts(room) == ["back"]


# Who waits for a room while that happens


def entering() -> tuple[World, bytes, Device, int]:
    """Return somebody whose entry got through unseen, and who is about to look."""
    world = World()
    ana = world.person("Ana")
    room, link = world.room(ana)
    luis = world.person("Luis")
    number = luis.ask(JoinRoom(link))
    luis.outbound.append(run_until(luis, frames.Join))
    world.deliver(luis)
    world.cut(luis)
    asked(luis, frames.FollowRoom)
    return world, room, luis, number


@pytest.mark.parametrize("code", [ErrorCode.FORKED, ErrorCode.GONE, ErrorCode.BEHIND])
def test_who_enters_and_cannot_read_on_enters_anew(code: ErrorCode) -> None:
    world, room, luis, number = entering()
    refuse(luis, ToFollow, code)
    assert status(luis, room) is RoomStatus.JOINING
    world.wait(30_000)
    assert luis.replies[number] == RoomJoined(room)
    assert status(luis, room) is RoomStatus.MEMBER


def test_who_enters_and_is_refused_to_read_is_told_so() -> None:
    _, room, luis, number = entering()
    (error,) = answers(refuse(luis, ToFollow, ErrorCode.TOO_MANY))
    assert isinstance(error, RelayRefusedError)
    assert error.reason == "too_many"
    assert room not in luis.session.rooms
    assert number in luis.replies


def test_a_change_whose_fate_will_not_be_read_is_answered() -> None:
    room, (ana, _) = circle("Ana", "Luis")
    ana.feed(Asked(77, ChangeRoom(room, "Otra")))
    held = ana.outbound.popleft()
    alter(ana, room_of(ana, room).with_live(current=False))
    ana.feed(Ticked())
    (error,) = answers(refuse(ana, ToFetch, ErrorCode.NOT_ALLOWED))
    assert isinstance(error, RelayRefusedError)
    assert room_of(ana, room).live.stopped
    # It was in the log after all: that answers nobody a second time.
    ana.outbound.clear()
    ana.outbound.append(held)
    ana.world.deliver(ana)
    ana.inbox.append(NetworkChanged())
    ana.world.settle()
    assert room_of(ana, room).state.name == "Otra"
    assert room_of(ana, room).pending is None


# Which rooms may be read


def listing(ana: Device, *routes: frames.RoomRoute) -> Sequence[Effect]:
    """Connect anew; let the relay list these rooms."""
    asked(ana, frames.ListRooms)
    return answer(ana, frames.Rooms(asked_for(ana, ForRooms), routes))


def test_rooms_are_followed_that_the_relay_lists() -> None:
    room, (ana, _) = circle("Ana", "Luis")
    effects = listing(ana, frames.RoomRoute(room, 0))
    assert outline(effects) == ["Transmit FollowRoom"]
    assert room_of(ana, room).live.route is Route.OPEN


def test_a_room_that_is_cut_is_only_read() -> None:
    room, (ana, _) = circle("Ana", "Luis")
    effects = listing(ana, frames.RoomRoute(room, 0, 9))
    assert outline(effects) == ["Transmit FetchEntries"]
    assert room_of(ana, room).live.route is Route.CUT


def test_a_join_that_got_through_unseen_is_found_in_the_list() -> None:
    world = World()
    ana = world.person("Ana")
    room, link = world.room(ana)
    luis = world.person("Luis")
    luis.ask(JoinRoom(link))
    run_until(luis, frames.Join)
    effects = listing(luis, frames.RoomRoute(room, 7))
    assert outline(effects) == ["Save", "Transmit FollowRoom"]
    kept = room_of(luis, room)
    assert kept.live.entered
    assert (kept.state.place, kept.state.hash) == (6, None)


def test_a_room_of_a_newer_program_is_left_where_it_is() -> None:
    room, ana, rogue, log = scene()
    rogue.device = ana  # only an admin may bring newer rules
    rogue.group = group_of(ana, room)
    luis_log = log.page(
        newer(ana, rogue, log), says(rogue, log, "later", log.place + 2)
    )
    luis = next(each for each in ana.world.devices if each is not ana)
    effects = answer(luis, luis_log)
    assert status(luis, room) is RoomStatus.OUTDATED
    assert [each.code for each in emitted(effects, Warned)] == ["update_needed"]
    assert saved(effects, PutEntry) == []
    assert luis.texts(room) == []


def newer(ana: Device, rogue: Rogue, log: Log) -> frames.Entry:
    """Return a commit that brings rules of a version nobody knows here."""
    policy = room_of(ana, rogue.room).policy
    assert policy is not None
    data = (2).to_bytes(2, "big") + policy.encode()[2:]
    proposal = mls.GroupContextExtensions((mls.Extension(POLICY, data),))
    committed = rogue.commit(proposal)
    blob = mls.encode_message(committed.message)
    return log.entry(blob, ana.device, rogue.key, Kind.HANDSHAKE)


def test_a_join_that_is_nowhere_in_the_log_is_made_anew() -> None:
    """Who was there before may read some of the log, whatever became of the join."""
    world = World()
    room, (ana, luis) = world.circle("Ana", "Luis")
    (link,) = room_of(ana, room).links.values()
    luis.get(LeaveRoom(room))
    luis.ask(JoinRoom(link))
    run_until(luis, frames.Join)
    luis.crash()
    luis.start()
    assert room_of(luis, room).pending is not None
    world.wait(1_000)
    assert status(luis, room) is RoomStatus.MEMBER
    luis.say(room, "back")
    assert ana.texts(room) == ["back"]


@pytest.mark.parametrize("purpose", [ToFetch, ToFollow])
def test_a_room_that_ended_takes_no_answer(purpose: type[Any]) -> None:
    room, (ana, luis) = circle("Ana", "Luis")
    asked(luis, frames.FollowRoom)
    if purpose is ToFetch:
        luis.inbox.clear()
        missing = room_of(luis, room).with_live(following=False, followed=True)
        alter(luis, missing.with_live(current=False))
        luis.feed(Ticked())
    kept = room_of(luis, room)
    alter(luis, kept.with_state(status=RoomStatus.LEFT))
    number = asked_for(luis, purpose)
    assert refuse(luis, purpose, ErrorCode.FORKED) == []
    assert status(luis, room) is RoomStatus.LEFT
    assert not room_of(luis, room).live.following
    assert not room_of(luis, room).live.fetching
    assert number not in luis.session.requests
    assert ana.codes() == luis.codes() == []


def test_who_comes_back_makes_another_attempt() -> None:
    room, (ana, luis) = circle("Ana", "Luis")
    pending = Pending(b"k" * 16, 1, bytes(32), group_of(luis, room))
    lost = room_of(ana, room).with_state(status=RoomStatus.LOST)
    alter(ana, replace(lost, pending=pending))
    listing(ana, frames.RoomRoute(room, 0))
    assert room_of(ana, room).pending is None


def test_what_was_said_while_it_was_out_is_not_for_it_to_read() -> None:
    room, (ana, _) = circle("Ana", "Luis")
    listing(ana, frames.RoomRoute(room, room_of(ana, room).state.place + 1))
    assert status(ana, room) is RoomStatus.MEMBER
    room, (ana, _) = circle("Ana", "Luis")
    listing(ana, frames.RoomRoute(room, room_of(ana, room).state.place + 2))
    assert status(ana, room) is RoomStatus.LOST


@pytest.mark.parametrize("is_back", [False, True])
def test_a_list_says_nothing_of_an_entry_that_is_under_way(
    is_back: bool,  # noqa: FBT001
) -> None:
    """Asked for another room's sake, it may be older than what is on its way."""
    world = World()
    room, (ana, luis) = world.circle("Ana", "Luis")
    (link,) = room_of(ana, room).links.values()
    if is_back:
        kept = room_of(luis, room).with_state(status=RoomStatus.LOST)
        alter(luis, kept.with_live(route=Route.UNKNOWN))
        luis.feed(Ticked())
    else:
        luis.get(LeaveRoom(room))
        luis.ask(JoinRoom(link))
    join = run_until(luis, frames.Join)
    number = luis.session.next_request
    requests = {**luis.session.requests, number: ForRooms()}
    luis.session = replace(luis.session, requests=requests, next_request=number + 1)
    place = room_of(luis, room).state.place
    last = None if is_back else place
    answer(luis, frames.Rooms(number, (frames.RoomRoute(room, 0, last),)))
    assert room_of(luis, room).pending is not None
    luis.outbound.append(join)
    world.settle()
    assert status(luis, room) is RoomStatus.MEMBER
    assert len(luis.replies) == luis.commands


def test_who_is_routed_anew_while_its_commit_is_under_way_comes_back() -> None:
    room, (ana, _) = circle("Ana", "Luis")
    ana.feed(Asked(77, ChangeRoom(room, "Otra")))
    assert isinstance(room_of(ana, room).live.work, Sent)
    alter(ana, room_of(ana, room).with_live(route=Route.UNKNOWN))
    ana.feed(Ticked())
    listed = frames.RoomRoute(room, room_of(ana, room).state.place + 2)
    effects = answer(ana, frames.Rooms(asked_for(ana, ForRooms), (listed,)))
    assert (
        "Transmit FetchGroup" in outline(effects) or room_of(ana, room).live.following
    )
    ana.world.settle()
    assert status(ana, room) is RoomStatus.MEMBER
    ana.world.wait(limits.WISH_PATIENCE)
    assert 77 in ana.replies


def test_who_enters_across_a_gap_was_lost_before() -> None:
    world = World()
    room, (ana, luis) = world.circle("Ana", "Luis")
    (link,) = room_of(ana, room).links.values()
    kept = room_of(luis, room)
    place = kept.state.place
    alter(luis, kept.with_state(status=RoomStatus.REMOVED, doubt=place))
    luis.ask(JoinRoom(link))
    run_until(luis, frames.Join)
    listing(luis, frames.RoomRoute(room, place + 2))
    state = room_of(luis, room).state
    assert (state.status, state.former) == (RoomStatus.JOINING, RoomStatus.LOST)
    assert (state.place, state.hash, state.doubt) == (place + 1, None, None)


@pytest.mark.parametrize("cut", [False, True])
def test_a_commit_that_may_be_in_the_log_keeps_nobody_from_coming_back(
    cut: bool,  # noqa: FBT001
) -> None:
    world = World()
    room, (ana, luis) = world.circle("Ana", "Luis")
    ana.ask(CreateInvite(room))
    run_until(ana, frames.Commit)
    place = room_of(ana, room).state.place
    route = frames.RoomRoute(room, 0, place) if cut else frames.RoomRoute(room, 99)
    listing(ana, route)
    world.settle()
    assert room_of(ana, room).pending is None
    assert status(ana, room) is RoomStatus.MEMBER
    ana.say(room, "back")
    assert luis.texts(room) == ["back"]


def test_before_the_relay_says_what_may_be_read_nothing_is_all_there_is() -> None:
    room, ana, rogue, log = scene()
    alter(ana, room_of(ana, room).with_live(current=False))
    ana.feed(Ticked())
    alter(ana, room_of(ana, room).with_live(route=Route.UNKNOWN))
    page = log.page(says(rogue, log, "hola"), request=asked_for(ana, ToFetch))
    answer(ana, page)
    assert ana.texts(room) == ["hola"]
    assert not room_of(ana, room).live.current


def test_a_room_that_is_not_listed_is_not_read() -> None:
    room, (ana, _) = circle("Ana", "Luis")
    listing(ana)
    assert room_of(ana, room).live.route is Route.NONE


def test_who_is_cut_without_a_reason_comes_back() -> None:
    world = World()
    room, (ana, luis) = world.circle("Ana", "Luis")
    route = frames.RoomRoute(room, 0, room_of(ana, room).state.place)
    listing(ana, route)
    log = Log.after(ana, room)
    page = frames.Entries(
        asked_for(ana, ToFetch),
        room,
        log.hash,
        (),
        signed_head(world, room, log.place, log.hash),
    )
    effects = answer(ana, page)
    assert status(ana, room) is RoomStatus.LOST
    assert outline(effects) == ["Save", "Transmit FetchGroup", "Emit RoomChanged"]
    world.settle()
    assert status(ana, room) is RoomStatus.MEMBER
    ana.say(room, "back")
    assert luis.texts(room) == ["back"]


def test_who_was_removed_while_away_reads_up_to_there() -> None:
    world = World()
    room, (ana, luis, eva) = world.circle("Ana", "Luis", "Eva")
    world.cut(luis)
    world.settle()
    ana.say(room, "before")
    ana.get(RemoveMember(room, luis.account))
    ana.say(room, "after")
    world.wait(5_000)
    assert status(luis, room) is RoomStatus.REMOVED
    assert luis.texts(room) == ["before"]
    assert room_of(luis, room).group is None
    assert eva.texts(room) == ["before", "after"]
    assert luis.codes() == []


def test_a_list_that_is_refused_is_asked_for_later() -> None:
    room, (ana, _) = circle("Ana", "Luis")
    asked(ana, frames.ListRooms)
    effects = refuse(ana, ForRooms, ErrorCode.RATE_LIMITED, retry_after=5_000)
    assert effects == []
    assert ana.session.wake_at == ana.world.now + 5_000
    ana.world.wait(5_000)
    assert room_of(ana, room).live.current


def test_another_answer_to_the_list_changes_no_route() -> None:
    room, (ana, _) = circle("Ana", "Luis")
    asked(ana, frames.ListRooms)
    answer(ana, frames.Done(asked_for(ana, ForRooms)))
    assert room_of(ana, room).live.route is Route.UNKNOWN


# A relay that was restored


def test_what_the_relay_lost_is_given_back() -> None:
    world = World()
    room, (ana, luis) = world.circle("Ana", "Luis")
    ana.say(room, "one")
    ana.say(room, "two")
    asked(ana, frames.FollowRoom)
    effects = refuse(ana, ToFollow, ErrorCode.BEHIND, place=2)
    assert outline(effects) == ["LoadEntries"]
    (loaded,) = ana.inbox
    assert isinstance(loaded, EntriesLoaded)
    ana.inbox.clear()
    (refeed,) = sent(ana.feed(loaded), frames.Refeed)
    assert [entry.place for entry in refeed.entries] == [3, 4]
    assert refeed.head == room_of(ana, room).state.head
    ana.outbound.clear()
    effects = answer(ana, frames.Done(refeed.request))
    assert outline(effects) == ["Transmit FollowRoom"]
    assert status(luis, room) is RoomStatus.MEMBER


def test_a_room_that_went_on_without_it_is_another_history() -> None:
    world = World()
    room, (ana, _) = world.circle("Ana", "Luis")
    ana.say(room, "one")
    asked(ana, frames.FollowRoom)
    refuse(ana, ToFollow, ErrorCode.BEHIND, place=2)
    (loaded,) = ana.inbox
    ana.inbox.clear()
    ana.feed(loaded)
    effects = refuse(ana, ToRefeed, ErrorCode.FORKED)
    assert evidence(effects) == ["head_contradicted"]
    assert status(ana, room) is RoomStatus.LOST
    assert not room_of(ana, room).live.fetching


def test_invites_made_elsewhere_are_seen() -> None:
    world = World()
    room, (ana, luis) = world.circle("Ana", "Luis")
    ana.get(CreateInvite(room))
    policy = room_of(luis, room).policy
    assert policy is not None
    assert len(policy.invites) == 2
