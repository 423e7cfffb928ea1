"""Entering from outside: a turn, a look at what the relay gives, an entry."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest
from msgspec.structs import replace as changed

from tertulia import mls
from tertulia.client import joining, limits
from tertulia.client.commands import (
    ChangeRoom,
    CreateInvite,
    JoinRoom,
    LeaveRoom,
    RemoveMember,
    RoomJoined,
)
from tertulia.client.effects import (
    Asked,
    DownloadBlob,
    Downloaded,
    Effect,
    NetworkChanged,
    Ticked,
    TransferFailed,
)
from tertulia.client.errors import (
    AskedAgainError,
    FullRoomError,
    InviteRefusedError,
    RelayRefusedError,
)
from tertulia.client.events import JoinQueued, Warned
from tertulia.client.requests import ToEnter, ToFetchGroup, ToReport
from tertulia.client.room import Route
from tertulia.client.rows import DropRoom
from tertulia.client.sending import LATER
from tertulia.client.turn import Turn
from tertulia.client.views import RoomStatus
from tertulia.client.work import Admission, Checking, Fetched
from tertulia.crypto import NoMlKemError
from tertulia.wire import ErrorCode, InviteClaim, frames
from tests.client.script import (
    Rogue,
    alter,
    answer,
    answers,
    asked_for,
    emitted,
    group_of,
    outline,
    refuse,
    room_of,
    run_until,
    saved,
    signed_head,
    status,
)
from tests.client.world import Device, World
from tests.no_ml_kem import no_ml_kem

TREE = frames.BlobReference(b"t" * 16, 100, bytes(32))


def at_the_door() -> tuple[bytes, Device, Device, str]:
    """Return a host, and somebody who is about to ask for a turn."""
    world = World()
    ana = world.person("Ana")
    room, link = world.room(ana)
    luis = world.person("Luis")
    luis.ask(JoinRoom(link))
    run_until(luis, frames.RequestAdmission)
    return room, ana, luis, link


def admitted(luis: Device, room: bytes, **fields: Any) -> frames.Admitted:
    said = frames.Admitted(
        asked_for(luis, ToEnter),
        luis.world.now + 2_000,
        0,
        signed_head(luis.world, room, 0, b"h" * 32),
        b"group info",
        TREE,
        (b"patch",),
        b"wrapped",
        b"ticket",
    )
    return changed(said, **fields)


def downloads(effects: Sequence[Effect]) -> list[DownloadBlob]:
    return [each for each in effects if isinstance(each, DownloadBlob)]


# By a link


def test_a_joiner_proves_its_link_and_waits_for_its_turn() -> None:
    world = World()
    ana = world.person("Ana")
    room, link = world.room(ana)
    luis = world.person("Luis")
    effects = luis.feed(Asked(77, JoinRoom(link)))
    assert outline(effects) == ["Save", "Transmit ListRooms", "Emit RoomChanged"]
    request = run_until(luis, frames.RequestAdmission)
    (listed,) = room_of(ana, room).policy.invites  # type: ignore[union-attr]
    assert (request.room, request.invite) == (room, listed.invite)
    session = luis.session.link
    InviteClaim(
        session.identity,
        session.nonce,
        session.relay_nonce,
        room,
        listed.invite,
        luis.device,
    ).verify(listed.public_key, request.signature)
    assert room_of(luis, room).live.work == Admission()


def test_who_waits_is_told_how_many_come_first() -> None:
    room, _, luis, _ = at_the_door()
    number = asked_for(luis, ToEnter)
    for ahead in (3, 2):
        effects = answer(luis, frames.Queued(number, ahead))
        assert emitted(effects, JoinQueued) == [JoinQueued(room, ahead)]
    assert answer(luis, frames.Queued(number + 100, 1)) == []


def test_who_has_the_turn_downloads_the_tree() -> None:
    room, _, luis, _ = at_the_door()
    (tree,) = downloads(answer(luis, admitted(luis, room)))
    assert (tree.blob, tree.ticket, tree.size) == (TREE.blob, b"ticket", 100)
    work = room_of(luis, room).live.work
    assert isinstance(work, Fetched)
    assert (work.group_info, work.patches) == (b"group info", (b"patch",))


def test_whole_joins_are_answered_with_the_room() -> None:
    world = World()
    ana = world.person("Ana")
    room, link = world.room(ana)
    luis = world.person("Luis")
    assert luis.get(JoinRoom(link)) == RoomJoined(room)
    assert luis.get(JoinRoom(link)) == RoomJoined(room, already=True)
    assert status(luis, room) is RoomStatus.MEMBER
    assert room_of(luis, room).state.unconfirmed
    world.wait(limits.GREETING_PAUSE)
    assert not room_of(luis, room).state.unconfirmed
    assert room_of(luis, room).state.link == ""


def test_the_same_link_again_takes_the_place_of_the_first_command() -> None:
    room, _, luis, link = at_the_door()
    effects = luis.feed(Asked(78, JoinRoom(link)))
    assert [type(each) for each in answers(effects)] == [AskedAgainError]
    luis.world.wait(2_000)
    # What was on its way is still waited for.
    assert room_of(luis, room).live.work == Admission()
    luis.world.cut(luis)
    luis.world.wait(5_000)
    assert luis.replies[78] == RoomJoined(room)


def test_what_another_relay_signed_is_not_even_downloaded() -> None:
    room, _, luis, _ = at_the_door()
    head = changed(signed_head(luis.world, room, 0, b"h" * 32), place=9)
    effects = answer(luis, admitted(luis, room, head=head))
    (error,) = answers(effects)
    assert isinstance(error, InviteRefusedError)
    assert saved(effects, DropRoom) == [DropRoom(room)]


def test_too_large_a_tree_is_reported_and_never_downloaded() -> None:
    room, _, luis, _ = at_the_door()
    large = changed(TREE, size=limits.ADVICE + 1)
    for _ in range(limits.REPORTS):
        effects = answer(luis, admitted(luis, room, tree=large))
        assert outline(effects) == ["Transmit ReportGroup"]
        answer(luis, frames.Done(asked_for(luis, ToReport)))
        luis.world.now += limits.REPORT_PAUSE
        luis.feed(Ticked())
        luis.outbound.clear()
    effects = answer(luis, admitted(luis, room, tree=large))
    (error,) = answers(effects)
    assert isinstance(error, InviteRefusedError)
    assert saved(effects, DropRoom) == [DropRoom(room)]


@pytest.mark.parametrize("tree", [b"", b"garbage"])
def test_garbage_is_reported_and_in_the_end_refused(tree: bytes) -> None:
    room, _, luis, _ = at_the_door()
    for _ in range(limits.REPORTS):
        (download,) = downloads(answer(luis, admitted(luis, room)))
        luis.inbox.clear()
        effects = luis.feed(Downloaded(download.transfer, tree))
        assert outline(effects) == ["Transmit ReportGroup"]
        answer(luis, frames.Done(asked_for(luis, ToReport)))
        assert room_of(luis, room).live.paused == luis.world.now + limits.REPORT_PAUSE
        luis.world.now += limits.REPORT_PAUSE
        luis.feed(Ticked())
        luis.outbound.clear()
    (download,) = downloads(answer(luis, admitted(luis, room)))
    luis.inbox.clear()
    (error,) = answers(luis.feed(Downloaded(download.transfer, tree)))
    assert isinstance(error, InviteRefusedError)
    assert room not in luis.session.rooms


def test_who_finds_the_room_full_is_told_and_is_where_it_was(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(limits, "HYBRID_DEVICES", 2)
    world = World()
    ana, luis, eva = (world.person(name) for name in ("Ana", "Luis", "Eva"))
    room, link = world.room(ana)
    assert luis.get(JoinRoom(link)) == RoomJoined(room)
    asked = eva.ask(JoinRoom(link))
    world.wait(1_000)
    assert isinstance(eva.replies[asked], FullRoomError)
    assert room not in eva.session.rooms
    # The others talk on, and a place that becomes free is taken.
    luis.get(LeaveRoom(room))
    world.wait(60_000)
    assert eva.get(JoinRoom(link)) == RoomJoined(room)


def test_a_lost_blob_is_asked_for_again_in_a_while() -> None:
    room, _, luis, _ = at_the_door()
    (tree,) = downloads(answer(luis, admitted(luis, room)))
    luis.inbox.clear()
    assert luis.feed(TransferFailed(tree.transfer, "lost")) == []
    assert room_of(luis, room).live.paused == luis.world.now + limits.STORAGE_PAUSE
    assert luis.feed(Downloaded(tree.transfer, b"late")) == []
    luis.world.wait(limits.STORAGE_PAUSE + 100)
    assert luis.replies[1] == RoomJoined(room)


def test_a_blob_of_an_earlier_attempt_is_not_taken_for_this_one() -> None:
    room, _, luis, _ = at_the_door()
    first_said = admitted(luis, room)
    (old,) = downloads(answer(luis, first_said))
    luis.inbox.clear()
    alter(luis, room_of(luis, room).with_live(work=Admission()))
    said = changed(first_said, tree=changed(TREE, blob=b"o" * 16))
    joining.answered(turn := Turn(luis.session, luis.world.now), ToEnter(room), said)
    luis.session = turn.session
    assert luis.feed(Downloaded(old.transfer, b"old")) == []
    assert isinstance(room_of(luis, room).live.work, Fetched)


@pytest.mark.parametrize("code", sorted(LATER))
def test_who_is_put_off_asks_again_later(code: ErrorCode) -> None:
    room, _, luis, _ = at_the_door()
    assert refuse(luis, ToEnter, code, retry_after=400) == []
    assert room_of(luis, room).live.paused == luis.world.now + 400
    luis.world.wait(500)
    assert luis.replies[1] == RoomJoined(room)


def test_who_is_refused_is_told_why_and_the_room_is_forgotten() -> None:
    room, _, luis, _ = at_the_door()
    effects = refuse(luis, ToEnter, ErrorCode.INVITE_INVALID)
    assert outline(effects) == ["Save", "Reply RelayRefusedError", "Emit RoomChanged"]
    (error,) = answers(effects)
    assert isinstance(error, RelayRefusedError)
    assert error.reason == "invite_invalid"
    assert room not in luis.session.rooms


def test_a_link_that_leads_nowhere_any_more_leaves_the_old_room_as_it_was() -> None:
    world = World()
    room, (ana, luis) = world.circle("Ana", "Luis")
    (link,) = room_of(ana, room).links.values()
    ana.say(room, "before")
    ana.get(RemoveMember(room, luis.account))  # links are dropped, too
    world.settle()
    asked = luis.ask(JoinRoom(link))
    world.wait(2_000)
    assert isinstance(luis.replies[asked], RelayRefusedError)
    assert status(luis, room) is RoomStatus.REMOVED
    assert luis.texts(room) == ["before"]


def test_who_asked_in_vain_reads_what_it_did_not_look_at_meanwhile() -> None:
    """Told that it is out, it follows a link; but the others never let it go."""
    world = World()
    room, (ana, luis, eva) = world.circle("Ana", "Luis", "Eva")
    (link,) = room_of(ana, room).links.values()
    kept = room_of(luis, room)
    alter(luis, kept.with_state(status=RoomStatus.REMOVED, doubt=kept.state.place))
    luis.ask(JoinRoom(link))
    run_until(luis, frames.RequestAdmission)
    eva.say(room, "still with us")
    refuse(luis, ToEnter, ErrorCode.INVITE_INVALID)
    world.settle()
    assert luis.texts(room) == ["still with us"]
    assert status(luis, room) is RoomStatus.MEMBER


def test_who_left_comes_back_by_a_link_with_all_it_had() -> None:
    world = World()
    room, (ana, luis) = world.circle("Ana", "Luis")
    ana.say(room, "before")
    luis.get(LeaveRoom(room))
    world.wait(20_000)
    (link,) = (ana.get(CreateInvite(room)).link,)
    assert luis.get(JoinRoom(link)) == RoomJoined(room)
    ana.say(room, "after")
    assert luis.texts(room) == ["before", "after"]


def test_who_waits_for_nothing_takes_no_answer() -> None:
    room, _, luis, _ = at_the_door()
    said = admitted(luis, room)
    waiting = luis.session
    idle = room_of(luis, room).with_live(work=None, stopped=True)
    for rooms in ({room: idle}, {}):
        luis.session = replace(waiting, rooms=rooms)
        assert answer(luis, said) == []
    luis.session = waiting
    assert answer(luis, frames.Done(said.request)) == []


def test_blobs_that_nobody_waits_for_are_let_be() -> None:
    room, _, luis, _ = at_the_door()
    (first,) = downloads(answer(luis, admitted(luis, room)))
    luis.inbox.clear()
    waiting = luis.session
    idle = room_of(luis, room).with_live(work=None, stopped=True)
    for rooms in ({room: idle}, {}):
        for item in (
            Downloaded(first.transfer, b"data"),
            TransferFailed(first.transfer, "lost"),
        ):
            luis.session = replace(waiting, rooms=rooms)
            assert luis.feed(item) == []


def test_who_is_overtaken_tries_again() -> None:
    world = World()
    ana = world.person("Ana")
    room, link = world.room(ana)
    luis = world.person("Luis")
    asked = luis.ask(JoinRoom(link))
    join = run_until(luis, frames.Join)
    ana.get(ChangeRoom(room, "Otra"))
    luis.outbound.append(join)
    world.wait(10_000)
    assert luis.replies[asked] == RoomJoined(room)
    assert room_of(luis, room).state.name == "Otra"


def test_those_who_come_at_once_all_get_in() -> None:
    world = World()
    ana = world.person("Ana")
    room, link = world.room(ana)
    joiners = [world.person(f"joiner {number}") for number in range(8)]
    for joiner in joiners:
        joiner.ask(JoinRoom(link))
    world.wait(30_000)
    assert [joiner.replies[1] for joiner in joiners] == [RoomJoined(room)] * 8
    assert any(joiner.seen(JoinQueued) for joiner in joiners)
    epochs = {group_of(each, room).epoch_authenticator.reveal() for each in joiners}
    assert len(epochs) == 1


# An entry that got through unseen


@pytest.mark.parametrize("crashes", [True, False])
def test_an_entry_that_got_through_unseen_is_found(crashes: bool) -> None:  # noqa: FBT001
    world = World()
    ana = world.person("Ana")
    room, link = world.room(ana)
    luis = world.person("Luis")
    luis.ask(JoinRoom(link))
    join = run_until(luis, frames.Join)
    luis.outbound.append(join)
    world.deliver(luis)
    if crashes:
        luis.crash()
        luis.start()
    else:
        world.cut(luis)
    world.wait(10_000)
    assert status(luis, room) is RoomStatus.MEMBER
    assert len(list(group_of(ana, room).tree.members())) == 2
    assert group_of(ana, room).context.epoch == 1
    assert ana.codes() == luis.codes() == []


@pytest.mark.parametrize("crashes", [True, False])
def test_an_entry_that_did_not_get_through_is_made_anew(crashes: bool) -> None:  # noqa: FBT001
    world = World()
    ana = world.person("Ana")
    room, link = world.room(ana)
    luis = world.person("Luis")
    luis.ask(JoinRoom(link))
    run_until(luis, frames.Join)
    if crashes:
        luis.crash()
        luis.start()
    else:
        world.cut(luis)
    world.wait(20_000)
    assert status(luis, room) is RoomStatus.MEMBER
    assert ana.codes() == luis.codes() == []


# Told that it is out, and perhaps wrongly


def told_out() -> tuple[World, bytes, list[Device], int]:
    """Let Luis, taken for a member by all, follow a link; his entry gets lost."""
    world = World()
    room, people = world.circle("Ana", "Luis", "Eva")
    ana, luis, _ = people
    (link,) = room_of(ana, room).links.values()
    kept = room_of(luis, room)
    alter(luis, kept.with_state(status=RoomStatus.REMOVED, doubt=kept.state.place))
    asked = luis.ask(JoinRoom(link))
    run_until(luis, frames.Join)
    return world, room, people, asked


def test_who_finds_that_it_was_never_out_is_told_so() -> None:
    world, room, (_, luis, eva), asked = told_out()
    eva.say(room, "still with us")
    world.cut(luis)
    world.wait(30_000)
    assert luis.replies[asked] == RoomJoined(room, already=True)
    kept = room_of(luis, room)
    assert (kept.state.status, kept.state.doubt) == (RoomStatus.MEMBER, None)
    assert (kept.state.link, kept.state.former) == ("", None)
    assert kept.pending is None
    luis.say(room, "so I am")
    assert eva.texts(room) == luis.texts(room) == ["still with us", "so I am"]
    assert luis.codes() == []


def test_who_finds_nothing_in_the_log_enters_and_is_told_so() -> None:
    world, room, (_, luis, eva), asked = told_out()
    world.cut(luis)
    world.wait(30_000)
    assert luis.replies[asked] == RoomJoined(room)
    eva.say(room, "hola")
    assert luis.texts(room) == ["hola"]
    assert luis.codes() == []


def test_an_attempt_of_before_the_link_is_nobody_s_copy() -> None:
    """Lost and about to come back, it follows a link; then both attempts get through."""
    world, room, (ana, luis) = lost("Ana", "Luis")
    (link,) = room_of(ana, room).links.values()
    luis.inbox.append(NetworkChanged())
    luis.outbound.append(run_until(luis, frames.Join))
    asked = luis.ask(JoinRoom(link))
    luis.take()
    world.deliver(luis)
    run_until(luis, frames.Join)
    world.cut(luis)
    world.wait(30_000)
    assert luis.replies[asked] == RoomJoined(room)
    assert luis.codes() == []
    ana.say(room, "hola")
    assert luis.texts(room) == ["hola"]


def test_a_link_that_is_followed_reads_nothing_for_who_was_coming_back() -> None:
    room, (ana, luis) = World().circle("Ana", "Luis")
    (link,) = room_of(ana, room).links.values()
    kept = room_of(luis, room).with_state(status=RoomStatus.LOST)
    alter(luis, kept.with_live(entered=True, route=Route.UNKNOWN))
    luis.feed(Asked(77, JoinRoom(link)))
    assert not room_of(luis, room).live.entered


# Coming back


def lost(*names: str) -> tuple[World, bytes, list[Device]]:
    """Return a room of which the second person lost the thread."""
    world = World()
    room, people = world.circle(*names)
    alter(people[1], room_of(people[1], room).with_state(status=RoomStatus.LOST))
    return world, room, people


def test_who_lost_the_thread_asks_for_the_group_and_comes_back() -> None:
    world, room, (ana, luis) = lost("Ana", "Luis")
    world.cut(luis)
    world.wait(5_000)
    assert status(luis, room) is RoomStatus.MEMBER
    assert len(list(group_of(ana, room).tree.members())) == 2
    luis.say(room, "back")
    ana.say(room, "good")
    assert ana.texts(room) == luis.texts(room) == ["back", "good"]


@pytest.mark.parametrize("gets_through", [True, False])
@pytest.mark.parametrize("crashes", [True, False])
def test_a_return_that_is_cut_off_is_gone_on_with(
    gets_through: bool,  # noqa: FBT001
    crashes: bool,  # noqa: FBT001
) -> None:
    world, room, (ana, luis) = lost("Ana", "Luis")
    luis.inbox.append(NetworkChanged())
    join = run_until(luis, frames.Join)
    if gets_through:
        luis.outbound.append(join)
        world.deliver(luis)
    if crashes:
        luis.crash()
        luis.start()
    else:
        world.cut(luis)
    world.wait(30_000)
    assert status(luis, room) is RoomStatus.MEMBER
    luis.say(room, "back")
    assert ana.texts(room) == ["back"]


def test_who_cannot_come_back_says_so_once_and_asks_again_later() -> None:
    world, room, (_, luis) = lost("Ana", "Luis")
    luis.inbox.append(NetworkChanged())
    run_until(luis, frames.FetchGroup)
    effects = refuse(luis, ToFetchGroup, ErrorCode.NOT_FOUND)
    assert emitted(effects, Warned) == [Warned(room, "cannot_return")]
    assert room_of(luis, room).live.paused == world.now + limits.CHORE_PAUSE
    assert status(luis, room) is RoomStatus.LOST
    assert luis.feed(Ticked()) == []
    world.now += limits.CHORE_PAUSE
    luis.feed(Ticked())
    run_until(luis, frames.FetchGroup)
    effects = refuse(luis, ToFetchGroup, ErrorCode.NOT_FOUND)
    assert emitted(effects, Warned) == []


def test_who_is_put_off_comes_back_later() -> None:
    world, room, (_, luis) = lost("Ana", "Luis")
    luis.inbox.append(NetworkChanged())
    run_until(luis, frames.FetchGroup)
    refuse(luis, ToFetchGroup, ErrorCode.RATE_LIMITED)
    assert room_of(luis, room).live.paused == world.now + limits.STORAGE_PAUSE
    world.wait(limits.STORAGE_PAUSE + 100)
    assert status(luis, room) is RoomStatus.MEMBER


# Looking after the relay's advice


def misled() -> tuple[World, bytes, Device, Device]:
    """Return a room in which a rogue's commit gave the relay garbage as advice."""
    world = World()
    room, (ana, luis, eva) = world.circle("Ana", "Luis", "Eva")
    advice = unsent_advice(room, eva)
    rogue = Rogue(eva, room)
    garbage = frames.Commit(
        9, room, world.rng(16), rogue.handshake, b"garbage", frames.Bundle(advice)
    )
    eva.outbound.append(garbage)
    world.settle()
    return world, room, ana, luis


