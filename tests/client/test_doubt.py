"""Who can tell what became of a handshake that this device cannot judge."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TypeAlias

import pytest

from tertulia import mls
from tertulia.client import doubt
from tertulia.client.annotation import Annotation
from tertulia.client.commands import CreateInvite, RoomJoined, SendText
from tertulia.client.content import Text
from tertulia.client.effects import Asked, Effect, NetworkChanged
from tertulia.client.identity import member_of
from tertulia.client.judgement import RULES
from tertulia.client.room import Room, Route
from tertulia.client.turn import Turn
from tertulia.client.views import MessageState, RoomStatus
from tertulia.wire import frames
from tests.client.script import (
    Rogue,
    Scene,
    alter,
    answers,
    decode,
    follows_a_link,
    group_of,
    lose_path_keys,
    out_of_step,
    outline,
    removal,
    room_of,
    status,
)
from tests.client.world import Device, World

EVA = 2

Speaks: TypeAlias = Callable[[Scene, Rogue], Sequence[Effect]]


def says(scene: Scene, rogue: Rogue, text: str = "hola") -> Sequence[Effect]:
    """Let somebody speak who has read all there is."""
    said = rogue.annotation(place=scene.log.place, hash=scene.log.hash)
    blob = rogue.text(Text(text), said)
    return scene.hear(blob, device=rogue.device.device, key=rogue.key)


def commits(scene: Scene, rogue: Rogue) -> Sequence[Effect]:
    said = rogue.annotation(place=scene.log.place, hash=scene.log.hash)
    committed = rogue.commit(annotation=said)
    device, key = rogue.device.device, rogue.key
    effects = scene.hear_commit(committed, device=device, key=key)
    rogue.group = committed.after
    return effects


def elsewhere(scene: Scene, rogue: Rogue) -> Sequence[Effect]:
    """Let somebody claim the epoch after the listener's."""
    message = mls.decode_message(rogue.text(Text("elsewhere")))
    assert isinstance(message, mls.PrivateMessage)
    blob = mls.encode_message(replace(message, epoch=scene.epoch + 1))
    return scene.hear(blob, device=rogue.device.device, key=rogue.key)


def eva_of(scene: Scene) -> Rogue:
    return Rogue(scene.people[EVA], scene.room)


def cheated() -> Scene:
    """Let the listener be in doubt; who made it so goes on in the old epoch."""
    scene = Scene("Eva")
    good = scene.kept.group
    lose_path_keys(scene.listener, scene.room)
    scene.hear_commit(scene.rogue.commit())
    alter(scene.listener, replace(scene.kept, group=good))
    scene.rogue.group = group_of(scene.rogue.device, scene.room)
    return scene


def told_out() -> Scene:
    """Let the listener be told by a member that it is out, and let it read on."""
    scene = Scene("Eva", speaker=0)
    scene.hear_commit(removal(scene))
    alter(scene.listener, scene.kept.with_live(route=Route.OPEN, current=True))
    return scene


def is_in_doubt(scene: Scene) -> bool:
    return scene.kept.state.doubt is not None


# Somebody who can tell


@pytest.mark.parametrize("speaks", [says, commits])
def test_if_the_others_did_not_it_goes_on_as_before(speaks: Speaks) -> None:
    scene = cheated()
    speaks(scene, eva_of(scene))
    assert not is_in_doubt(scene)
    assert scene.kept.may_change
    assert status(scene.listener, scene.room) is RoomStatus.MEMBER


@pytest.mark.parametrize("speaks", [says, commits])
def test_a_removal_that_the_others_skip_is_none(speaks: Speaks) -> None:
    scene = told_out()
    speaks(scene, eva_of(scene))
    assert status(scene.listener, scene.room) is RoomStatus.MEMBER
    assert not is_in_doubt(scene)


def test_a_removal_that_the_others_applied_is_the_end() -> None:
    scene = Scene("Eva", speaker=0)
    scene.listener.feed(Asked(77, SendText(scene.room, "waits")))
    scene.hear_commit(removal(scene))
    elsewhere(scene, eva_of(scene))
    assert status(scene.listener, scene.room) is RoomStatus.REMOVED
    assert scene.kept.group is None
    assert scene.kept.outbox == ()
    states = [line.state for line in scene.listener.lines(scene.room)]
    assert states[-1] is MessageState.FAILED


# Somebody who cannot, or is not to be believed


def test_who_made_it_cannot_end_the_doubt_by_a_word_in_the_old_epoch() -> None:
    """The others are in the next one: who went on would speak to nobody but that one."""
    scene = cheated()
    says(scene, scene.rogue, "we are all here")
    assert is_in_doubt(scene)
    assert not scene.kept.may_change
    elsewhere(scene, eva_of(scene))
    assert status(scene.listener, scene.room) is RoomStatus.LOST


def test_who_made_it_leads_nobody_into_further_epochs() -> None:
    scene = cheated()
    before = scene.epoch
    commits(scene, scene.rogue)
    assert (scene.epoch, is_in_doubt(scene)) == (before, True)
    elsewhere(scene, eva_of(scene))
    assert status(scene.listener, scene.room) is RoomStatus.LOST


