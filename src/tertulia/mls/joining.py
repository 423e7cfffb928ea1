"""Joining by Welcome (RFC 9420 section 12.4.3.1)."""

from dataclasses import dataclass

from tertulia.crypto import CipherSuite, Secret
from tertulia.mls import tree_math
from tertulia.mls.errors import InvalidError
from tertulia.mls.group import Epoch, Group, begin
from tertulia.mls.group_context import GroupContext
from tertulia.mls.group_info import verify_group_info
from tertulia.mls.key_package import KeyPackageSecrets
from tertulia.mls.key_schedule import start_epoch
from tertulia.mls.policy import Policy
from tertulia.mls.psk import PSKs, ResumptionPSK, ResumptionPSKUsage
from tertulia.mls.ratchet_tree import RatchetTree
from tertulia.mls.receiving import NO_PSKS
from tertulia.mls.rules import Rule
from tertulia.mls.transcript import check_confirmation_tag
from tertulia.mls.tree_validation import check_members, check_tree
from tertulia.mls.treekem import PrivateKeys, derive_path, find_misfit
from tertulia.mls.welcome import (
    GroupSecrets,
    Welcome,
    open_group_info,
    open_group_secrets,
)


@dataclass(frozen=True, slots=True)
class Aids:
    """What a Welcome may leave to other ways: pre-shared keys, and the tree.

    `continues` is the secret of the group that this one succeeds or branches from;
    a Welcome into such a group is refused unless it is expected.
    """

    psks: PSKs
    tree: RatchetTree | None = None
    continues: ResumptionPSK | None = None


NO_AIDS = Aids(NO_PSKS)


def join(
    welcome: Welcome, mine: KeyPackageSecrets, policy: Policy, aids: Aids = NO_AIDS
) -> Group:
    """Return the group that a Welcome leads to.

    Drop `mine` afterwards unless it is a last resort. Raises InvalidError, CodecError,
    UnknownPskError.
    """
    suite = mine.identity.suite
    secrets = open_group_secrets(welcome, mine)
    _check_continuation(secrets, aids.continues)
    unverified, psk_secret = open_group_info(suite, welcome, secrets, aids.psks)
    group_info, tree = verify_group_info(unverified, suite, aids.tree)
    context = group_info.group_context
    if aids.continues is not None and context.epoch != 1:
        raise InvalidError(Rule.WELCOME_PSKS, f"epoch {context.epoch} is not the first")
    check_joined_tree(suite, tree, context, policy)
    leaf_index = _find_leaf(tree, mine)
    path_keys = _path_keys(suite, tree, group_info.signer, secrets, leaf_index)
    started = start_epoch(suite, secrets.joiner_secret, psk_secret, context)
    check_confirmation_tag(
        suite,
        started.secrets.confirmation_key,
        context.confirmed_transcript_hash,
        group_info.confirmation_tag,
    )
    epoch = Epoch(
        suite=suite,
        context=context,
        tree=tree,
        secrets=started.secrets,
        confirmation_tag=group_info.confirmation_tag,
        private_keys=PrivateKeys(
            leaf_index, {**path_keys, 2 * leaf_index: mine.encryption_key}
        ),
        signature_key=mine.identity.signature_key.private,
    )
    return begin(epoch, started)


def check_joined_tree(
    suite: CipherSuite, tree: RatchetTree, context: GroupContext, policy: Policy
) -> None:
    """Check everybody in a group that one is about to join; raise InvalidError."""
    check_members(tree, context.extensions)
    check_tree(suite, tree, context.group_id)
    for _, leaf in tree.members():
        policy.check_member(leaf)


def _find_leaf(tree: RatchetTree, mine: KeyPackageSecrets) -> int:
    wanted = mine.key_package.leaf_node
    for leaf_index, leaf in tree.members():
        if leaf == wanted:
            return leaf_index
    raise InvalidError(Rule.WELCOME_LEAF)


def _path_keys(
    suite: CipherSuite,
    tree: RatchetTree,
    committer: int,
    secrets: GroupSecrets,
    leaf_index: int,
) -> dict[int, Secret]:
    """Return the keys of the path from where it meets the committer's, upwards."""
    if secrets.path_secret is None:
        return {}
    shared = [
        index
        for index, _ in tree.filtered_direct_path(committer)
        if tree_math.is_below(2 * leaf_index, index)
    ]
    keys = derive_path(suite, secrets.path_secret.path_secret, shared)
    if not shared or find_misfit(tree, keys) is not None:
        raise InvalidError(Rule.WELCOME_PATH_SECRET)
    return {index: pair.private for index, pair in keys.key_pairs.items()}


def _check_continuation(secrets: GroupSecrets, expected: ResumptionPSK | None) -> None:
    """Refuse a group that continues another one than expected, or none."""
    continuing = [
        psk_id.psk
        for psk_id in secrets.psks
        if isinstance(psk_id.psk, ResumptionPSK)
        and psk_id.psk.usage is not ResumptionPSKUsage.APPLICATION
    ]
    if continuing != ([] if expected is None else [expected]):
        raise InvalidError(Rule.WELCOME_PSKS, "not the group it should continue")
