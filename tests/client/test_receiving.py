"""What one entry does: applied, skipped or out of step; opened or void."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import msgspec
import pytest

from tertulia import mls
from tertulia.client import limits
from tertulia.client.annotation import Annotation, InviteClaim, RejoinClaim
from tertulia.client.commands import (
    ChangeName,
    ChangeRoom,
    CreateInvite,
    JoinRoom,
    LeaveRoom,
    RemoveMember,
    SendText,
)
from tertulia.client.content import Greeting, Text
from tertulia.client.effects import (
    Asked,
    FrameArrived,
    NetworkChanged,
    Ticked,
)
from tertulia.client.events import MessageArrived, RoomChanged, SignSeen, Warned
from tertulia.client.handshake_blob import seal_commit
from tertulia.client.identity import POLICY
from tertulia.client.room import Pending, Room, RoomState, Route
from tertulia.client.room_policy import Permissions, Role
from tertulia.client.rows import ChangeKeys, PutEntry, PutEpoch, PutEvidence
from tertulia.client.value_errors import UpdateNeededError
from tertulia.client.views import MessageKind, MessageState, RoomStatus
from tertulia.client.work import Sent
from tertulia.crypto import Rng, Secret
from tertulia.mls.private_message import open_private_message, seal_private_message
from tertulia.mls.secret_tree import RatchetKind
from tertulia.wire import Kind, frames
from tests.client.script import (
    Log,
    Rogue,
    Scene,
    alter,
    answer,
    answers,
    decode,
    emitted,
    evidence,
    follows_a_link,
    group_of,
    lose_path_keys,
    out_of_step,
    outline,
    removal,
    room_of,
    run_until,
    saved,
    status,
    warnings,
)
from tests.client.world import Device, World

# Messages


def test_a_text_uses_up_one_key_and_is_one_line() -> None:
    scene = Scene()
    effects = scene.hear(scene.rogue.text(Text("hola")))
    assert outline(effects) == ["Save", "Emit MessageArrived"]
    assert len(saved(effects, ChangeKeys)) == len(saved(effects, PutEntry)) == 1
    line = scene.last()
    assert (line.kind, line.text, line.state) == (
        MessageKind.TEXT,
        "hola",
        MessageState.RECEIVED,
    )


def test_what_only_a_newer_program_knows_is_shown_as_such() -> None:
    scene = Scene()
    scene.hear(scene.rogue.text(b"\x92\xa4poll\xa3why"))
    assert scene.last().kind is MessageKind.UNKNOWN


def test_of_texts_that_were_passed_over_no_keys_are_kept() -> None:
    scene = Scene()
    for _ in range(3):
        scene.rogue.text(Text("never sent"))
    (keys,) = saved(scene.hear(scene.rogue.text(Text("hola"))), ChangeKeys)
    group = scene.kept.group
    assert group is not None
    sender = scene.rogue.group.leaf_index, RatchetKind.APPLICATION
    ratchet = group.traffic.secret_tree.ratchets[sender]
    assert (ratchet.generation, ratchet.skipped) == (4, {})
    assert all(row is None or len(row) < 100 for row in keys.keys.values())
    scene.hear(scene.rogue.text(Text("buenas")))
    assert scene.last().text == "buenas"


def test_a_greeting_is_no_line() -> None:
    scene = Scene()
    effects = scene.hear(scene.rogue.text(Greeting()))
    assert outline(effects) == ["Save"]


def proposal(scene: Scene) -> bytes:
    framing = mls.Framing(authenticated_data=scene.rogue.annotation().encode())
    _, message = mls.propose(scene.rogue.group, mls.Remove(0), scene.world.rng, framing)
    return mls.encode_message(message)


def public(scene: Scene) -> bytes:
    _, message = mls.propose(
        scene.rogue.group, mls.Remove(0), scene.world.rng, mls.PUBLIC
    )
    return mls.encode_message(message)


VOIDS: dict[str, Callable[[Scene], bytes]] = {
    "garbage": lambda _: b"garbage",
    "nothing": lambda _: b"",
    "no content": lambda scene: scene.rogue.text(b"garbage"),
    "an empty text": lambda scene: scene.rogue.text(Text("")),
    "a proposal": proposal,
    "a message in the clear": public,
    "a commit": lambda scene: mls.encode_message(scene.rogue.commit().message),
    "another key": lambda scene: scene.rogue.text(
        Text("hola"), scene.rogue.annotation(key=b"x" * 16)
    ),
}


@pytest.mark.parametrize("name", ["a commit", "a proposal"])
def test_a_handshake_among_the_texts_is_not_even_opened(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    scene = Scene()
    opened: list[object] = []
    monkeypatch.setattr(mls, "receive", lambda *given: opened.append(given))
    scene.hear(VOIDS[name](scene))
    assert scene.last().kind is MessageKind.VOID
    assert opened == []


@pytest.mark.parametrize("name", VOIDS)
def test_what_does_not_open_is_void_and_the_room_goes_on(name: str) -> None:
    scene = Scene()
    effects = scene.hear(VOIDS[name](scene))
    assert warnings(effects) == [("entry_void", "Luis")]
    assert evidence(effects) == ["entry_void"]
    assert scene.last().state is MessageState.VOID
    scene.hear(scene.rogue.text(Text("on")))
    assert scene.last().text == "on"


def test_a_message_without_an_annotation_is_void() -> None:
    scene = Scene()
    group = scene.rogue.group
    _, message = mls.protect(group, b"\x92\xa4text\xa4hola", scene.world.rng)
    assert warnings(scene.hear(mls.encode_message(message))) == [("entry_void", "Luis")]


def test_a_message_in_somebody_else_s_entry_is_void() -> None:
    scene = Scene("Eva")
    eva = scene.people[2]
    blob = scene.rogue.text(Text("hola"))
    assert warnings(scene.hear(blob, device=eva.device)) == [("entry_void", "Eva")]


def test_the_same_message_twice_is_void_the_second_time() -> None:
    scene = Scene()
    blob = scene.rogue.text(Text("hola"))
    scene.hear(blob)
    assert warnings(scene.hear(blob)) == [("entry_void", "Luis")]


def test_what_retention_removed_is_no_riddle_and_nobody_s_fault() -> None:
    scene = Scene()
    before = len(scene.listener.lines(scene.room))
    effects = scene.hear(None, blob_hash=b"h" * 32)
    assert outline(effects) == ["Save"]
    assert len(scene.listener.lines(scene.room)) == before
    assert scene.kept.state.place == scene.log.place


def test_where_only_admins_post_the_words_of_others_are_void() -> None:
    world = World()
    room, (ana, luis, eva) = world.circle("Ana", "Luis", "Eva")
    policy = room_of(ana, room).policy
    assert policy is not None
    quiet = replace(policy, permissions=Permissions(post=Role.ADMIN))
    owner = Rogue(ana, room)
    owner.publish_commit(mls.GroupContextExtensions((quiet.extension(),)))
    Rogue(luis, room).say(Text("hola"))
    assert eva.lines(room)[-1].state is MessageState.VOID
    assert eva.codes() == ["entry_void"]


# What others saw


def test_who_saw_another_history_is_named_and_what_it_says_is_kept() -> None:
    scene = Scene()
    place = scene.kept.state.place
    for where in (0, place):
        said = scene.rogue.annotation(place=where, hash=b"x" * 32)
        effects = scene.hear(scene.rogue.text(Text("hola"), said))
        assert emitted(effects, Warned) == [
            Warned(scene.room, "history_disputed", "Luis", where)
        ]
        (proof,) = saved(effects, PutEvidence)
        assert Annotation.decode(proof.row.data) == said
        assert scene.last().text == "hola"


def test_what_is_too_long_ago_is_not_compared() -> None:
    scene = Scene()
    alter(scene.listener, replace(scene.kept, hashes={}))
    said = scene.rogue.annotation(place=1, hash=b"x" * 32)
    assert warnings(scene.hear(scene.rogue.text(Text("hola"), said))) == []


def test_who_saw_more_than_i_was_shown_says_that_something_is_held_back() -> None:
    scene = Scene()
    said = scene.rogue.annotation(place=9_999, hash=b"x" * 32)
    heard = warnings(scene.hear(scene.rogue.text(Text("hola"), said)))
    assert heard == [("history_disputed", "Luis")]


def test_the_hashes_of_the_last_entries_are_kept() -> None:
    scene = Scene()
    many = {place: bytes(32) for place in range(-limits.KNOWN_HASHES, 0)}
    alter(scene.listener, replace(scene.kept, hashes=many))
    scene.hear(scene.rogue.text(Text("hola")))
    assert len(scene.kept.hashes) == limits.KNOWN_HASHES
    assert scene.kept.hashes[scene.log.place] == scene.log.hash
    assert -limits.KNOWN_HASHES not in scene.kept.hashes


# The sign


def test_the_first_word_of_the_inviter_is_the_sign() -> None:
    scene = Scene("Eva")
    awaiting = scene.kept.with_state(inviter=scene.rogue.device.account)
    alter(scene.listener, awaiting)
    effects = scene.hear(scene.rogue.text(Greeting()))
    assert emitted(effects, SignSeen) == [SignSeen(scene.room)]
    assert scene.kept.state.inviter == b""
    alter(scene.listener, scene.kept.with_state(inviter=b"x" * 32))
    effects = scene.hear(scene.rogue.text(Greeting()))
    assert emitted(effects, SignSeen) == []


# Handshakes that are applied


def test_a_commit_begins_an_epoch() -> None:
    scene = Scene()
    before = scene.epoch
    effects = scene.hear_commit(scene.rogue.commit())
    assert outline(effects) == ["Save", "Emit RoomChanged"]
    assert len(saved(effects, PutEpoch)) == 1
    assert scene.epoch == before + 1
    assert scene.kept.state.handshake == scene.log.place


def test_what_changed_is_told_line_by_line() -> None:
    world = World()
    room, (ana, luis) = world.circle("Ana", "Luis")
    ana.get(ChangeRoom(room, "Otra", "De todo"))
    ana.get(ChangeName("Ana María"))
    world.settle()
    kinds = [line.kind for line in luis.lines(room)]
    assert kinds[-3:] == [
        MessageKind.RENAMED_ROOM,
        MessageKind.CHANGED_TOPIC,
        MessageKind.RENAMED_MEMBER,
    ]
    kept = room_of(luis, room)
    assert (kept.state.name, kept.state.topic) == ("Otra", "De todo")


def test_a_commit_of_others_ends_what_was_made_for_the_old_epoch() -> None:
    scene = Scene("Eva")
    ana = scene.listener
    effects = ana.feed(Asked(77, ChangeRoom(scene.room, "Otra")))
    assert outline(effects)[-1] == "Transmit Commit"
    effects = scene.hear_commit(scene.rogue.commit())
    # The wish stays, and is begun anew.
    assert outline(effects).count("Transmit Commit") == 1
    after = group_of(ana, scene.room)
    pending = Pending(b"k" * 16, scene.kept.state.handshake, bytes(32), after)
    alter(ana, replace(scene.kept, pending=pending).with_live(work=Sent(None)))
    log, rogue = scene.log, scene.rogue
    assert log.place == scene.kept.state.place
    assert rogue.group.context.epoch == after.context.epoch - 1
    effects = scene.hear(b"garbage", Kind.HANDSHAKE)
    again = scene.kept.pending
    assert again is not None
    assert again.key != pending.key


# Handshakes that are skipped


def sealed(scene: Scene, message: Any) -> bytes:
    policy = scene.kept.policy
    assert policy is not None
    data = mls.encode_message(message)
    return seal_commit(policy.secret, scene.room, data, scene.world.rng)


def broken_tag(scene: Scene) -> bytes:
    group = scene.rogue.group
    secrets = replace(group.epoch.secrets, init_secret=Secret(bytes(32)))
    scene.rogue.group = replace(group, epoch=replace(group.epoch, secrets=secrets))
    return mls.encode_message(scene.rogue.commit().message)


def public_commit(scene: Scene) -> bytes:
    framing = mls.Framing(
        mls.WireFormat.PUBLIC_MESSAGE, scene.rogue.annotation().encode()
    )
    committed = mls.commit(
        scene.rogue.group,
        mls.CommitPlan(framing=framing),
        mls.AcceptEverything(),
        scene.world.rng,
    )
    return sealed(scene, committed.message)


SKIPPED: dict[str, Callable[[Scene], bytes]] = {
    "garbage": lambda _: b"garbage",
    "sealed garbage": lambda _: b"\x01garbage",
    "nothing": lambda _: b"",
    "a text": lambda scene: scene.rogue.text(Text("hola")),
    "a proposal": proposal,
    "in the clear": public,
    "a sealed PrivateMessage": lambda scene: sealed(
        scene, scene.rogue.commit().message
    ),
    "a sealed commit of a member": public_commit,
    "a removal that is not allowed": lambda scene: mls.encode_message(
        scene.rogue.commit(mls.Remove(0)).message
    ),
    "a claim to come in": lambda scene: mls.encode_message(
        scene.rogue.commit(
            annotation=scene.rogue.annotation(RejoinClaim(0, bytes(64)))
        ).message
    ),
    "another key": lambda scene: mls.encode_message(
        scene.rogue.commit(annotation=scene.rogue.annotation(key=b"x" * 16)).message
    ),
    "a wrong confirmation": broken_tag,
}


@pytest.mark.parametrize("name", SKIPPED)
def test_what_everybody_can_see_is_wrong_is_skipped(name: str) -> None:
    scene = Scene("Eva")
    before = scene.epoch
    blob = SKIPPED[name](scene)
    key = b"k" * 16 if name == "another key" else scene.rogue.key
    effects = scene.hear(blob, Kind.HANDSHAKE, key=key)
    assert warnings(effects) == [("handshake_skipped", "Luis")]
    assert scene.epoch == before
    assert scene.kept.state.handshake == scene.log.place
    assert scene.kept.live.repair_at is not None
    assert status(scene.listener, scene.room) is RoomStatus.MEMBER


def test_a_handshake_of_nobody_is_skipped_too() -> None:
    scene = Scene()
    effects = scene.hear(b"garbage", Kind.HANDSHAKE, device=b"x" * 16)
    assert warnings(effects) == [("handshake_skipped", "")]


def test_a_handshake_that_the_relay_no_longer_has_is_out_of_reach() -> None:
    scene = Scene()
    effects = scene.hear(None, Kind.HANDSHAKE, blob_hash=b"h" * 32)
    assert status(scene.listener, scene.room) is RoomStatus.LOST
    assert warnings(effects) == []


def test_rules_of_a_newer_version_stop_the_room_until_the_program_knows_them() -> None:
    scene = Scene(speaker=0)
    policy = scene.kept.policy
    assert policy is not None
    data = (2).to_bytes(2, "big") + policy.encode()[2:]
    newer = mls.GroupContextExtensions((mls.Extension(POLICY, data),))
    before = scene.kept.state
    effects = scene.hear_commit(scene.rogue.commit(newer))
    assert warnings(effects) == [("update_needed", "")]
    assert status(scene.listener, scene.room) is RoomStatus.OUTDATED
    assert saved(effects, PutEntry) == []
    assert scene.kept.state.place == before.place
    scene.listener.crash()
    scene.listener.start()
    assert status(scene.listener, scene.room) is RoomStatus.MEMBER


# In doubt


def test_what_only_i_cannot_open_is_neither_applied_nor_skipped() -> None:
    scene, effects = out_of_step()
    assert warnings(effects) == [("out_of_step", "")]
    (proof,) = saved(effects, PutEvidence)
    assert decode(proof.row.data, frames.Entry).place == scene.log.place
    assert scene.kept.state.doubt == scene.log.place
    assert status(scene.listener, scene.room) is RoomStatus.MEMBER
    assert not scene.kept.may_change


@pytest.mark.parametrize("kind", [Kind.APPLICATION, Kind.HANDSHAKE])
def test_if_the_others_went_on_it_comes_back(kind: Kind) -> None:
    scene, _ = out_of_step()
    # Who made the handshake is believed that: the group's advice tells whether it is so.
    if kind is Kind.APPLICATION:
        effects = scene.hear(scene.rogue.text(Text("hola")))
    else:
        effects = scene.hear_commit(scene.rogue.commit())
    assert status(scene.listener, scene.room) is RoomStatus.LOST
    assert scene.kept.state.doubt is None
    assert "Transmit FetchGroup" in outline(effects)
    assert warnings(effects) == []


def test_in_doubt_a_commit_of_who_made_it_so_is_left_alone() -> None:
    scene = Scene("Eva")
    before = scene.epoch
    luis = scene.rogue.device.account
    doubtful = scene.kept.with_state(doubt=scene.log.place, suspects=(luis,))
    alter(scene.listener, doubtful)
    scene.hear_commit(scene.rogue.commit())
    assert (scene.epoch, scene.kept.state.doubt) == (before, doubtful.state.doubt)


def test_what_does_not_fit_here_in_somebody_else_s_entry_is_skipped_by_all() -> None:
    scene = Scene("Eva")
    lose_path_keys(scene.listener, scene.room)
    committed = scene.rogue.commit()
    effects = scene.hear_commit(committed, device=scene.people[2].device)
    assert warnings(effects) == [("handshake_skipped", "Eva")]
    assert scene.kept.state.doubt is None


def test_in_doubt_garbage_is_nobody_s_fault() -> None:
    scene, _ = out_of_step()
    for kind in (Kind.APPLICATION, Kind.HANDSHAKE):
        effects = scene.hear(b"garbage", kind)
        assert warnings(effects) == []
        assert scene.kept.state.doubt is not None


def test_who_is_removed_hears_it_and_asks_whether_it_is_true() -> None:
    scene = Scene("Eva", speaker=0)
    effects = scene.hear_commit(removal(scene))
    assert status(scene.listener, scene.room) is RoomStatus.REMOVED
    assert scene.kept.state.doubt == scene.log.place
    assert scene.last().kind is MessageKind.REMOVED
    assert scene.last().sender.name == "Ana"
    assert "Transmit ListRooms" in outline(effects)
    assert emitted(effects, RoomChanged) == [RoomChanged(scene.room)]
    assert scene.kept.group is not None


def test_who_enters_and_is_removed_once_more_enters_all_the_same() -> None:
    scene = follows_a_link(speaker=0)
    scene.hear_commit(removal(scene))
    assert status(scene.listener, scene.room) is RoomStatus.JOINING
    assert scene.kept.state.doubt == scene.log.place


def test_who_enters_a_room_of_newer_rules_is_told_to_update() -> None:
    scene = follows_a_link(speaker=0)
    policy = scene.kept.policy
    assert policy is not None
    data = (2).to_bytes(2, "big") + policy.encode()[2:]
    newer = mls.GroupContextExtensions((mls.Extension(POLICY, data),))
    effects = scene.hear_commit(scene.rogue.commit(newer))
    assert [type(each) for each in answers(effects)] == [UpdateNeededError]
    assert status(scene.listener, scene.room) is RoomStatus.OUTDATED


def test_who_enters_and_misses_a_handshake_enters_anew() -> None:
    scene = follows_a_link()
    scene.hear(None, Kind.HANDSHAKE, blob_hash=b"h" * 32)
    state = scene.kept.state
    assert (state.status, state.former) == (RoomStatus.JOINING, RoomStatus.LOST)


@pytest.mark.parametrize("kind", [Kind.APPLICATION, Kind.HANDSHAKE])
def test_who_was_lost_and_enters_looks_for_its_own_entry_only(kind: Kind) -> None:
    scene = follows_a_link()
    lost = scene.kept.with_state(former=RoomStatus.LOST, doubt=None)
    alter(scene.listener, lost)
    effects = scene.hear(b"garbage", kind)
    effects = [*effects, *scene.hear(b"attempt", kind, device=scene.listener.device)]
    assert warnings(effects) == []
    assert evidence(effects) == []
    assert status(scene.listener, scene.room) is RoomStatus.JOINING


# Entries of my own


def test_who_is_back_sends_again_what_it_has_not_seen_in_the_log() -> None:
    """The relay took it; its entry is in the part that is not read any more."""
    world = World()
    room, (ana, luis) = world.circle("Ana", "Luis")
    luis.ask(SendText(room, "hola"))
    luis.outbound.append(run_until(luis, frames.Append))
    world.deliver(luis)
    pushed, accepted = luis.inbox
    luis.inbox.remove(pushed)  # lost
    luis.take()
    assert isinstance(accepted, FrameArrived)
    assert isinstance(accepted.frame, frames.Accepted)
    alter(luis, room_of(luis, room).with_state(status=RoomStatus.LOST))
    luis.feed(Ticked())
    world.settle()
    assert status(luis, room) is RoomStatus.MEMBER
    assert ana.texts(room) == luis.texts(room) == ["hola"]
    assert room_of(luis, room).outbox == ()


def test_an_own_entry_that_this_vault_never_sent_makes_another_device() -> None:
    for kind in (Kind.APPLICATION, Kind.HANDSHAKE):
        scene = Scene()
        before = scene.listener.device
        effects = scene.hear(b"blob", kind, device=before)
        assert "vault_cloned" in [code for code, _ in warnings(effects)]
        assert scene.listener.device != before
        assert evidence(effects) == ["entry_void"]


def test_an_own_entry_of_before_the_keys_is_nothing() -> None:
    scene = Scene()
    empty = Room(scene.room, RoomState(RoomStatus.LOST, hash=scene.kept.state.hash))
    empty = empty.with_state(place=scene.kept.state.place)
    alter(scene.listener, empty.with_live(route=Route.NONE, stopped=True))
    device = scene.listener.device
    assert evidence(scene.hear(b"blob", device=device)) == []
    assert evidence(scene.hear(b"blob", Kind.HANDSHAKE, device=b"x" * 16)) == []
    assert evidence(scene.hear(b"blob", device=b"x" * 16)) == []
    assert scene.listener.device == device


def sending(scene: Scene) -> frames.Append:
    scene.listener.feed(Asked(77, SendText(scene.room, "hola")))
    frame = scene.listener.outbound.pop()
    assert isinstance(frame, frames.Append)
    return frame


def test_an_own_message_that_came_by_is_stored() -> None:
    scene = Scene()
    frame = sending(scene)
    scene.hear(frame.blob, device=scene.listener.device, key=frame.key)
    assert scene.last().state is MessageState.STORED
    assert scene.kept.outbox == ()


def test_of_several_own_messages_the_right_one_is_stored() -> None:
    scene = Scene()
    frame = sending(scene)
    scene.listener.feed(Asked(78, SendText(scene.room, "later")))
    first, second = scene.kept.outbox
    alter(scene.listener, replace(scene.kept, outbox=(second, first)))
    scene.hear(frame.blob, device=scene.listener.device, key=frame.key)
    assert [kept.key for kept in scene.kept.outbox] == [second.key]


def test_an_own_message_that_was_altered_is_proof_against_the_relay() -> None:
    scene = Scene()
    frame = sending(scene)
    effects = scene.hear(b"other", device=scene.listener.device, key=frame.key)
    assert warnings(effects) == [("entry_altered", "")]
    assert evidence(effects) == ["entry_altered"]
    assert scene.last().state is MessageState.FAILED


def committing(scene: Scene) -> frames.Commit:
    scene.listener.ask(ChangeRoom(scene.room, "Otra"))
    return run_until(scene.listener, frames.Commit)


def test_an_own_commit_that_came_by_begins_the_epoch() -> None:
    scene = Scene()
    frame = committing(scene)
    effects = scene.hear(
        frame.blob, Kind.HANDSHAKE, device=scene.listener.device, key=frame.key
    )
    assert outline(effects) == [
        "Save",
        "Emit MessageArrived",
        "Emit RoomChanged",
        "Reply Carried",
    ]
    assert scene.kept.state.name == "Otra"
    assert scene.kept.pending is None
    assert scene.last().kind is MessageKind.RENAMED_ROOM


def test_an_own_commit_that_was_altered_is_skipped_as_all_others_do() -> None:
    scene = Scene()
    frame = committing(scene)
    before = scene.epoch
    effects = scene.hear(
        b"other", Kind.HANDSHAKE, device=scene.listener.device, key=frame.key
    )
    assert [code for code, _ in warnings(effects)] == [
        "entry_altered",
        "handshake_skipped",
    ]
    assert scene.epoch == before
    again = scene.kept.pending
    assert again is not None  # the wish is begun anew
    assert again.key != frame.key


@pytest.mark.parametrize("taken", [True, False])
def test_a_commit_of_before_a_crash_is_found_or_given_up(taken: bool) -> None:  # noqa: FBT001
    world = World()
    room, (ana, luis) = world.circle("Ana", "Luis")
    ana.ask(ChangeRoom(room, "Otra"))
    frame = run_until(ana, frames.Commit)
    if taken:
        ana.outbound.append(frame)
        world.deliver(ana)
    ana.crash()
    ana.start()
    world.wait(2_000)
    assert room_of(ana, room).pending is None
    name = "Otra" if taken else "tertulia"
    assert room_of(ana, room).state.name == room_of(luis, room).state.name == name
    ana.say(room, "hola")
    assert luis.texts(room) == ["hola"]
    assert ana.codes() == luis.codes() == []


def test_my_commit_takes_along_who_said_goodbye_and_nobody_is_told_twice() -> None:
    world = World()
    room, (ana, luis, eva) = world.circle("Ana", "Luis", "Eva")
    luis.get(LeaveRoom(room))
    ana.get(CreateInvite(room))
    for each in (ana, eva):
        kinds = [line.kind for line in each.lines(room)]
        assert kinds.count(MessageKind.LEFT) == 1
        assert MessageKind.REMOVED not in kinds
        assert len(list(group_of(each, room).tree.members())) == 2


def test_who_joins_by_an_own_link_awaits_no_sign() -> None:
    world = World()
    room, (ana, luis) = world.circle("Ana", "Luis")
    made = luis.get(CreateInvite(room))
    luis.get(LeaveRoom(room))
    world.wait(20_000)
    luis.get(JoinRoom(made.link))
    assert room_of(luis, room).state.inviter == b""
    assert status(luis, room) is RoomStatus.MEMBER
    eva = world.person("Eva")
    ana.get(RemoveMember(room, luis.account))
    (link,) = (ana.get(CreateInvite(room)).link,)
    eva.get(JoinRoom(link))
    assert room_of(eva, room).state.inviter == ana.account


def test_a_joiner_is_shown_to_all_and_shows_itself_only_that() -> None:
    world = World()
    room, (ana, luis) = world.circle("Ana", "Luis")
    for each in (ana, luis):
        (line,) = [line for line in each.lines(room) if line.kind is MessageKind.JOINED]
        assert line.sender.name == "Luis"
    assert len(luis.seen(MessageArrived)) == 1


def test_an_invite_that_is_not_listed_lets_nobody_in() -> None:
    scene = Scene()
    said = scene.rogue.annotation(InviteClaim(b"x" * 16, bytes(64)))
    assert warnings(scene.hear_commit(scene.rogue.commit(annotation=said))) == [
        ("handshake_skipped", "Luis")
    ]


def test_who_comes_back_did_not_do_what_others_did() -> None:
    world = World()
    room, (ana, luis) = world.circle("Ana", "Luis")
    alter(luis, room_of(luis, room).with_state(status=RoomStatus.LOST))
    luis.alive = False
    ana.get(ChangeRoom(room, "Otra"))
    luis.alive = True
    luis.inbox.append(NetworkChanged())
    world.wait(3_000)
    assert status(luis, room) is RoomStatus.MEMBER
    assert room_of(luis, room).state.name == "Otra"
    renamed = MessageKind.RENAMED_ROOM
    tellers = {line.sender.name for line in luis.lines(room) if line.kind is renamed}
    assert "Luis" not in tellers


# What others could do with what is mine


def my_words_again(group: mls.Group, blob: bytes, rng: Rng) -> bytes:
    """Seal what somebody signed once more, ahead of where that one's ratchet is."""
    message = mls.decode_message(blob)
    assert isinstance(message, mls.PrivateMessage)
    keys = group.private_message_keys()
    tree, opened = open_private_message(group.suite, keys, message)
    signed = opened.take_for_checking()
    assert isinstance(signed.content.sender, mls.MemberSender)
    leaf = signed.content.sender.leaf_index
    for _ in range(8):
        tree, _, _ = tree.next_key(group.suite, leaf, RatchetKind.APPLICATION)
    ahead = replace(keys, secret_tree=tree)
    _, forged = seal_private_message(group.suite, ahead, signed, 100, rng)
    return mls.encode_message(forged)


