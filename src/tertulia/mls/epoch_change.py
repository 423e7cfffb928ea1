"""From one epoch to the next: what committers and receivers do alike (12.4)."""

from collections.abc import Iterable
from dataclasses import dataclass, replace

from tertulia.crypto import CipherSuite, Secret
from tertulia.mls.errors import InvalidError
from tertulia.mls.extension import Extensions
from tertulia.mls.framing import AuthenticatedContent, NewMemberCommit
from tertulia.mls.group_context import GroupContext
from tertulia.mls.key_schedule import NewEpoch, joiner_secret, start_epoch
from tertulia.mls.leaf_node import LeafNode
from tertulia.mls.policy import Change, Policy
from tertulia.mls.proposal import Remove
from tertulia.mls.ratchet_tree import RatchetTree
from tertulia.mls.rules import Rule
from tertulia.mls.transcript import confirmed_transcript_hash
from tertulia.mls.tree_validation import check_members


@dataclass(frozen=True, slots=True)
class EpochInputs:
    """What the next epoch's secrets are made of; no path, no `commit_secret`."""

    init_secret: Secret
    commit_secret: Secret | None
    psk_secret: Secret
    interim_transcript_hash: bytes


def provisional_context(
    suite: CipherSuite,
    before: GroupContext,
    tree: RatchetTree,
    extensions: Extensions,
) -> GroupContext:
    """Return the next epoch's context, but for the confirmed transcript hash.

    Paths are encrypted under this, for the commit that the hash covers holds them.
    """
    return replace(
        before,
        epoch=before.epoch + 1,
        tree_hash=tree.tree_hash(suite),
        extensions=extensions,
    )


def check_change(
    change: Change, new_leaves: Iterable[LeafNode], policy: Policy
) -> None:
    """Check the group that a commit leads to, then ask the policy; raise InvalidError."""
    check_members(change.tree_after, change.context_after.extensions)
    _check_key_of_joiner(change)
    for leaf in new_leaves:
        policy.check_member(leaf)
    if change.new_leaf is not None:
        policy.check_member(change.new_leaf)
    policy.check_change(change)


def _check_key_of_joiner(change: Change) -> None:
    """Refuse a joiner who replaces a leaf and keeps its key (section 12.2).

    The joiner's leaf must be what an Update of the replaced leaf could have been.
    """
    if change.new_leaf is None or not isinstance(change.sender, NewMemberCommit):
        return
    for sent in change.proposals:
        if isinstance(sent.proposal, Remove):
            replaced = change.tree_before.leaf(sent.proposal.removed)
            if (
                replaced is not None
                and replaced.encryption_key == change.new_leaf.encryption_key
            ):
                raise InvalidError(Rule.UPDATE_KEY, "the joiner's key is the old one")


def next_epoch(
    suite: CipherSuite,
    inputs: EpochInputs,
    provisional: GroupContext,
    signed: AuthenticatedContent,
) -> tuple[GroupContext, NewEpoch]:
    """Return context and secrets of the epoch that a signed commit starts.

    First the confirmed hash, which covers the signature but not the tag, then the
    secrets, with which the tag is made or verified (section 8.2).
    """
    confirmed = confirmed_transcript_hash(suite, inputs.interim_transcript_hash, signed)
    context = replace(provisional, confirmed_transcript_hash=confirmed)
    commit_secret = inputs.commit_secret or Secret(bytes(suite.kdf.size))
    joiner = joiner_secret(suite, inputs.init_secret, commit_secret, context)
    return context, start_epoch(suite, joiner, inputs.psk_secret, context)