def unsent_advice(room: bytes, eva: Device) -> frames.GroupAdvice:
    """Return the advice of a commit that Eva never sends."""
    eva.ask(CreateInvite(room))
    commit = run_until(eva, frames.Commit)
    assert commit.bundle.group is not None
    return commit.bundle.group


def test_advice_that_does_not_fit_is_repaired() -> None:
    world, room, ana, luis = misled()
    assert room_of(ana, room).live.repair_at is not None
    world.wait(5_000)
    (link,) = room_of(ana, room).links.values()
    juan = world.person("Juan")
    assert juan.get(JoinRoom(link)) == RoomJoined(room)
    assert luis.codes() == ["handshake_skipped"]


def test_advice_that_fits_is_let_be() -> None:
    world = World()
    room, (ana, _) = world.circle("Ana", "Luis")
    alter(ana, room_of(ana, room).with_live(repair_at=world.now))
    effects = ana.feed(Ticked())
    assert outline(effects) == ["Transmit FetchGroup"]
    assert room_of(ana, room).live.work == Checking()
    world.settle()
    assert room_of(ana, room).live.work is None
    assert room_of(ana, room).live.repair_at is None


def test_a_look_at_the_advice_routes_nobody_who_said_goodbye() -> None:
    world = World()
    room, (ana, luis, eva) = world.circle("Ana", "Luis", "Eva")
    luis.get(LeaveRoom(room))
    routes = world.engine._rooms[room].routes
    assert routes[luis.device].last is not None
    alter(ana, room_of(ana, room).with_live(repair_at=world.now))
    ana.feed(Ticked())
    routed = run_until(ana, frames.Repair)
    assert set(routed.bundle.route) == {ana.device, eva.device}
    ana.outbound.append(routed)
    world.settle()
    assert len(list(group_of(ana, room).tree.members())) == 3
    assert routes[luis.device].last is not None


