"""Who may come in by an external commit: by invite, or in place of an own leaf.

Both prove themselves by a signature over this very commit's `kem_output` and leaf, so
that no proof serves twice. That an invite has expired or is used up is not looked at
here: the relay enforces it, for clocks and counts are no part of a verdict.
"""

from dataclasses import dataclass
from typing import assert_never

from tertulia.client.annotation import (
    Claim,
    InviteClaim,
    JoinAuthorization,
    LeavingClaims,
    NoClaim,
    RejoinAuthorization,
    RejoinClaim,
)
from tertulia.client.room_policy import RoomPolicy
from tertulia.client.verdict import leaf_at, member, require
from tertulia.codec import CodecError
from tertulia.crypto import CryptoError
from tertulia.mls import (
    Change,
    ExternalInit,
    InvalidError,
    LeafNode,
    Remove,
    Rule,
)
from tertulia.wire import Signable


@dataclass(frozen=True, slots=True)
class Entry:
    """An external commit, as far as its entitlement goes."""

    group_id: bytes
    epoch: int
    kem_output: bytes
    leaf: LeafNode
    replaced: tuple[int, ...]

    def join_authorization(self) -> JoinAuthorization:
        """Return what the invite's key must have signed."""
        return JoinAuthorization(
            self.group_id, self.epoch, self.kem_output, self.leaf.encode()
        )

    def rejoin_authorization(self, replaced: int) -> RejoinAuthorization:
        """Return what the replaced leaf's device or the account must have signed."""
        return RejoinAuthorization(
            self.group_id, self.epoch, self.kem_output, self.leaf.encode(), replaced
        )


def check_entry(change: Change, before: RoomPolicy, claim: Claim) -> None:
    """Refuse an external commit without a valid claim."""
    entry = entry_of(change)
    match claim:
        case InviteClaim():
            _check_invite(entry, before, claim)
        case RejoinClaim():
            _check_rejoin(entry, change, claim)
        case NoClaim() | LeavingClaims():
            raise InvalidError(Rule.POLICY, "a joiner without invite or own leaf")
        case _:
            assert_never(claim)


def entry_of(change: Change) -> Entry:
    """Return what an external commit's claim is about; refuse one without a leaf."""
    outputs = [
        sent.proposal.kem_output
        for sent in change.proposals
        if isinstance(sent.proposal, ExternalInit)
    ]
    if change.new_leaf is None or len(outputs) != 1:
        raise InvalidError(Rule.POLICY, "an external commit without leaf or init")
    context = change.context_before
    replaced = (
        sent.proposal.removed
        for sent in change.proposals
        if isinstance(sent.proposal, Remove)
    )
    return Entry(
        context.group_id, context.epoch, outputs[0], change.new_leaf, tuple(replaced)
    )


def _check_invite(entry: Entry, before: RoomPolicy, claim: InviteClaim) -> None:
    require(not entry.replaced, "who comes by invite removes nobody")
    invite = before.invite(claim.invite)
    if invite is None:
        raise InvalidError(Rule.POLICY, "the invite is not listed")
    _check_signature(entry.join_authorization(), invite.public_key, claim.signature)


def _check_rejoin(entry: Entry, change: Change, claim: RejoinClaim) -> None:
    require(len(entry.replaced) == 1, "who comes back replaces one leaf")
    (replaced,) = entry.replaced
    old = leaf_at(change.tree_before, replaced)
    account_key = member(old).account_key
    require(
        member(entry.leaf).account_key == account_key,
        "the replaced leaf is of another account",
    )
    key = account_key if claim.by_account else old.signature_key
    _check_signature(entry.rejoin_authorization(replaced), key, claim.signature)


def _check_signature(signable: Signable, key: bytes, signature: bytes) -> None:
    try:
        signable.verify(key, signature)
    except (CryptoError, CodecError) as error:
        raise InvalidError(Rule.POLICY, f"the joiner's proof: {error}") from error
