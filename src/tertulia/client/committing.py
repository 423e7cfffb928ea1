"""Making the commit that a wish asks for.

Each commit also does what is due anyway: it removes the leaves of who left, with their
statements, and drops invites that are over.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import assert_never

from tertulia import mls
from tertulia.client import publishing, wishes
from tertulia.client.annotation import (
    Annotation,
    LeavingClaims,
    LeftLeaf,
    NoClaim,
)
from tertulia.client.errors import (
    NoSuchInviteError,
    NoSuchMemberError,
    NotPermittedError,
)
from tertulia.client.identity import mls_identity
from tertulia.client.judgement import RULES
from tertulia.client.leaving import staying
from tertulia.client.notices import accounts_of, members_of
from tertulia.client.padding import padding_for
from tertulia.client.room import Room
from tertulia.client.room_policy import (
    ListedInvite,
    RoomPolicy,
    check_room_name,
    check_topic,
    policy_of,
)
from tertulia.client.turn import Turn
from tertulia.client.work import (
    AddInvite,
    Aim,
    Committing,
    DropInvite,
    Expel,
    HandOver,
    Introduce,
    Refresh,
    Rename,
    Wish,
)
from tertulia.crypto import Secret
from tertulia.errors import TertuliaError, UsageError
from tertulia.wire import first_hash, new_message_key


def begin(turn: Turn, room: Room) -> Room:
    """Make the commit that the first wish asks for; a wish in vain is answered."""
    while room.live.wishes and room.group is not None:
        first = room.live.wishes[0]
        try:
            return _commit(turn, room, room.group, first)
        except (UsageError, mls.InvalidError) as error:
            room = wishes.give_up(turn, room, first, _explain(error))
    return room


def _explain(error: TertuliaError) -> TertuliaError:
    return (
        NotPermittedError(str(error)) if isinstance(error, mls.InvalidError) else error
    )


def _commit(turn: Turn, room: Room, group: mls.Group, first: Wish) -> Room:
    change = _plan(turn, room, group, first.aim)
    key = new_message_key(turn.now, turn.rng)
    annotation = Annotation(
        key,
        room.state.place,
        room.state.hash or first_hash(room.id),
        LeavingClaims(change.statements) if change.statements else NoClaim(),
    )
    plan = mls.CommitPlan(
        proposals=tuple(change.proposals(group)),
        framing=mls.Framing(
            authenticated_data=annotation.encode(), padding=padding_for
        ),
        new_identity=change.identity,
    )
    committed = mls.commit(group, plan, RULES, turn.rng)
    end = Committing(first, committed, key, change.unroute)
    room = replace(room, group=committed.before)
    return publishing.begin(turn, room, end, committed.after)


@dataclass(frozen=True, slots=True)
class _Change:
    """What a commit is to do: a policy, leaves to remove and why, a new leaf of mine."""

    policy: RoomPolicy
    policy_before: RoomPolicy
    removed: frozenset[int] = frozenset()
    statements: tuple[LeftLeaf, ...] = ()
    unroute: tuple[bytes, ...] = ()
    identity: mls.Identity | None = None

    def proposals(self, group: mls.Group) -> Iterator[mls.Proposal]:
        """Return the proposals that carry it out."""
        yield from (mls.Remove(leaf) for leaf in sorted(self.removed))
        if self.policy != self.policy_before:
            new = self.policy.extension()
            kept = tuple(
                extension
                for extension in group.context.extensions
                if extension.extension_type != new.extension_type
            )
            yield mls.GroupContextExtensions((*kept, new))


def _plan(turn: Turn, room: Room, group: mls.Group, aim: Aim) -> _Change:
    """Return what a commit for this aim does; raise UsageError."""
    change = _aimed(turn, room, group, aim)
    change = _with_leavers(turn, room, change)
    invites = tuple(_still_valid(turn, change.policy.invites))
    return replace(change, policy=replace(change.policy, invites=invites))


def _aimed(turn: Turn, room: Room, group: mls.Group, aim: Aim) -> _Change:
    policy = policy_of(group.context)
    same = _Change(policy, policy)
    match aim:
        case AddInvite(invite):
            invites = (*policy.invites, invite)
            return replace(same, policy=replace(policy, invites=invites))
        case DropInvite(invite):
            if policy.invite(invite) is None:
                raise NoSuchInviteError(invite)
            rest = tuple(each for each in policy.invites if each.invite != invite)
            return replace(same, policy=replace(policy, invites=rest))
        case Expel(account):
            return _expelling(turn, group, same, account)
        case Rename(name, topic):
            named = replace(
                policy,
                name=policy.name if name is None else check_room_name(name),
                topic=policy.topic if topic is None else check_topic(topic),
            )
            return replace(same, policy=named)
        case Introduce():
            profile = turn.session.profile
            identity = mls_identity(profile, group.suite, profile.name)
            return replace(same, identity=identity)
        case HandOver():
            return replace(same, policy=_handed_over(turn, room, policy))
        case Refresh():
            return same
        case _:
            assert_never(aim)


def _expelling(turn: Turn, group: mls.Group, same: _Change, account: bytes) -> _Change:
    going = {
        leaf: member
        for leaf, member in members_of(group).items()
        if member.account == account
    }
    if not going:
        raise NoSuchMemberError(account)
    if group.leaf_index in going:
        raise NotPermittedError("nobody expels oneself: leave")
    key = next(iter(going.values())).account_key
    policy = same.policy
    kept = tuple(
        invite
        for invite in policy.invites
        if not invite.is_reusable and invite.creator != key
    )
    admins = tuple(admin for admin in policy.admins if admin != key)
    return replace(
        same,
        policy=replace(
            policy, secret=Secret(turn.rng(32)), invites=kept, admins=admins
        ),
        removed=frozenset(going),
        unroute=tuple(member.device for member in going.values()),
    )


def _handed_over(turn: Turn, room: Room, policy: RoomPolicy) -> RoomPolicy:
    """Return the policy with the one who is here longest, admins first, as owner."""
    mine = turn.session.profile.account_public
    others = [
        member.account_key
        for member in accounts_of(staying(room)).values()
        if member.account_key != mine
    ]
    if not others:
        return policy  # whoever there was has left meanwhile
    admins = [key for key in others if key in policy.admins]
    successor = (admins or others)[0]
    kept = tuple(admin for admin in policy.admins if admin != successor)
    return replace(policy, owner=successor, admins=kept)


def _with_leavers(turn: Turn, room: Room, change: _Change) -> _Change:
    leavers = [
        leaver for leaver in room.state.leavers if leaver.leaf not in change.removed
    ]
    if not leavers:
        return change
    policy = change.policy
    if policy.secret == change.policy_before.secret:
        policy = replace(policy, secret=Secret(turn.rng(32)))
    return replace(
        change,
        policy=policy,
        removed=change.removed | {leaver.leaf for leaver in leavers},
        statements=tuple(LeftLeaf(leaver.leaf, leaver.signature) for leaver in leavers),
        unroute=(*change.unroute, *(leaver.device for leaver in leavers)),
    )


def _still_valid(turn: Turn, invites: Sequence[ListedInvite]) -> Iterator[ListedInvite]:
    for invite in invites:
        if invite.expires is None or invite.expires > turn.now:
            yield invite