def test_my_own_words_in_somebody_elses_entry_are_void() -> None:
    world = World()
    room, (ana, luis) = world.circle("Ana", "Luis")
    before = group_of(luis, room)
    ana.say(room, "hola")
    blob = entry_of(luis, room, ana.device).blob
    assert blob is not None
    forged = my_words_again(before, blob, world.rng)
    Rogue(luis, room).append(forged, ana.world.rng(16))
    assert ana.texts(room) == ["hola"]
    assert ana.codes() == ["entry_void"]
    ana.crash()
    ana.start()
    ana.world.settle()
    assert status(ana, room) is RoomStatus.MEMBER


def test_an_entry_shown_again_later_erases_nothing() -> None:
    room, (ana, luis) = World().circle("Ana", "Luis")
    luis.say(room, "I owe you 100")
    entry = entry_of(ana, room, luis.device)
    assert entry.blob is not None
    log = Log.after(ana, room)
    answer(ana, log.page(log.entry(entry.blob, entry.device, entry.key)))
    assert ana.texts(room) == ["I owe you 100"]
    assert ana.lines(room)[-1].kind is MessageKind.VOID


def entry_of(device: Device, room: bytes, sender: bytes) -> frames.Entry:
    """The last application entry of a sender, as somebody's disk has it."""
    rows = sorted(
        (row for (name, _), row in device.disk.entries.items() if name == room),
        key=lambda row: row.place,
    )
    entries = [msgspec.msgpack.decode(row.entry, type=frames.Entry) for row in rows]
    return next(
        entry
        for entry in reversed(entries)
        if entry.device == sender and entry.kind is Kind.APPLICATION
    )
