"""Publishing an epoch: the tree whole or as a patch, and the frame that says so."""

from collections.abc import Sequence
from dataclasses import replace
from hashlib import sha256
from typing import Any

import pytest

from tertulia.client import limits, publishing
from tertulia.client.advice_tree import epoch_key, known_tree
from tertulia.client.commands import (
    Carried,
    ChangeRoom,
    CreateInvite,
    CreateRoom,
    JoinRoom,
    RemoveMember,
    RoomJoined,
)
from tertulia.client.effects import (
    Asked,
    Effect,
    TransferFailed,
    UploadBlob,
    Uploaded,
)
from tertulia.client.errors import RelayRefusedError
from tertulia.client.group_advice import (
    GivenAdvice,
    member_wrap_key,
    open_advice,
    open_wrap,
)
from tertulia.client.requests import ToCreate, ToPublish, ToUpload
from tertulia.client.room import Leaver, Route
from tertulia.client.rows import PutEpoch, PutPending
from tertulia.client.sending import LATER
from tertulia.client.turn import Turn
from tertulia.client.views import RoomStatus
from tertulia.client.work import Publication, Repairing, Sent
from tertulia.wire import ErrorCode, frames
from tests.client.script import (
    alter,
    answer,
    answers,
    asked_for,
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
from tests.relay.script import run


def circle(*names: str) -> tuple[bytes, list[Device]]:
    return World().circle(*names)


def begun(room: bytes, ana: Device) -> frames.BeginUpload:
    """Let Ana change the room, up to the announcement of a whole tree."""
    alter(ana, room_of(ana, room).with_live(tree_due=True))
    effects = ana.feed(Asked(77, ChangeRoom(room, "Otra")))
    ana.outbound.clear()
    (announced,) = sent(effects, frames.BeginUpload)
    return announced


def upload(
    ana: Device, announced: frames.BeginUpload, blob: bytes = bytes(16)
) -> UploadBlob:
    """Let the relay say where a blob goes; return what goes there."""
    said = frames.Upload(announced.request, blob, 0, b"ticket", 0)
    (effect,) = answer(ana, said)
    ana.inbox.clear()
    assert isinstance(effect, UploadBlob)
    return effect


def finish(
    ana: Device, announced: frames.BeginUpload, blob: bytes = bytes(16)
) -> Sequence[Effect]:
    """Let the tree get through; return what is done then."""
    return ana.feed(Uploaded(upload(ana, announced, blob).transfer))


def published(room: bytes, ana: Device) -> Sequence[Effect]:
    """Let Ana change the room, up to the frame that says so."""
    effects = finish(ana, begun(room, ana))
    ana.outbound.clear()
    return effects


def patched(room: bytes, ana: Device) -> frames.Commit:
    """Let Ana change the room as it goes mostly; return the frame."""
    effects = ana.feed(Asked(77, ChangeRoom(room, "Otra")))
    ana.outbound.clear()
    assert outline(effects) == ["Save", "Transmit Commit"]
    (frame,) = sent(effects, frames.Commit)
    return frame


def test_a_patch_goes_at_once_with_the_commit() -> None:
    room, (ana, _) = circle("Ana", "Luis")
    before = group_of(ana, room)
    frame = patched(room, ana)
    advice = frame.bundle.group
    pending = room_of(ana, room).pending
    assert advice is not None
    assert advice.patch is not None
    assert pending is not None
    assert advice.tree is None
    assert advice.patch.after == known_tree(epoch_key(before), before.tree).name
    after = pending.after
    assert advice.name == known_tree(epoch_key(after), after.tree).name


def test_a_relay_that_needs_the_tree_gets_it_with_the_next_try() -> None:
    world = World()
    room, (ana, luis) = world.circle("Ana", "Luis")
    patched(room, ana)
    effects = refuse(ana, ToPublish, ErrorCode.TREE_NEEDED)
    assert outline(effects) == ["Save", "Transmit BeginUpload"]
    assert room_of(ana, room).pending is None
    world.settle()
    assert ana.replies[77] == Carried()
    assert not room_of(ana, room).live.tree_due
    assert room_of(luis, room).state.name == "Otra"


def test_a_relay_that_never_has_enough_is_not_fed_for_ever() -> None:
    room, (ana, _) = circle("Ana", "Luis")
    published(room, ana)
    (error,) = answers(refuse(ana, ToPublish, ErrorCode.TREE_NEEDED))
    assert isinstance(error, RelayRefusedError)
    assert room_of(ana, room).live.wishes == ()


def test_after_many_patches_the_tree_comes_whole() -> None:
    world = World()
    room, (ana, luis) = world.circle("Ana", "Luis")
    (link,) = room_of(ana, room).links.values()
    counts = []
    for number in range(24):
        ana.get(ChangeRoom(room, f"name {number}"))
        counts.append(len(kept_patches(world, room)))
    assert 0 in counts
    assert max(counts) > 3
    eva = world.person("Eva")
    assert eva.get(JoinRoom(link)) == RoomJoined(room)
    world.wait(1_000)
    assert luis.codes() == ana.codes() == []


def kept_patches(world: World, room: bytes) -> tuple[bytes, ...]:
    entrance = run(world.engine.entrance(room))
    assert entrance is not None
    return entrance.patches


def test_whoever_removes_gives_the_whole_tree() -> None:
    world = World()
    room, (ana, luis, _) = world.circle("Ana", "Luis", "Eva")
    ana.get(ChangeRoom(room, "Otra"))
    assert kept_patches(world, room)
    ana.get(RemoveMember(room, luis.account))
    assert kept_patches(world, room) == ()


def test_a_tree_is_announced_by_size_and_hash() -> None:
    room, (ana, _) = circle("Ana", "Luis")
    announced = begun(room, ana)
    assert announced.room == room
    effect = upload(ana, announced)
    assert len(effect.data) == announced.size
    assert sha256(effect.data).digest() == announced.hash
    assert (effect.ticket, effect.offset) == (b"ticket", 0)


def test_the_frame_goes_when_the_tree_is_whole_and_the_pending_epoch_is_saved() -> None:
    room, (ana, _) = circle("Ana", "Luis")
    effects = published(room, ana)
    assert outline(effects) == ["Save", "Transmit Commit"]
    assert len(saved(effects, PutPending)) == 1
    assert saved(effects, PutEpoch) == []
    (frame,) = sent(effects, frames.Commit)
    pending = room_of(ana, room).pending
    assert pending is not None
    assert (frame.key, frame.handshake) == (pending.key, pending.handshake)
    assert sha256(frame.blob).digest() == pending.blob_hash
    assert isinstance(room_of(ana, room).live.work, Sent)


def test_what_joiners_need_is_of_the_epoch_that_the_commit_starts() -> None:
    room, (ana, _) = circle("Ana", "Luis")
    blob = upload(ana, begun(room, ana), b"t" * 16)
    effects = ana.feed(Uploaded(blob.transfer))
    (frame,) = sent(effects, frames.Commit)
    advice = frame.bundle.group
    pending = room_of(ana, room).pending
    assert advice is not None
    assert pending is not None
    assert advice.tree == frames.BlobReference(
        b"t" * 16, len(blob.data), sha256(blob.data).digest()
    )
    assert advice.patch is None
    policy = room_of(ana, room).policy
    assert policy is not None
    key = open_wrap(member_wrap_key(policy.secret), room, advice.member_wrap)
    given = GivenAdvice(advice.group_info, blob.data, ())
    opened = open_advice(key, room, given)
    assert opened.known.name == advice.name
    assert key.epoch == pending.after.context.epoch
    assert opened.position.place == room_of(ana, room).state.place
    assert len(advice.invites) == len(advice.wraps) == 1


def test_who_is_removed_is_un_routed_and_who_stays_is_routed() -> None:
    world = World()
    room, (ana, luis, eva) = world.circle("Ana", "Luis", "Eva")
    effects = ana.feed(Asked(77, RemoveMember(room, luis.account)))
    ana.outbound.clear()
    (announced,) = sent(effects, frames.BeginUpload)
    effects = finish(ana, announced)
    (frame,) = sent(effects, frames.Commit)
    assert frame.bundle.unroute == (luis.device,)
    assert set(frame.bundle.route) <= {ana.device, eva.device}


def test_an_own_epoch_begins_only_when_its_entry_came_by() -> None:
    room, (ana, _) = circle("Ana", "Luis")
    before = group_of(ana, room)
    published(room, ana)
    number = asked_for(ana, ToPublish)
    head = signed_head(ana.world, room, 40, b"h" * 32)
    assert outline(answer(ana, frames.Accepted(number, 40, 0, head))) == ["Save"]
    assert room_of(ana, room).state.head == head
    assert group_of(ana, room).context.epoch == before.context.epoch
    assert room_of(ana, room).pending is not None


# What comes too late


def test_answers_to_an_earlier_attempt_are_not_taken_for_this_one() -> None:
    room, (ana, _) = circle("Ana", "Luis")
    old = begun(room, ana)
    going = upload(ana, old)
    ana.feed(TransferFailed(going.transfer, "lost"))
    ana.world.now += limits.STORAGE_PAUSE
    effects = ana.feed(Asked(78, CreateInvite(room)))
    (new,) = sent(effects, frames.BeginUpload)
    ana.outbound.clear()
    assert ana.feed(Uploaded(going.transfer)) == []
    (frame,) = sent(finish(ana, new, b"n" * 16), frames.Commit)
    assert frame.bundle.group is not None
    assert frame.bundle.group.tree is not None
    assert frame.bundle.group.tree.blob == b"n" * 16


def test_an_announcement_of_an_earlier_attempt_is_let_be() -> None:
    room, (ana, luis) = circle("Ana", "Luis")
    announced = begun(room, ana)
    luis.get(CreateInvite(room))
    ana.outbound.clear()
    said = frames.Upload(announced.request, bytes(16), 0, b"ticket", 0)
    assert answer(ana, said) == []


def test_a_handshake_that_was_given_up_is_not_answered_for_the_next_one() -> None:
    world = World()
    room, (ana, luis) = world.circle("Ana", "Luis")
    patched(room, ana)
    first = asked_for(ana, ToPublish)
    luis.ask(CreateInvite(room))
    run_until(ana, frames.Commit)
    second = room_of(ana, room).pending
    assert second is not None
    for said in (
        frames.Stale(first, room, 9, ()),
        frames.Refused(first, ErrorCode.ROOM_FULL),
    ):
        waiting = ana.session
        assert answer(ana, said) == []
        assert room_of(ana, room).pending is second
        ana.session = waiting


def test_the_command_goes_on_though_another_handshake_comes_between() -> None:
    world = World()
    room, (ana, luis) = world.circle("Ana", "Luis")
    begun(room, ana)
    luis.get(CreateInvite(room))
    before = world.now
    world.settle()
    assert ana.replies[77] == Carried()
    assert world.now == before


def test_what_nothing_waits_for_changes_nothing() -> None:
    room, (ana, _) = circle("Ana", "Luis")
    announced = begun(room, ana)
    unasked = ana.session
    going = upload(ana, announced)
    waiting = ana.session
    idle = room_of(ana, room).with_live(work=None, stopped=True)
    for rooms in ({room: idle}, {}):
        for item in (Uploaded(going.transfer), TransferFailed(going.transfer, "lost")):
            ana.session = replace(waiting, rooms=rooms)
            assert ana.feed(item) == []
        ana.session = replace(unasked, rooms=rooms)
        said = frames.Upload(announced.request, bytes(16), 0, b"ticket", 0)
        assert answer(ana, said) == []
    ana.session = unasked
    assert answer(ana, frames.Done(announced.request)) == []
    assert isinstance(room_of(ana, room).live.work, Publication)


def test_an_answer_for_a_room_that_is_gone_changes_nothing() -> None:
    room, (ana, _) = circle("Ana", "Luis")
    published(room, ana)
    number = asked_for(ana, ToPublish)
    waiting = ana.session
    ana.session = replace(waiting, rooms={})
    assert answer(ana, frames.Done(number)) == []
    ana.session = waiting
    assert answer(ana, frames.Rooms(number, ())) == []


# Refusals


def test_a_stale_commit_is_made_anew() -> None:
    room, (ana, _) = circle("Ana", "Luis")
    published(room, ana)
    effects = answer(ana, frames.Stale(asked_for(ana, ToPublish), room, 9, ()))
    assert outline(effects) == ["Save", "Transmit FetchEntries"]
    assert room_of(ana, room).pending is None
    assert len(room_of(ana, room).live.wishes) == 1
    assert room_of(ana, room).live.paused <= ana.world.now


def test_a_relay_cannot_keep_a_committer_busy_with_what_is_not_there() -> None:
    world = World()
    room, (ana, _) = world.circle("Ana", "Luis")
    published(room, ana)
    ana.outbound.clear()
    answer(ana, frames.Stale(asked_for(ana, ToPublish), room, 9, ()))
    world.settle()
    assert ana.session.wake_at == world.now + limits.STORAGE_PAUSE
    assert len(room_of(ana, room).live.wishes) == 1
    world.wait(limits.STORAGE_PAUSE)
    assert room_of(ana, room).live.wishes == ()


def test_what_is_stale_without_anything_newer_waits_a_while() -> None:
    room, (ana, _) = circle("Ana", "Luis")
    published(room, ana)
    named = room_of(ana, room).state.handshake
    effects = answer(ana, frames.Stale(asked_for(ana, ToPublish), room, named, ()))
    assert outline(effects) == ["Save"]
    kept = room_of(ana, room)
    assert kept.live.paused == ana.world.now + limits.STORAGE_PAUSE
    assert (kept.live.current, len(kept.live.wishes)) == (False, 1)


def test_a_joiner_that_is_overtaken_begins_anew() -> None:
    world = World()
    room, link = world.room(world.person("Ana"))
    luis = world.person("Luis")
    luis.ask(JoinRoom(link))
    run_until(luis, frames.Join)
    effects = answer(luis, frames.Stale(asked_for(luis, ToPublish), room, 9, ()))
    assert outline(effects) == ["Save", "Transmit RequestAdmission"]


def test_a_relay_cannot_keep_a_founder_busy() -> None:
    ana = World().person("Ana")
    ana.ask(CreateRoom("tertulia"))
    run_until(ana, frames.Repair)
    (room,) = ana.session.rooms
    effects = answer(ana, frames.Stale(asked_for(ana, ToPublish), room, 1, ()))
    assert effects == []
    kept = room_of(ana, room)
    assert (kept.live.work, kept.state.founded) == (None, False)
    assert kept.live.paused == ana.world.now + limits.STORAGE_PAUSE


@pytest.mark.parametrize("code", sorted(LATER - {ErrorCode.UNAVAILABLE}))
def test_a_relay_that_is_busy_gets_a_pause(code: ErrorCode) -> None:
    room, (ana, _) = circle("Ana", "Luis")
    published(room, ana)
    refuse(ana, ToPublish, code, retry_after=1)
    kept = room_of(ana, room)
    assert kept.pending is None
    assert kept.live.paused == ana.world.now + limits.SHORTEST_PAUSE
    assert len(kept.live.wishes) == 1


def test_what_may_be_stored_all_the_same_is_looked_for_in_the_log() -> None:
    world = World()
    room, (ana, _) = world.circle("Ana", "Luis")
    published(room, ana)
    refuse(ana, ToPublish, ErrorCode.UNAVAILABLE)
    kept = room_of(ana, room)
    assert kept.pending is not None
    assert kept.live.route is Route.UNKNOWN
    world.wait(10_000)
    assert ana.replies[77] == Carried()
    assert room_of(ana, room).state.name == "Otra"


def test_a_pause_counts_for_announcements_too() -> None:
    room, (ana, _) = circle("Ana", "Luis")
    begun(room, ana)
    refuse(ana, ToUpload, ErrorCode.UNAVAILABLE)
    kept = room_of(ana, room)
    assert kept.live.work is None
    assert kept.live.paused == ana.world.now + limits.STORAGE_PAUSE
    ana.world.wait(limits.STORAGE_PAUSE)
    assert ana.replies[77] == Carried()


def test_a_relay_that_is_behind_is_fed() -> None:
    room, (ana, _) = circle("Ana", "Luis")
    published(room, ana)
    effects = refuse(ana, ToPublish, ErrorCode.BEHIND, place=1)
    assert "LoadEntries" in outline(effects)
    assert room_of(ana, room).live.refeeding == 1


@pytest.mark.parametrize("purpose", [ToUpload, ToPublish])
def test_a_wish_that_the_relay_will_never_take_is_answered(purpose: type[Any]) -> None:
    room, (ana, _) = circle("Ana", "Luis")
    if purpose is ToUpload:
        begun(room, ana)
    else:
        published(room, ana)
    (error,) = answers(refuse(ana, purpose, ErrorCode.ROOM_FULL))
    assert isinstance(error, RelayRefusedError)
    assert error.reason == "room_full"
    assert room_of(ana, room).live.wishes == ()
    assert room_of(ana, room).pending is None


def test_a_chore_that_the_relay_will_never_take_is_not_tried_at_once() -> None:
    world = World()
    room, (ana, _) = world.circle("Ana", "Luis")
    kept = room_of(ana, room).with_live(tree_due=True)
    alter(ana, kept.with_state(sent=limits.REFRESH_MESSAGES))
    ana.feed(Asked(77, ChangeRoom(room, " ")))
    ana.outbound.clear()
    assert outline(refuse(ana, ToUpload, ErrorCode.ROOM_FULL)) == []
    assert room_of(ana, room).live.work is None
    assert ana.session.wake_at is not None
    assert ana.session.wake_at >= world.now + limits.CHORE_PAUSE


# There is nothing to give back of a room that is being founded.
@pytest.mark.parametrize("code", [ErrorCode.RELAY_FULL, ErrorCode.BEHIND])
def test_a_room_that_the_relay_will_not_have_is_given_up(code: ErrorCode) -> None:
    world = World()
    ana = world.person("Ana")
    ana.feed(Asked(77, CreateRoom("Una")))
    ana.outbound.clear()
    answer(ana, frames.Rooms(ana.session.next_request - 1, ()))
    answer(ana, frames.Done(asked_for(ana, ToCreate)))
    (room,) = ana.session.rooms
    (error,) = answers(refuse(ana, ToUpload, code))
    assert isinstance(error, RelayRefusedError)
    assert status(ana, room) is RoomStatus.LEFT


def test_a_lost_blob_is_sent_again_in_a_while() -> None:
    world = World()
    room, (ana, _) = world.circle("Ana", "Luis")
    going = upload(ana, begun(room, ana))
    assert ana.feed(TransferFailed(going.transfer, "lost")) == []
    assert room_of(ana, room).live.paused == world.now + limits.STORAGE_PAUSE
    world.wait(limits.STORAGE_PAUSE)
    assert ana.replies[77] == Carried()


# Repairs


def test_a_repair_says_what_holds_and_who_belongs() -> None:
    room, (ana, luis) = circle("Ana", "Luis")
    turn = Turn(ana.session, ana.world.now)
    kept = publishing.begin(turn, room_of(ana, room), Repairing(), group_of(ana, room))
    alter(ana, kept)
    ana.session = replace(turn.session, rooms={room: kept})
    (announced,) = sent(turn.effects(), frames.BeginUpload)
    effects = finish(ana, announced)
    (frame,) = sent(effects, frames.Repair)
    assert outline(effects) == ["Transmit Repair"]
    assert set(frame.bundle.route) == {ana.device, luis.device}
    assert frame.handshake == room_of(ana, room).state.handshake
    ana.outbound.clear()
    assert answer(ana, frames.Done(frame.request)) == []
    assert room_of(ana, room).live.work is None


@pytest.mark.parametrize("repairs", [True, False])
def test_who_said_goodbye_meanwhile_is_not_routed_anew(repairs: bool) -> None:  # noqa: FBT001
    room, (ana, luis) = circle("Ana", "Luis")
    if repairs:
        turn = Turn(ana.session, ana.world.now)
        begun = room_of(ana, room)
        begun = publishing.begin(turn, begun, Repairing(), group_of(ana, room))
        ana.session = replace(turn.session, rooms={room: begun})
        (announced,) = sent(turn.effects(), frames.BeginUpload)
    else:
        alter(ana, room_of(ana, room).with_live(tree_due=True))
        effects = ana.feed(Asked(77, ChangeRoom(room, "Otra")))
        (announced,) = sent(effects, frames.BeginUpload)
    leaver = Leaver(group_of(luis, room).leaf_index, luis.device, bytes(64))
    alter(ana, room_of(ana, room).with_state(leavers=(leaver,)))
    effects = finish(ana, announced)
    kind: type[Any] = frames.Repair if repairs else frames.Commit
    (frame,) = sent(effects, kind)
    assert frame.bundle.route == (ana.device,)


def test_a_repair_of_a_room_that_is_over_routes_nobody() -> None:
    room, (ana, _) = circle("Ana", "Luis")
    turn = Turn(ana.session, ana.world.now)
    kept = publishing.begin(turn, room_of(ana, room), Repairing(), group_of(ana, room))
    ana.session = replace(
        turn.session, rooms={room: replace(kept, group=None, links={})}
    )
    (announced,) = sent(turn.effects(), frames.BeginUpload)
    effects = finish(ana, announced)
    (frame,) = sent(effects, frames.Repair)
    assert frame.bundle.route == ()


def test_who_is_not_let_in_at_last_is_told_so() -> None:
    world = World()
    ana = world.person("Ana")
    room, link = world.room(ana)
    luis = world.person("Luis")
    asked = luis.ask(JoinRoom(link))
    run_until(luis, frames.Join)
    (error,) = answers(refuse(luis, ToPublish, ErrorCode.ROOM_FULL))
    assert luis.replies[asked] is error
    assert error.reason == "room_full"
    assert room not in luis.session.rooms


def test_who_enters_reads_from_its_own_entry_on() -> None:
    world = World()
    ana = world.person("Ana")
    room, link = world.room(ana)
    luis = world.person("Luis")
    luis.ask(JoinRoom(link))
    join = run_until(luis, frames.Join)
    head = signed_head(world, room, 7, b"h" * 32)
    effects = answer(luis, frames.Accepted(join.request, 7, 0, head))
    (follow,) = sent(effects, frames.FollowRoom)
    assert (follow.place, follow.hash) == (0, None)
    assert room_of(luis, room).state.place == 6
    assert room_of(luis, room).live.entered


def test_a_repair_that_is_refused_stops_no_member() -> None:
    room, (ana, _) = circle("Ana", "Luis")
    published(room, ana)
    alter(ana, room_of(ana, room).with_live(work=None, wishes=()))
    assert outline(refuse(ana, ToPublish, ErrorCode.NOT_ALLOWED)) == ["Save"]
    assert not room_of(ana, room).live.stopped


def test_who_cannot_come_back_stops_trying() -> None:
    room, (ana, _) = circle("Ana", "Luis")
    published(room, ana)
    lost = room_of(ana, room).with_live(work=None, wishes=())
    alter(ana, lost.with_state(status=RoomStatus.LOST))
    refuse(ana, ToPublish, ErrorCode.NOT_ALLOWED)
    assert room_of(ana, room).live.stopped
