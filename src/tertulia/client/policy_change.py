"""What a commit may make the policy say that it did not say before.

Rights are those of before. A policy that stays as it is, byte for byte, needs none, but
a removal must change the room secret, and an expulsion must drop the links that lead
back in: those that more than one may use, and those of the expelled.
"""

from dataclasses import astuple, dataclass

from tertulia.client.identity import POLICY
from tertulia.client.room_policy import ListedInvite, Role, RoomPolicy, policy_of
from tertulia.client.value_errors import UpdateNeededError
from tertulia.client.verdict import leaf_at, member, require
from tertulia.mls import Change, Extensions, GroupContext, MemberSender


@dataclass(frozen=True, slots=True)
class PolicyChange:
    """The policy before and after, who changes it, and whom the commit removes."""

    before: RoomPolicy
    after: RoomPolicy
    committer: bytes
    role: Role
    removes: bool
    expelled: frozenset[bytes]

    def has_changed(self, name: str) -> bool:
        """Tell whether a field of the policy changed."""
        changed: bool = getattr(self.before, name) != getattr(self.after, name)
        return changed


def policy_after(change: Change, before: RoomPolicy) -> RoomPolicy:
    """Return the policy that a commit leads to; raise InvalidError, UpdateNeededError.

    Only who is an admin by the rules of before may bring rules of a newer version:
    nobody else can stop the members whose programs do not know them yet.
    """
    try:
        return policy_of(change.context_after)
    except UpdateNeededError as error:
        require(error.version > before.version, "the rules' version does not go back")
        is_member = isinstance(change.sender, MemberSender)
        require(is_member, "who comes in changes no rules")
        committer = member(leaf_at(change.tree_before, change.committer))
        role = before.role_of(committer.account_key)
        require(role >= Role.ADMIN, "the committer may not change the rules' version")
        raise


def check_policy_change(policy: PolicyChange, change: Change) -> None:
    """Refuse a change of the GroupContext that the committer may not make."""
    same = _others(change.context_before) == _others(change.context_after)
    require(same, "only the policy may change in the group's extensions")
    for name, needed in _needed_roles(policy.before):
        if policy.has_changed(name):
            require(policy.role >= needed, f"the committer may not change the {name}")
    _check_permissions(policy)
    _check_bans(policy)
    _check_owner(policy, change)
    _check_secret(policy)
    _check_invites(policy)


def _others(context: GroupContext) -> Extensions:
    return tuple(
        extension
        for extension in context.extensions
        if extension.extension_type != POLICY
    )


def _needed_roles(before: RoomPolicy) -> tuple[tuple[str, Role], ...]:
    return (
        ("name", before.permissions.change),
        ("topic", before.permissions.change),
        ("retention", before.permissions.change),
        ("permissions", Role.ADMIN),
        ("revoked", Role.ADMIN),
        ("banned", Role.ADMIN),
        ("admins", Role.OWNER),
        ("owner", Role.OWNER),
    )


def _check_permissions(policy: PolicyChange) -> None:
    """Refuse to give away, or to take, what is above the committer."""
    pairs = zip(
        astuple(policy.before.permissions),
        astuple(policy.after.permissions),
        strict=True,
    )
    for before, after in pairs:
        if before != after:
            above = max(before, after) > policy.role
            require(not above, "the committer may not change this permission")


def _check_bans(policy: PolicyChange) -> None:
    for account in set(policy.after.banned) - set(policy.before.banned):
        outranks = policy.role > policy.before.role_of(account)
        require(outranks, "the committer may not ban this account")


def _check_owner(policy: PolicyChange, change: Change) -> None:
    if policy.has_changed("owner"):
        people = (member(leaf) for _, leaf in change.tree_after.members())
        present = any(each.account_key == policy.after.owner for each in people)
        require(present, "the new owner is not a member")


def _check_secret(policy: PolicyChange) -> None:
    changed = policy.has_changed("secret")
    if policy.removes:
        require(changed, "a removal without a new room secret")
    elif changed:
        require(policy.role >= Role.ADMIN, "the committer may not change the secret")


def _check_invites(policy: PolicyChange) -> None:
    before = {each.invite: each for each in policy.before.invites}
    after = {each.invite: each for each in policy.after.invites}
    for invite in after.keys() - before.keys():
        _check_added(policy, after[invite])
    for invite in before.keys() - after.keys():
        _check_dropped(policy, before[invite])
    for invite in before.keys() & after.keys():
        require(before[invite] == after[invite], "an invite does not change")
        if policy.expelled:
            _check_kept(policy, after[invite])


def _check_added(policy: PolicyChange, invite: ListedInvite) -> None:
    may = policy.role >= policy.before.permissions.invite
    require(may, "the committer may not make an invite")
    require(invite.creator == policy.committer, "an invite in another's name")
    require(invite.role <= policy.role, "an invite to more than its creator is")


def _check_dropped(policy: PolicyChange, invite: ListedInvite) -> None:
    """Refuse to take somebody's invite away.

    One that expires anybody may drop: a clock cannot be part of a verdict, and a link
    with an end is no loss.
    """
    may = (
        invite.creator == policy.committer
        or policy.role >= Role.ADMIN
        or invite.expires is not None
    )
    require(may, "the committer may not drop this invite")


def _check_kept(policy: PolicyChange, invite: ListedInvite) -> None:
    leads_back = invite.is_reusable or invite.creator in policy.expelled
    require(not leads_back, "an expulsion leaves an invite that leads back in")
