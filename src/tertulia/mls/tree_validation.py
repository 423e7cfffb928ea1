"""Checks over a whole tree (RFC 9420 sections 7.3, 7.9.2 and 12.4.3.1)."""

from collections.abc import Collection
from collections.abc import Set as AbstractSet
from itertools import pairwise

from tertulia.crypto import CipherSuite
from tertulia.mls.credential import credential_type
from tertulia.mls.errors import InvalidError
from tertulia.mls.extension import (
    DEFAULT_EXTENSION_TYPES,
    Extensions,
    RequiredCapabilities,
    external_senders,
    required_capabilities,
)
from tertulia.mls.leaf_node import (
    DEFAULT_PROPOSAL_TYPES,
    Capabilities,
    LeafNode,
    LeafPlace,
    check_encryption_key,
    check_leaf,
)
from tertulia.mls.parent_hash import check_parent_hashes
from tertulia.mls.ratchet_tree import RatchetTree
from tertulia.mls.rules import Rule


def check_tree(suite: CipherSuite, tree: RatchetTree, group_id: bytes) -> None:
    """Check a tree that somebody else made; raise InvalidError.

    Whether it fits the group's extensions is `check_members`, whether its hash is the
    expected one is for the caller to compare.
    """
    check_unmerged_leaves(tree)
    check_parent_hashes(suite, tree)
    for _, parent in tree.parents():
        check_encryption_key(suite, parent.encryption_key)
    for leaf_index, leaf in tree.members():
        check_leaf(leaf, suite, LeafPlace(group_id, leaf_index))


def check_unmerged_leaves(tree: RatchetTree) -> None:
    """Raise InvalidError unless unmerged leaves are as section 12.4.3.1 wants them."""
    for index, parent in tree.parents():
        listed = parent.unmerged_leaves
        if any(first >= second for first, second in pairwise(listed)):
            raise InvalidError(Rule.UNMERGED_LEAVES, f"node {index}: not sorted")
        for leaf in listed:
            _check_unmerged_leaf(tree, index, leaf)


def _check_unmerged_leaf(tree: RatchetTree, index: int, leaf: int) -> None:
    path = tree.direct_path(leaf) if tree.leaf(leaf) is not None else []
    if index not in path:
        raise InvalidError(
            Rule.UNMERGED_LEAVES, f"node {index}: no member {leaf} below"
        )
    for between in path[: path.index(index)]:
        node = tree.parent(between)
        if node is not None and leaf not in node.unmerged_leaves:
            raise InvalidError(
                Rule.UNMERGED_LEAVES, f"node {between}: does not list {leaf}"
            )


def check_members(tree: RatchetTree, extensions: Extensions) -> None:
    """Check that all leaves go together and fit the GroupContext's `extensions`.

    Keys are unique; everybody supports everybody's credential type, every extension
    of the group and whatever it requires. Raises InvalidError, CodecError.
    """
    leaves = [leaf for _, leaf in tree.members()]
    _check_unique_keys(tree, leaves)
    credentials = {credential_type(leaf.credential) for leaf in leaves}
    in_group = {extension.extension_type for extension in extensions}
    required = required_capabilities(extensions)
    # Read for its shape alone: what cannot be read must not get into a group.
    external_senders(extensions)
    # Members mostly run the same software: judge each set of capabilities once.
    for offered in {leaf.capabilities for leaf in leaves}:
        _check_offered(Rule.LEAF_CREDENTIAL, credentials, offered.credentials)
        _check_offered(
            Rule.GROUP_EXTENSIONS,
            in_group - DEFAULT_EXTENSION_TYPES,
            offered.extensions,
        )
        check_required(required, offered)


def check_required(required: RequiredCapabilities, offered: Capabilities) -> None:
    """Raise InvalidError unless `offered` holds what the group requires (11.1)."""
    rule = Rule.REQUIRED_CAPABILITIES
    extensions = set(required.extension_types) - DEFAULT_EXTENSION_TYPES
    _check_offered(rule, extensions, offered.extensions)
    proposals = set(required.proposal_types) - DEFAULT_PROPOSAL_TYPES
    _check_offered(rule, proposals, offered.proposals)
    _check_offered(rule, set(required.credential_types), offered.credentials)


def _check_offered(
    rule: Rule, wanted: AbstractSet[int], offered: Collection[int]
) -> None:
    missing = wanted - set(offered)
    if missing:
        raise InvalidError(rule, f"a leaf lacks {sorted(missing)}")


def _check_unique_keys(tree: RatchetTree, leaves: Collection[LeafNode]) -> None:
    if len({leaf.signature_key for leaf in leaves}) != len(leaves):
        raise InvalidError(Rule.SIGNATURE_KEY_UNIQUE)
    keys = tree.encryption_keys()
    if len(set(keys)) != len(keys):
        raise InvalidError(Rule.ENCRYPTION_KEY_UNIQUE)
