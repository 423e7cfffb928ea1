"""Parent hashes (RFC 9420 section 7.9).

A node on a commit's path names, in its parent hash, the next node above it and the
hash that the other side of that node had. The other side is taken as it was when the
node above was made: leaves that were added since, the unmerged ones, are left out.
"""

from collections.abc import Collection, Sequence
from dataclasses import replace

from tertulia.codec import encode_opaque
from tertulia.crypto import CipherSuite
from tertulia.mls import tree_math
from tertulia.mls.errors import InvalidError
from tertulia.mls.ratchet_tree import ParentNode, RatchetTree
from tertulia.mls.rules import Rule
from tertulia.mls.tree_hash import leaf_hash, parent_node_hash


def parent_hash(
    suite: CipherSuite, tree: RatchetTree, parent: ParentNode, sibling: int
) -> bytes:
    """Return the hash of `parent` with its child `sibling` on the copath."""
    below = _leaves_below(sibling, parent.unmerged_leaves)
    original_sibling_tree_hash = _hash_without(suite, tree, sibling, below)
    return suite.hash(
        encode_opaque(parent.encryption_key)
        + encode_opaque(parent.parent_hash)
        + encode_opaque(original_sibling_tree_hash)
    )


def _hash_without(
    suite: CipherSuite, tree: RatchetTree, index: int, excluded: Collection[int]
) -> bytes:
    """Return the tree hash of a subtree as if `excluded` leaves had not been added."""
    if not excluded:
        return tree.tree_hash(suite, index)
    if index % 2 == 0:
        return leaf_hash(suite, index // 2, None)
    node = tree.parent(index)
    if node is not None:
        kept = tuple(leaf for leaf in node.unmerged_leaves if leaf not in excluded)
        node = replace(node, unmerged_leaves=kept)
    left, right = (
        _hash_without(suite, tree, child, _leaves_below(child, excluded))
        for child in (tree_math.left(index), tree_math.right(index))
    )
    return parent_node_hash(suite, node, left, right)


def _leaves_below(index: int, leaves: Collection[int]) -> frozenset[int]:
    first, stop = tree_math.leaf_range(index)
    return frozenset(leaf for leaf in leaves if first <= leaf < stop)


def link_path(
    suite: CipherSuite,
    tree: RatchetTree,
    path: Sequence[tuple[int, int]],
    keys: Sequence[bytes],
) -> tuple[bytes, list[ParentNode]]:
    """Return the leaf's parent hash and the new nodes of a path with these `keys`.

    `path` holds pairs of node and copath child, as `filtered_direct_path` gives them.
    """
    above = b""
    nodes = []
    for (_, copath), key in zip(reversed(path), reversed(keys), strict=True):
        node = ParentNode(key, above, ())
        above = parent_hash(suite, tree, node, copath)
        nodes.append(node)
    return above, nodes[::-1]


def check_parent_hashes(suite: CipherSuite, tree: RatchetTree) -> None:
    """Raise InvalidError unless every parent node is parent-hash valid (7.9.2).

    Each is looked at once with the resolutions of its two children, which end at the
    next nodes that are not blank: the work grows with the tree, not with its square.
    """
    for index, parent in tree.parents():
        left, right = tree_math.left(index), tree_math.right(index)
        if not (
            _descends(suite, tree, parent, (left, right))
            or _descends(suite, tree, parent, (right, left))
        ):
            raise InvalidError(
                Rule.PARENT_HASH, f"node {index} has no valid descendant"
            )


def _descends(
    suite: CipherSuite,
    tree: RatchetTree,
    above: ParentNode,
    children: tuple[int, int],
) -> bool:
    """Tell whether a node below the first child names `above` as its parent.

    That node must be all of the child's resolution but for the leaves that are
    unmerged at `above`.
    """
    child, sibling = children
    unmerged = {2 * leaf for leaf in _leaves_below(child, above.unmerged_leaves)}
    resolution = tree.resolution(child)
    rest = [index for index in resolution if index not in unmerged]
    if len(rest) != 1 or len(resolution) != len(unmerged) + 1:
        return False
    node = tree.node(rest[0])
    return node is not None and node.parent_hash == parent_hash(
        suite, tree, above, sibling
    )
