"""Commits for wishes: what each one does, and what it does besides."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from tertulia.client import committing, leaving, limits
from tertulia.client.annotation import Annotation, LeavingClaims, NoClaim
from tertulia.client.commands import (
    ChangeName,
    ChangeRoom,
    CreateInvite,
    LeaveRoom,
    RemoveMember,
    RevokeInvite,
)
from tertulia.client.effects import Effect, Reply
from tertulia.client.errors import (
    NoSuchInviteError,
    NoSuchMemberError,
    NotPermittedError,
)
from tertulia.client.identity import member_of
from tertulia.client.invites import InviteTerms, new_invite
from tertulia.client.queries import invite_views, member_views
from tertulia.client.room import Leaver, Room, RoomState
from tertulia.client.room_policy import RoomPolicy, policy_of
from tertulia.client.turn import Turn
from tertulia.client.value_errors import BadNameError, PolicyTooLargeError
from tertulia.client.views import RoomStatus
from tertulia.client.wishes import wish
from tertulia.client.work import (
    AddInvite,
    Aim,
    Committing,
    DropInvite,
    Expel,
    HandOver,
    Introduce,
    Publication,
    Refresh,
    Rename,
)
from tertulia.mls import Change, Remove
from tests.client.script import group_of, outline, room_of
from tests.client.society import policy_in, seeded
from tests.client.society import room_of as group_room
from tests.client.world import Device, World


def circle(*names: str) -> tuple[bytes, list[Device]]:
    return World().circle(*names)


def begin(
    device: Device, room: bytes | Room, *aims: Aim
) -> tuple[Room, Sequence[Effect]]:
    """Return the room once the first wish that can be is on its way, and what is done."""
    turn = Turn(device.session, device.world.now)
    kept = room_of(device, room) if isinstance(room, bytes) else room
    for number, aim in enumerate(aims):
        kept = wish(turn, kept, aim, number)
    # With a whole tree to upload the commit is still at hand afterwards.
    kept = committing.begin(turn, kept.with_live(tree_due=True))
    turn.put(kept)
    return kept, turn.effects()


def made(room: Room) -> Change:
    """Return what the commit under way does."""
    work = room.live.work
    assert isinstance(work, Publication)
    assert isinstance(work.end, Committing)
    return work.end.committed.change


def policy_after(room: Room) -> RoomPolicy:
    return policy_of(made(room).context_after)


def refusal(device: Device, room: bytes | Room, aim: Aim) -> Any:
    """Return why a wish cannot be."""
    kept, effects = begin(device, room, aim)
    (reply,) = [each for each in effects if isinstance(each, Reply)]
    assert kept.live.work is None
    assert kept.live.wishes == ()
    return reply.answer


def invite_of(device: Device) -> AddInvite:
    secret, invite = new_invite(
        device.session.profile.account_public, InviteTerms(), seeded("invite")
    )
    return AddInvite(invite, secret.reveal())


def leaver_of(device: Device, room: bytes) -> Leaver:
    said = leaving.statement(Turn(device.session, 0), group_of(device, room))
    return Leaver(group_of(device, room).leaf_index, device.device, said.signature)


def test_a_commit_says_what_its_maker_had_seen() -> None:
    room, (ana, _) = circle("Ana", "Luis")
    kept, effects = begin(ana, room, Refresh())
    work = kept.live.work
    assert isinstance(work, Publication)
    assert isinstance(work.end, Committing)
    state = room_of(ana, room).state
    assert Annotation.decode(made(kept).authenticated_data) == Annotation(
        work.end.key, state.place, state.hash or b"", NoClaim()
    )
    # The key it took is on the disk before anything goes out.
    assert outline(effects) == ["Save", "Transmit BeginUpload"]
    assert work.handshake == state.handshake


def test_fresh_keys_change_nothing_else() -> None:
    room, (ana, _) = circle("Ana", "Luis")
    kept, _ = begin(ana, room, Refresh())
    assert made(kept).proposals == ()
    assert policy_after(kept) == room_of(ana, room).policy
    assert made(kept).new_leaf is not None


def test_an_invite_is_listed_and_dropped() -> None:
    room, (ana, _) = circle("Ana", "Luis")
    aim = invite_of(ana)
    kept, _ = begin(ana, room, aim)
    first, second = policy_after(kept).invites
    assert second == aim.invite
    kept, _ = begin(ana, room, DropInvite(first.invite))
    assert policy_after(kept).invites == ()
    assert isinstance(refusal(ana, room, DropInvite(b"x" * 16)), NoSuchInviteError)


def test_a_room_s_name_and_topic_change_one_by_one() -> None:
    room, (ana, _) = circle("Ana", "Luis")
    kept, _ = begin(ana, room, Rename(" Otra ", None))
    assert (policy_after(kept).name, policy_after(kept).topic) == ("Otra", "")
    kept, _ = begin(ana, room, Rename(None, "De todo"))
    assert (policy_after(kept).name, policy_after(kept).topic) == (
        "tertulia",
        "De todo",
    )
    assert isinstance(refusal(ana, room, Rename("", None)), BadNameError)


def test_a_new_name_stands_in_the_leaf() -> None:
    room, (ana, luis) = circle("Ana", "Luis")
    luis.session = replace(
        luis.session, profile=replace(luis.session.profile, name="Luis M.")
    )
    kept, _ = begin(luis, room, Introduce())
    leaf = made(kept).new_leaf
    assert leaf is not None
    assert member_of(leaf).name == "Luis M."
    assert ana.device != luis.device


# Removing


def test_who_is_expelled_goes_with_all_devices_and_links() -> None:
    world = World()
    room, (ana, luis, eva) = world.circle("Ana", "Luis", "Eva")
    once = luis.get(CreateInvite(room, uses=1))
    kept_one = ana.get(CreateInvite(room, uses=1))
    ana.get(CreateInvite(room))
    kept, _ = begin(ana, room, Expel(luis.account))
    leaf = group_of(luis, room).leaf_index
    assert made(kept).proposals[0].proposal == Remove(leaf)
    after, before = policy_after(kept), room_of(ana, room).policy
    assert before is not None
    assert after.secret != before.secret
    assert [each.invite for each in after.invites] == [kept_one.invite]
    assert once.invite != kept_one.invite
    work = kept.live.work
    assert isinstance(work, Publication)
    assert isinstance(work.end, Committing)
    assert work.end.unroute == (luis.device,)
    assert eva.device not in work.end.unroute


def test_an_expelled_admin_is_one_no_longer() -> None:
    room, (ana, luis) = circle("Ana", "Luis")
    kept = room_of(ana, room)
    assert kept.policy is not None
    admins = (luis.session.profile.account_public,)
    policy = replace(kept.policy, admins=admins)
    group = group_of(ana, room)
    context = replace(group.context, extensions=(policy.extension(),))
    group = replace(group, epoch=replace(group.epoch, context=context))
    kept, _ = begin(ana, replace(kept, group=group), Expel(luis.account))
    assert policy_after(kept).admins == ()


def test_only_members_can_be_expelled_and_nobody_by_oneself() -> None:
    room, (ana, luis) = circle("Ana", "Luis")
    assert isinstance(refusal(ana, room, Expel(b"x" * 32)), NoSuchMemberError)
    assert isinstance(refusal(ana, room, Expel(ana.account)), NotPermittedError)
    assert isinstance(refusal(luis, room, Expel(ana.account)), NotPermittedError)


def test_each_commit_takes_along_who_left() -> None:
    room, (ana, luis, eva) = circle("Ana", "Luis", "Eva")
    gone = leaver_of(luis, room)
    leavers = room_of(eva, room).with_state(leavers=(gone,))
    kept, _ = begin(eva, leavers, invite_of(eva))
    claim = Annotation.decode(made(kept).authenticated_data).claim
    assert isinstance(claim, LeavingClaims)
    assert [each.leaf for each in claim.statements] == [gone.leaf]
    before = room_of(eva, room).policy
    assert before is not None
    assert policy_after(kept).secret != before.secret
    assert len(policy_after(kept).invites) == 2
    work = kept.live.work
    assert isinstance(work, Publication)
    assert isinstance(work.end, Committing)
    assert work.end.unroute == (luis.device,)
    assert ana.device not in work.end.unroute


def test_who_is_expelled_while_leaving_is_removed_once() -> None:
    room, (ana, luis, eva) = circle("Ana", "Luis", "Eva")
    leavers = room_of(ana, room).with_state(
        leavers=(leaver_of(luis, room), leaver_of(eva, room))
    )
    kept, _ = begin(ana, leavers, Expel(luis.account))
    claim = Annotation.decode(made(kept).authenticated_data).claim
    assert isinstance(claim, LeavingClaims)
    assert [each.leaf for each in claim.statements] == [group_of(eva, room).leaf_index]
    removed = [
        each.proposal.removed
        for each in made(kept).proposals
        if isinstance(each.proposal, Remove)
    ]
    assert removed == sorted(
        (group_of(luis, room).leaf_index, group_of(eva, room).leaf_index)
    )


def test_each_commit_drops_links_that_are_over() -> None:
    world = World()
    room, (ana, _) = world.circle("Ana", "Luis")
    ana.get(CreateInvite(room, expires=world.now + 1_000))
    ana.get(CreateInvite(room, expires=world.now + 9_000))
    assert len(invite_views(ana.session, room)) == 3
    world.wait(2_000)
    ana.get(ChangeRoom(room, "Otra"))
    assert [view.expires is None for view in invite_views(ana.session, room)] == [
        True,
        False,
    ]


# Handing over


def test_the_room_goes_to_who_is_here_longest() -> None:
    room, (ana, luis, _) = circle("Ana", "Luis", "Eva")
    kept, _ = begin(ana, room, HandOver())
    assert policy_after(kept).owner == luis.session.profile.account_public


def test_the_room_goes_to_an_admin_first() -> None:
    room, (ana, _, eva) = circle("Ana", "Luis", "Eva")
    kept = room_of(ana, room)
    assert kept.policy is not None
    admins = (b"a" * 32, eva.session.profile.account_public)
    group = group_of(ana, room)
    extension = replace(kept.policy, admins=admins).extension()
    context = replace(group.context, extensions=(extension,))
    group = replace(group, epoch=replace(group.epoch, context=context))
    kept, _ = begin(ana, replace(kept, group=group), HandOver())
    assert policy_after(kept).owner == eva.session.profile.account_public
    assert policy_after(kept).admins == (b"a" * 32,)


def test_the_room_does_not_go_to_who_is_leaving() -> None:
    room, (ana, luis, eva) = circle("Ana", "Luis", "Eva")
    leavers = room_of(ana, room).with_state(leavers=(leaver_of(luis, room),))
    kept, _ = begin(ana, leavers, HandOver())
    assert policy_after(kept).owner == eva.session.profile.account_public


def test_where_nobody_is_left_the_room_stays_with_its_owner() -> None:
    room, (ana,) = circle("Ana")
    kept, _ = begin(ana, room, HandOver())
    assert policy_after(kept).owner == ana.session.profile.account_public


# Wishes in vain


def test_a_wish_in_vain_lets_the_next_one_be() -> None:
    room, (ana, _) = circle("Ana", "Luis")
    kept, effects = begin(ana, room, Expel(b"x" * 32), Refresh())
    assert [type(each.aim) for each in kept.live.wishes] == [Refresh]
    assert outline(effects)[-1] == "Reply NoSuchMemberError"


def test_what_members_would_refuse_is_not_sent() -> None:
    room, (ana, luis) = circle("Ana", "Luis")
    said = refusal(luis, room, Rename("Mía", None))
    assert isinstance(said, NotPermittedError)
    assert "name" in said.reason
    assert ana.codes() == []


def test_a_policy_that_is_full_takes_no_more() -> None:
    room, (ana,) = circle("Ana")
    kept = room_of(ana, room)
    assert kept.policy is not None
    (one,) = kept.policy.invites
    many = tuple(
        replace(one, invite=number.to_bytes(16, "big"))
        for number in range(limits.INVITES)
    )
    group = group_of(ana, room)
    extension = replace(kept.policy, invites=many).extension()
    context = replace(group.context, extensions=(extension,))
    group = replace(group, epoch=replace(group.epoch, context=context))
    said = refusal(ana, replace(kept, group=group), invite_of(ana))
    assert isinstance(said, PolicyTooLargeError)


def test_without_keys_nothing_is_committed() -> None:
    ana = World().person("Ana")
    empty = Room(b"r" * 16, RoomState(RoomStatus.MEMBER))
    kept, effects = begin(ana, empty, Refresh())
    assert len(kept.live.wishes) == 1
    assert "Transmit BeginUpload" not in outline(effects)


def test_the_group_s_other_extensions_stay() -> None:
    groups = group_room("Ana", "Luis")
    assert policy_in(groups).name == "Tertulia"
    room, (ana, _) = circle("Ana", "Luis")
    kept, _ = begin(ana, room, Rename("Otra", None))
    before = made(kept).context_before.extensions
    after = made(kept).context_after.extensions
    assert len(before) == len(after) == 1


# Whole stories


@pytest.mark.parametrize("first", [0, 1])
def test_two_who_commit_at_once_both_get_their_way(first: int) -> None:
    world = World(seed=first + 1)
    room, (ana, luis) = world.circle("Ana", "Luis")
    numbers = [ana.ask(ChangeRoom(room, "Otra")), luis.ask(ChangeName("Luis M."))]
    world.settle()
    assert {type(ana.replies[numbers[0]]).__name__} == {"Carried"}
    names = [view.person.name for view in member_views(ana.session, room)]
    assert names == ["Ana", "Luis M."]
    assert room_of(luis, room).state.name == "Otra"


def test_an_owner_leaves_though_another_leaves_too() -> None:
    world = World()
    room, (ana, luis, eva) = world.circle("Ana", "Luis", "Eva")
    luis.get(LeaveRoom(room))
    ana.get(LeaveRoom(room))
    world.wait(20_000)
    (view,) = member_views(eva.session, room)
    assert view.is_owner
    eva.get(CreateInvite(room))
    assert eva.codes() == []


def test_links_of_who_is_expelled_lead_nowhere() -> None:
    world = World()
    room, (ana, luis) = world.circle("Ana", "Luis")
    made_by_luis = luis.get(CreateInvite(room))
    ana.get(RemoveMember(room, luis.account))
    assert invite_views(ana.session, room) == []
    with pytest.raises(NoSuchInviteError):
        ana.get(RevokeInvite(room, made_by_luis.invite))