def test_who_said_that_i_am_out_settles_it_in_neither_epoch() -> None:
    scene = told_out()
    says(scene, scene.rogue, "you are in")
    elsewhere(scene, scene.rogue)
    assert status(scene.listener, scene.room) is RoomStatus.REMOVED
    assert is_in_doubt(scene)
    assert scene.kept.group is not None
    says(scene, eva_of(scene), "still with us")
    assert status(scene.listener, scene.room) is RoomStatus.MEMBER


def test_who_was_told_that_it_is_out_goes_along_with_a_further_commit() -> None:
    """If they skipped the removal, their next epoch is no proof that they did not."""
    scene = told_out()
    before = scene.epoch
    eva = eva_of(scene)
    commits(scene, scene.rogue)
    assert (scene.epoch, is_in_doubt(scene)) == (before + 1, True)
    received = mls.receive(eva.group, last_commit(scene), RULES)
    assert isinstance(received, mls.ReceivedCommit)
    eva.group = received.group
    says(scene, eva, "still with us")
    assert status(scene.listener, scene.room) is RoomStatus.MEMBER


def last_commit(scene: Scene) -> mls.PrivateMessage:
    row = scene.listener.disk.entries[scene.room, scene.log.place]
    blob = decode(row.entry, frames.Entry).blob
    message = mls.decode_message(blob or b"")
    assert isinstance(message, mls.PrivateMessage)
    return message


def test_a_stranger_s_word_of_a_later_epoch_ends_it() -> None:
    scene = told_out()
    message = mls.decode_message(scene.rogue.text(Text("elsewhere")))
    assert isinstance(message, mls.PrivateMessage)
    blob = mls.encode_message(replace(message, epoch=scene.epoch + 1))
    scene.hear(blob, device=b"x" * 16)
    assert scene.kept.group is None


def test_who_had_not_seen_it_says_nothing_of_it() -> None:
    """A relay could keep such a word back until then."""
    scene = cheated()
    eva = eva_of(scene)
    assert room_of(eva.device, scene.room).state.place < (scene.kept.state.doubt or 0)
    blob = eva.text(Text("written before"))
    scene.hear(blob, device=eva.device.device, key=eva.key)
    assert scene.last().text == "written before"
    assert is_in_doubt(scene)
    says(scene, eva, "written after")
    assert not is_in_doubt(scene)


def test_another_device_of_the_same_account_is_no_other_witness() -> None:
    scene = cheated()
    turn = Turn(scene.listener.session, scene.world.now)
    group = group_of(scene.listener, scene.room)
    luis = member_of(group.leaf_of(scene.rogue.group.leaf_index))
    eva = member_of(group.leaf_of(eva_of(scene).group.leaf_index))
    seen = Annotation(bytes(16), scene.log.place, scene.log.hash)
    other = doubt.Voice(9, replace(luis, device=b"x" * 16), seen)
    assert doubt.heard_inside(turn, scene.kept, other) is scene.kept
    witness = doubt.heard_inside(turn, scene.kept, doubt.Voice(9, eva, seen))
    assert witness.state.doubt is None


def test_a_second_doubt_forgets_nobody_who_made_the_first() -> None:
    scene = cheated()
    (luis,) = scene.kept.state.suspects
    lose_path_keys(scene.listener, scene.room)
    eva = eva_of(scene)
    said = eva.annotation(place=scene.log.place, hash=scene.log.hash)
    committed = eva.commit(annotation=said)
    scene.hear_commit(committed, device=eva.device.device, key=eva.key)
    assert scene.kept.state.suspects == (luis, eva.device.account)


def test_who_makes_doubts_again_and_again_is_remembered_once() -> None:
    scene = cheated()
    suspects = scene.kept.state.suspects
    lose_path_keys(scene.listener, scene.room)
    scene.hear_commit(scene.rogue.commit())
    assert scene.kept.state.doubt == scene.log.place
    assert scene.kept.state.suspects == suspects


# An epoch that was entered and where nobody was heard


@pytest.mark.parametrize(("reports", "looks"), [(0, True), (1, False)])
def test_who_waits_for_advice_to_be_mended_does_not_look_again_at_once(
    reports: int,
    looks: bool,  # noqa: FBT001
) -> None:
    scene = Scene("Eva")
    unsure = scene.kept.with_state(unconfirmed=True)
    alter(scene.listener, unsure.with_live(reports=reports, current=False))
    elsewhere(scene, scene.rogue)
    assert scene.kept.live.repair_at == (scene.world.now if looks else None)


def test_a_word_in_the_epoch_that_was_entered_asks_for_no_look() -> None:
    scene = Scene("Eva")
    alter(scene.listener, scene.kept.with_state(unconfirmed=True, link="link"))
    says(scene, scene.rogue, "welcome")
    assert scene.kept.live.repair_at is None
    assert (scene.kept.state.unconfirmed, scene.kept.state.link) == (False, "")


def test_who_just_entered_and_is_cheated_at_once_comes_back_too() -> None:
    scene = cheated()
    alter(scene.listener, scene.kept.with_state(unconfirmed=True))
    elsewhere(scene, eva_of(scene))
    assert status(scene.listener, scene.room) is RoomStatus.LOST