def checking() -> tuple[bytes, Device, frames.Group]:
    """Return somebody who looks at the advice, and an answer that does not fit."""
    world = World()
    room, (ana, _) = world.circle("Ana", "Luis")
    alter(ana, room_of(ana, room).with_live(repair_at=world.now))
    ana.feed(Ticked())
    ana.outbound.clear()
    state = room_of(ana, room).state
    head = signed_head(world, room, state.place, state.hash or b"")
    said = frames.Group(
        asked_for(ana, ToFetchGroup),
        state.handshake,
        head,
        b"group info",
        TREE,
        (),
        b"garbage",
        b"ticket",
    )
    return room, ana, said


def test_garbage_for_members_is_repaired() -> None:
    room, ana, said = checking()
    assert outline(answer(ana, said)) == ["Transmit BeginUpload"]
    ana.world.settle()
    assert room_of(ana, room).live.work is None


def test_garbage_leads_nobody_out_who_just_came() -> None:
    room, ana, said = checking()
    alter(ana, room_of(ana, room).with_state(unconfirmed=True))
    assert outline(answer(ana, said)) == ["Transmit ReportGroup"]
    assert status(ana, room) is RoomStatus.MEMBER
    assert room_of(ana, room).live.reports == 1
    ana.world.wait(limits.REVIEW_PAUSE)
    assert status(ana, room) is RoomStatus.MEMBER
    assert room_of(ana, room).live.reports == 0
    assert ana.codes() == []


