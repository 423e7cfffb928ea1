"""A room's rules, as the policy that the MLS engine asks: who may do what.

Verdicts are pure. They depend on the leaf, or on the commit and the group before and
after it, and on nothing else: no clock, no history, no cache, no version of this program.
So all honest members apply the same commits and skip the same ones. Rules of a version
that is not known here get no verdict at all: UpdateNeededError, which is no InvalidError.

What a commit's message says of itself is its annotation. People are told apart by
account keys, which certify device keys, which sign.
"""

from collections import Counter
from typing import Final, assert_never

from tertulia.client import limits
from tertulia.client.annotation import Annotation, Claim
from tertulia.client.entry_rules import check_entry
from tertulia.client.identity import POLICY, PROFILE, credential_in, name_in
from tertulia.client.member_rules import check_member_commit
from tertulia.client.policy_change import policy_after
from tertulia.client.room_policy import RoomPolicy, policy_of
from tertulia.client.verdict import certificate, require
from tertulia.codec import CodecError
from tertulia.crypto import HYBRID_SUITE, CryptoError
from tertulia.mls import (
    Add,
    Change,
    ExternalInit,
    GroupContext,
    GroupContextExtensions,
    InvalidError,
    LeafNode,
    MemberSender,
    NewMemberCommit,
    RatchetTree,
    Remove,
    Rule,
)

# Everything else, and whatever others proposed, has no use in a room.
_MEMBERS_PROPOSALS: Final = (Add, Remove, GroupContextExtensions)
_JOINERS_PROPOSALS: Final = (ExternalInit, Remove)
_NEEDED: Final = frozenset({POLICY, PROFILE})


class RoomRules:
    """The rules of all rooms; what differs between rooms stands in their policies."""

    def check_member(self, leaf: LeafNode) -> None:
        """Refuse a leaf whose device is not certified by its account."""
        try:
            credential_in(leaf).verify(leaf.signature_key)
            name_in(leaf)
        except (CodecError, CryptoError) as error:
            raise InvalidError(Rule.CREDENTIAL, str(error)) from error
        if len(leaf.encode()) > limits.LEAF:
            raise InvalidError(Rule.CREDENTIAL, "a leaf that is too large")
        if not _NEEDED.issubset(leaf.capabilities.extensions):
            raise InvalidError(Rule.CREDENTIAL, "a program that knows no rooms")

    def check_change(self, change: Change) -> None:
        """Refuse a commit that its sender may not make; raise UpdateNeededError."""
        before = policy_of(change.context_before)
        after = policy_after(change, before)
        claim = _claim_of(change)
        _check_proposals(change)
        match change.sender:
            case MemberSender():
                check_member_commit(change, before, after, claim)
            case NewMemberCommit():
                check_entry(change, before, claim)
            case _:
                assert_never(change.sender)
        _check_size(change.context_after, change.tree_after)
        check_people(after, change.tree_after)


RULES: Final = RoomRules()


def has_place(context: GroupContext, tree: RatchetTree) -> bool:
    """Tell whether one more device may come into a group."""
    return _devices_over(context, tree) < 0


def _check_size(context: GroupContext, tree: RatchetTree) -> None:
    require(_devices_over(context, tree) <= 0, "more devices than the suite allows")


def _devices_over(context: GroupContext, tree: RatchetTree) -> int:
    """Return how many devices are there beyond the bound; negative if there is place.

    The relay bounds rooms of other suites; their commits stay small.
    """
    if context.cipher_suite != HYBRID_SUITE:
        return -1
    return sum(1 for _ in tree.members()) - limits.HYBRID_DEVICES


def check_people(policy: RoomPolicy, tree: RatchetTree) -> None:
    """Refuse a device that is there twice or revoked, and a banned account."""
    people = [certificate(leaf) for _, leaf in tree.members()]
    devices = Counter(each.device for each in people)
    require(devices.total() == len(devices), "a device has two leaves")
    require(devices.keys().isdisjoint(policy.revoked), "a device is revoked")
    accounts = {each.account_key for each in people}
    require(accounts.isdisjoint(policy.banned), "an account is banned")


def _claim_of(change: Change) -> Claim:
    try:
        return Annotation.decode(change.authenticated_data).claim
    except CodecError as error:
        raise InvalidError(Rule.POLICY, f"no annotation: {error}") from error


def _check_proposals(change: Change) -> None:
    """Refuse kinds of proposals that rooms do not use, and those of others."""
    is_member = isinstance(change.sender, MemberSender)
    allowed = _MEMBERS_PROPOSALS if is_member else _JOINERS_PROPOSALS
    for sent in change.proposals:
        name = type(sent.proposal).__name__
        require(isinstance(sent.proposal, allowed), f"a room takes no {name} here")
        own = sent.reference is None and sent.sender == change.sender
        require(own, f"the {name} is not the committer's own")