def test_of_a_room_without_keys_nothing_is_learned() -> None:
    scene = cheated()
    turn = Turn(scene.listener.session, scene.world.now)
    gone: Room = replace(scene.kept, group=None)
    entry = scene.log.entry(b"", b"", b"")
    assert doubt.resolve(turn, gone, entry, 99) is gone


# Following a link meanwhile


def test_who_enters_and_hears_that_it_is_out_enters_all_the_same() -> None:
    scene = follows_a_link()
    effects = elsewhere(scene, scene.rogue)
    assert answers(effects) == []
    state = scene.kept.state
    assert (state.status, state.former) == (RoomStatus.JOINING, RoomStatus.REMOVED)
    assert state.doubt is None
    assert state.link
    assert scene.kept.group is None


# Whole stories


def test_in_doubt_nothing_is_said() -> None:
    scene, _ = out_of_step()
    effects = scene.listener.feed(Asked(77, SendText(scene.room, "hola")))
    assert outline(effects) == ["Save", "Emit MessageArrived", "Reply MessageKept"]


def test_who_is_out_of_step_comes_back_by_itself() -> None:
    world = World()
    room, (ana, luis, eva) = world.circle("Ana", "Luis", "Eva")
    lose_path_keys(luis, room)
    ana.get(CreateInvite(room))
    ana.say(room, "one")
    world.wait(5_000)
    assert status(luis, room) is RoomStatus.MEMBER
    luis.say(room, "two")
    assert ana.texts(room) == eva.texts(room) == ["one", "two"]
    assert luis.texts(room)[-1] == "two"
    assert ana.codes() == eva.codes() == []


def test_in_doubt_it_goes_along_with_who_comes_from_outside() -> None:
    """The others skip the removal; an outsider begins the next epoch all the same."""
    world, room, people, group = half_removed()
    ana, luis, eva = people
    rejoin(ana, room)
    assert group_of(luis, room).context.epoch == group.context.epoch + 1
    assert status(luis, room) is RoomStatus.REMOVED
    assert not room_of(luis, room).may_change
    ana.say(room, "I know as little")
    assert status(luis, room) is RoomStatus.REMOVED
    eva.say(room, "still with us")
    assert status(luis, room) is RoomStatus.MEMBER
    assert room_of(luis, room).state.doubt is None
    assert luis.texts(room) == ["I know as little", "still with us"]
    luis.say(room, "here")
    world.wait(10_000)
    assert ana.texts(room) == eva.texts(room) == luis.texts(room)


def test_who_enters_and_hears_that_it_was_never_out_is_answered() -> None:
    scene = follows_a_link()
    effects = scene.hear(scene.rogue.text(Text("still with us")))
    assert answers(effects) == [RoomJoined(scene.room, already=True)]
    assert status(scene.listener, scene.room) is RoomStatus.MEMBER
    assert scene.last().text == "still with us"


def half_removed() -> tuple[World, bytes, list[Device], mls.Group]:
    """Let Luis, and nobody else, take for valid a commit that removes him."""
    world = World()
    room, people = world.circle("Ana", "Luis", "Eva")
    ana, luis, _ = people
    before = group_of(ana, room)
    kept = room_of(luis, room)
    alter(luis, kept.with_state(status=RoomStatus.REMOVED, doubt=kept.state.place))
    return world, room, people, before


def rejoin(device: Device, room: bytes) -> None:
    """Let somebody come in again from outside."""
    alter(device, room_of(device, room).with_state(status=RoomStatus.LOST))
    device.inbox.append(NetworkChanged())
    device.world.settle()
    assert status(device, room) is RoomStatus.MEMBER


def test_a_newcomer_s_commit_settles_nothing_either() -> None:
    _, room, (ana, luis, eva), group = half_removed()
    rejoin(ana, room)
    ana.get(CreateInvite(room))
    assert group_of(luis, room).context.epoch == group.context.epoch + 2
    assert room_of(luis, room).state.doubt is not None
    eva.get(CreateInvite(room))
    assert status(luis, room) is RoomStatus.MEMBER
    assert group_of(luis, room).context == group_of(eva, room).context


def test_a_second_doubt_forgets_no_newcomer() -> None:
    _, room, (ana, luis, eva), _ = half_removed()
    rejoin(ana, room)
    newcomers = room_of(luis, room).state.newcomers
    assert newcomers == (group_of(ana, room).leaf_index,)
    rejoin(ana, room)
    assert room_of(luis, room).state.newcomers == newcomers
    lose_path_keys(luis, room)
    eva.get(CreateInvite(room))
    assert room_of(luis, room).state.doubt == room_of(luis, room).state.place
    assert room_of(luis, room).state.newcomers == newcomers
    ana.say(room, "the others went on")
    assert status(luis, room) is RoomStatus.REMOVED
    assert room_of(luis, room).group is None


def test_without_doubt_nobody_is_a_newcomer() -> None:
    world = World()
    room, (ana, luis) = world.circle("Ana", "Luis")
    rejoin(ana, room)
    assert room_of(luis, room).state.newcomers == ()