def test_garbage_that_nobody_mends_is_of_members_elsewhere() -> None:
    room, ana, said = checking()
    kept = room_of(ana, room).with_state(unconfirmed=True)
    alter(ana, kept.with_live(reports=limits.REPORTS))
    answer(ana, said)
    assert ana.codes() == ["out_of_step"]
    assert status(ana, room) is RoomStatus.LOST


def test_advice_of_another_epoch_leads_out_who_just_came() -> None:
    world = World()
    room, (ana, luis, eva) = world.circle("Ana", "Luis", "Eva")
    kept = room_of(eva, room)
    ana.get(CreateInvite(room))
    alter(eva, kept.with_state(unconfirmed=True).with_live(repair_at=world.now))
    eva.feed(Ticked())
    eva.outbound.clear()
    request, head = asked_for(eva, ToFetchGroup), kept.state.head
    assert head is not None
    now = world.engine._rooms[room].group
    assert now is not None
    wrapped, here = now.member_wrap, kept.state.handshake
    said = (request, here, head, b"group info", TREE, (), wrapped, b"ticket")
    answer(eva, frames.Group(*said))
    assert eva.codes() == ["out_of_step"]
    assert status(eva, room) is RoomStatus.LOST
    assert luis.codes() == []


def test_advice_of_a_later_handshake_is_left_to_others() -> None:
    room, ana, said = checking()
    assert answer(ana, changed(said, handshake=99)) == []
    assert room_of(ana, room).live.work is None


