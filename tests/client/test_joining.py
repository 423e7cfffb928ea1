"""Entering from outside: a turn, a look at what the relay gives, an entry."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest
from msgspec.structs import replace as changed

from tertulia.client import limits
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
from tertulia.client.requests import ToEnter, ToFetchGroup
from tertulia.client.room import Route
from tertulia.client.rows import DropRoom
from tertulia.client.sending import LATER
from tertulia.client.views import RoomStatus
from tertulia.client.work import Admission, Checking, Fetched
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

BLOB = frames.BlobReference(b"b" * 16, 100, bytes(32))
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
        BLOB,
        TREE,
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


def test_who_has_the_turn_downloads_both_blobs() -> None:
    room, _, luis, _ = at_the_door()
    first, second = downloads(answer(luis, admitted(luis, room)))
    assert (first.blob, first.ticket, first.size) == (BLOB.blob, b"ticket", 100)
    assert (second.blob, second.ticket, second.size) == (TREE.blob, b"ticket", 100)
    assert isinstance(room_of(luis, room).live.work, Fetched)


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


@pytest.mark.parametrize("spoilt", ["head", "group_info", "tree"])
def test_what_cannot_be_right_is_not_even_downloaded(spoilt: str) -> None:
    room, _, luis, _ = at_the_door()
    large = changed(BLOB, size=limits.ADVICE + 1)
    head = signed_head(luis.world, room, 0, b"h" * 32)
    wrong = {"head": changed(head, place=9), "group_info": large, "tree": large}
    effects = answer(luis, admitted(luis, room, **{spoilt: wrong[spoilt]}))
    (error,) = answers(effects)
    assert isinstance(error, InviteRefusedError)
    assert saved(effects, DropRoom) == [DropRoom(room)]


@pytest.mark.parametrize("blobs", [(b"", b""), (b"garbage", b"garbage")])
def test_garbage_is_refused(blobs: tuple[bytes, bytes]) -> None:
    room, _, luis, _ = at_the_door()
    first, second = downloads(answer(luis, admitted(luis, room)))
    luis.inbox.clear()
    assert luis.feed(Downloaded(second.transfer, blobs[1])) == []
    effects = luis.feed(Downloaded(first.transfer, blobs[0]))
    (error,) = answers(effects)
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
    first, second = downloads(answer(luis, admitted(luis, room)))
    luis.inbox.clear()
    assert luis.feed(TransferFailed(first.transfer, "lost")) == []
    assert room_of(luis, room).live.paused == luis.world.now + limits.STORAGE_PAUSE
    assert luis.feed(Downloaded(second.transfer, b"late")) == []
    luis.world.wait(limits.STORAGE_PAUSE + 100)
    assert luis.replies[1] == RoomJoined(room)


def test_a_blob_of_an_earlier_attempt_is_not_taken_for_this_one() -> None:
    room, _, luis, _ = at_the_door()
    first, second = downloads(answer(luis, admitted(luis, room)))
    luis.inbox.clear()
    luis.feed(TransferFailed(first.transfer, "lost"))
    luis.world.now += limits.STORAGE_PAUSE
    luis.feed(Ticked())
    luis.outbound.clear()
    other = changed(TREE, blob=b"o" * 16)
    answer(luis, admitted(luis, room, tree=other))
    luis.inbox.clear()
    assert luis.feed(Downloaded(second.transfer, b"old")) == []
    work = room_of(luis, room).live.work
    assert isinstance(work, Fetched)
    assert work.tree is None


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
    first, _ = downloads(answer(luis, admitted(luis, room)))
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
        BLOB,
        TREE,
        b"garbage",
        b"ticket",
    )
    return room, ana, said


def test_garbage_for_members_is_repaired() -> None:
    room, ana, said = checking()
    assert outline(answer(ana, said)) == [
        "Transmit BeginUpload",
        "Transmit BeginUpload",
    ]
    ana.world.settle()
    assert room_of(ana, room).live.work is None


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
