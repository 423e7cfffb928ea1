"""What a member may commit: adding, removing, changing the policy, fresh keys.

Who goes is of one of three kinds: a device of the committer's own account, somebody who
said so in a signed statement, or somebody expelled. Only the last needs a higher role,
and costs the room the links that the expelled knew or made.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from tertulia.client.annotation import (
    Claim,
    LeavingClaims,
    NoClaim,
    leaving_statement,
)
from tertulia.client.identity import Member
from tertulia.client.policy_change import PolicyChange, check_policy_change
from tertulia.client.room_policy import Role, RoomPolicy
from tertulia.client.verdict import leaf_at, member, require
from tertulia.codec import CodecError
from tertulia.crypto import CryptoError
from tertulia.mls import Add, Change, InvalidError, LeafNode, Remove, Rule


@dataclass(frozen=True, slots=True)
class Removal:
    """A leaf that goes, and whether its owner said so."""

    owner: Member
    is_announced: bool


def check_member_commit(
    change: Change, before: RoomPolicy, after: RoomPolicy, claim: Claim
) -> None:
    """Refuse what the committer may not do under the policy of before."""
    leaf = leaf_at(change.tree_before, change.committer)
    committer = member(leaf)
    role = before.role_of(committer.account_key)
    _check_own_leaf(change, leaf, committer)
    if any(isinstance(sent.proposal, Add) for sent in change.proposals):
        require(role >= before.permissions.invite, "the committer may not invite")
    removals = list(_removals(change, claim))
    expelled = [
        removal.owner.account_key
        for removal in removals
        if not removal.is_announced
        and removal.owner.account_key != committer.account_key
    ]
    for account in expelled:
        outranks = role >= Role.ADMIN and role > before.role_of(account)
        require(outranks, "the committer may not remove this member")
    check_policy_change(
        PolicyChange(
            before,
            after,
            committer=committer.account_key,
            role=role,
            removes=bool(removals),
            expelled=frozenset(expelled),
        ),
        change,
    )


def _check_own_leaf(change: Change, leaf: LeafNode, committer: Member) -> None:
    """Refuse a committer who becomes somebody else."""
    if change.new_leaf is None:
        return
    new = member(change.new_leaf)
    stays = (new.account_key, new.device, change.new_leaf.signature_key) == (
        committer.account_key,
        committer.device,
        leaf.signature_key,
    )
    require(stays, "the committer's new leaf is of another device")


def _removals(change: Change, claim: Claim) -> Iterator[Removal]:
    announced = _announced(claim)
    removed = [
        sent.proposal.removed
        for sent in change.proposals
        if isinstance(sent.proposal, Remove)
    ]
    require(announced.keys() <= set(removed), "a statement of somebody who stays")
    for leaf_index in removed:
        leaf = leaf_at(change.tree_before, leaf_index)
        signature = announced.get(leaf_index)
        if signature is not None:
            _check_statement(
                change.context_before.group_id, leaf_index, leaf, signature
            )
        yield Removal(member(leaf), signature is not None)


def _announced(claim: Claim) -> Mapping[int, bytes]:
    match claim:
        case NoClaim():
            return {}
        case LeavingClaims(statements):
            by_leaf = {each.leaf: each.signature for each in statements}
            require(len(by_leaf) == len(statements), "two statements for one leaf")
            return by_leaf
        case _:
            raise InvalidError(Rule.POLICY, "a member claims to come in")


def _check_statement(
    group_id: bytes, leaf_index: int, leaf: LeafNode, signature: bytes
) -> None:
    try:
        statement = leaving_statement(group_id, leaf_index, leaf)
        statement.verify(leaf.signature_key, signature)
    except (CodecError, CryptoError) as error:
        raise InvalidError(Rule.POLICY, f"a leaving statement: {error}") from error