def test_a_look_that_is_refused_stops_nobody() -> None:
    room, ana, said = checking()
    assert answer(ana, frames.Refused(said.request, ErrorCode.NOT_FOUND)) == []
    assert room_of(ana, room).live.work is None
    assert not room_of(ana, room).live.stopped
    ana.say(room, "on")


def test_a_group_that_nobody_waits_for_is_let_be() -> None:
    room, ana, said = checking()
    waiting = ana.session
    idle = room_of(ana, room).with_live(work=None, route=Route.NONE, stopped=True)
    for rooms in ({room: idle}, {}):
        ana.session = replace(waiting, rooms=rooms)
        assert answer(ana, said) == []
    ana.session = waiting
    assert answer(ana, frames.Done(said.request)) == []


# Advice that is of no use to who wants in


def spoil(world: World, room: bytes, **fields: Any) -> None:
    """Let the relay give something else than what members gave it."""
    kept = world.engine._rooms[room]
    assert kept.group is not None
    kept.group = changed(kept.group, **fields)


def out_of_reach(*names: str) -> tuple[World, bytes, str, list[Device]]:
    """Return a room with patches, its link, and its members."""
    world = World()
    room, people = world.circle(*names)
    (link,) = room_of(people[0], room).links.values()
    for number in range(3):
        people[0].get(ChangeRoom(room, f"name {number}"))
    assert len(world.engine._rooms[room].tree_patches) >= 3
    return world, room, link, people


def lose_patch(patches: list[bytes]) -> None:
    del patches[1]


def swap_patches(patches: list[bytes]) -> None:
    patches[0], patches[1] = patches[1], patches[0]


def keep_old_ones(patches: list[bytes]) -> None:
    del patches[-1]


def alter_patch(patches: list[bytes]) -> None:
    patches[-1] = patches[-1][:-1] + bytes([patches[-1][-1] ^ 1])


@pytest.mark.parametrize(
    "spoiling", [lose_patch, swap_patches, keep_old_ones, alter_patch, list.clear]
)
def test_patches_that_do_not_follow_are_mended_by_a_member(spoiling: Any) -> None:
    world, room, link, (ana, luis) = out_of_reach("Ana", "Luis")
    spoiling(world.engine._rooms[room].tree_patches)
    juan = world.person("Juan")
    asked = juan.ask(JoinRoom(link))
    world.settle()
    assert asked not in juan.replies
    assert world.engine._rooms[room].tree_patches == []
    world.wait(limits.REPORT_PAUSE + 100)
    assert juan.replies[asked] == RoomJoined(room)
    world.wait(1_000)
    assert ana.codes() == luis.codes() == juan.codes() == []


def test_where_nobody_is_there_to_mend_it_the_joiner_is_told() -> None:
    world, room, link, people = out_of_reach("Ana", "Luis")
    for person in people:
        person.crash()
    world.engine._rooms[room].tree_patches.clear()
    juan = world.person("Juan")
    asked = juan.ask(JoinRoom(link))
    world.wait(limits.REPORTS * limits.REPORT_PAUSE + 100)
    error = juan.replies[asked]
    assert isinstance(error, InviteRefusedError)
    assert room not in juan.session.rooms


def test_a_wrap_that_does_not_open_is_mended_too() -> None:
    world, room, link, _ = out_of_reach("Ana", "Luis")
    advice = world.engine._rooms[room].group
    assert advice is not None
    spoilt = tuple(changed(wrap, wrapped=b"?" * 90) for wrap in advice.wraps)
    spoil(world, room, wraps=spoilt)
    juan = world.person("Juan")
    asked = juan.ask(JoinRoom(link))
    world.wait(limits.REPORT_PAUSE + 100)
    assert juan.replies[asked] == RoomJoined(room)


def test_who_comes_back_reports_as_well() -> None:
    world, room, _, (ana, luis) = out_of_reach("Ana", "Luis")
    world.engine._rooms[room].tree_patches.clear()
    alter(luis, room_of(luis, room).with_state(status=RoomStatus.LOST))
    luis.feed(Ticked())
    world.wait(limits.REPORT_PAUSE + 100)
    assert status(luis, room) is RoomStatus.MEMBER
    assert ana.codes() == luis.codes() == []


def test_members_do_not_mend_for_ever() -> None:
    world, room, _, (ana, _) = out_of_reach("Ana", "Luis")
    said = frames.GroupReported(room)
    assert outline(answer(ana, said)) == ["Transmit BeginUpload"]
    world.settle()
    assert answer(ana, said) == []
    world.wait(limits.MEND_PAUSE - 1)
    assert answer(ana, said) == []
    world.wait(1)
    assert outline(answer(ana, said)) == ["Transmit BeginUpload"]


def test_a_report_of_a_room_that_is_not_mine_to_mend_is_let_be() -> None:
    _, room, _, (ana, _) = out_of_reach("Ana", "Luis")
    assert answer(ana, frames.GroupReported(bytes(16))) == []
    kept = room_of(ana, room)
    alter(ana, kept.with_state(unconfirmed=True))
    assert answer(ana, frames.GroupReported(room)) == []
    alter(ana, kept.with_state(status=RoomStatus.LEFT))
    assert answer(ana, frames.GroupReported(room)) == []
    assert not room_of(ana, room).live.reported


def test_who_may_not_come_in_reports_nothing() -> None:
    room, _, luis, link = at_the_door()
    refusal = mls.InvalidError(mls.Rule.POLICY, "banned")
    assert not joining._is_of_no_use(refusal)
    assert joining._is_of_no_use(mls.InvalidError(mls.Rule.TREE_HASH))
    assert not joining._is_of_no_use(InviteRefusedError("older"))
    assert room_of(luis, room).state.link == link


# Without ML-KEM


def test_without_ml_kem_only_large_rooms_are_entered() -> None:
    world = World()
    ana, luis = world.person("Ana"), world.person("Luis")
    room, link = world.room(ana)
    large, way_in = world.room(ana, large=True)
    with no_ml_kem():
        effects = luis.feed(Asked(77, JoinRoom(link)))
        assert outline(effects) == ["Reply NoMlKemError"]
        assert room not in luis.session.rooms
    assert luis.get(JoinRoom(way_in)) == RoomJoined(large)
    # Nothing of the link was used up.
    assert luis.get(JoinRoom(link)) == RoomJoined(room)


def test_who_was_entering_when_the_library_was_replaced_is_told_so() -> None:
    room, ana, luis, _ = at_the_door()
    world = luis.world
    luis.inbox.append(NetworkChanged())
    while not any(isinstance(item, Downloaded) for item in luis.inbox):
        world.move()
    with no_ml_kem():
        world.settle()
    assert isinstance(luis.replies[1], NoMlKemError)
    assert room not in luis.session.rooms
    assert len(list(group_of(ana, room).tree.members())) == 1
