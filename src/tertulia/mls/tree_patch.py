"""What differs between two ratchet trees (RFC 9420 section 7.8 has the trees).

Not of the RFC: an application that hands trees to joiners need not hand out whole ones
for each epoch. A patch says nothing about who made it: what it makes of a tree must be
held against a signed tree hash, as any tree that comes from elsewhere.
"""

from dataclasses import dataclass
from itertools import pairwise
from typing import Annotated

from tertulia.codec import Nested, Optional, Struct, Vector, uint32
from tertulia.mls import tree_math
from tertulia.mls.errors import InvalidError
from tertulia.mls.limits import MAX_BLANK_LEAVES, MAX_LEAVES, MAX_TREE
from tertulia.mls.ratchet_tree import NODE, Node, ParentNode, RatchetTree
from tertulia.mls.rules import Rule


@dataclass(frozen=True, slots=True)
class ChangedNode(Struct):
    """What stands at an index now: a node, or nothing."""

    index: Annotated[int, uint32]
    node: Annotated[Node | None, Optional(NODE)]


@dataclass(frozen=True, slots=True)
class TreePatch(Struct):
    """The new number of leaves, and every node that is another one than before."""

    leaf_count: Annotated[int, uint32]
    changed: Annotated[tuple[ChangedNode, ...], Vector(Nested(ChangedNode), MAX_TREE)]


def tree_difference(before: RatchetTree, after: RatchetTree) -> TreePatch:
    """Return what makes `after` of `before`."""
    old, new = before.nodes, after.nodes
    shared = min(len(old), len(new))
    changed = [
        ChangedNode(index, new[index])
        for index in range(shared)
        if new[index] is not old[index] and new[index] != old[index]
    ]
    changed += [
        ChangedNode(index, new[index])
        for index in range(shared, len(new))
        if new[index] is not None
    ]
    return TreePatch(after.leaf_count, tuple(changed))


def patched_tree(tree: RatchetTree, patch: TreePatch) -> RatchetTree:
    """Return the tree that a patch makes of `tree`; raise InvalidError.

    Nothing is verified beyond the shape, as in `decode_tree`; but a few bytes make no
    large tree.
    """
    size = tree_math.node_count(_leaf_count(tree, patch))
    nodes = list(tree.nodes[:size])
    nodes += [None] * (size - len(nodes))
    indices = [changed.index for changed in patch.changed]
    if any(first >= second for first, second in pairwise((-1, *indices, size))):
        raise InvalidError(Rule.TREE_SHAPE, "nodes out of order")
    for changed in patch.changed:
        is_parent = isinstance(changed.node, ParentNode)
        if changed.node is not None and is_parent != bool(changed.index % 2):
            raise InvalidError(Rule.TREE_SHAPE, f"node {changed.index} of another kind")
        nodes[changed.index] = changed.node
    patched = RatchetTree(nodes)
    if patched.is_wider_than_needed():
        raise InvalidError(Rule.TREE_SHAPE, "the right half is empty")
    return patched


def _leaf_count(tree: RatchetTree, patch: TreePatch) -> int:
    count = patch.leaf_count
    if not 0 < count <= MAX_LEAVES or count.bit_count() != 1:
        raise InvalidError(Rule.TREE_SHAPE, f"a tree of {count} leaves")
    # Who is added takes a blank leaf before the tree grows (RFC 9420, section 7.7).
    grows = count > max(tree.leaf_count, MAX_BLANK_LEAVES)
    if grows and 2 * _members(tree, patch) <= count:
        raise InvalidError(Rule.TREE_SHAPE, f"a tree of {count} leaves, mostly blank")
    return count


def _members(tree: RatchetTree, patch: TreePatch) -> int:
    """Return how many leaves are not blank once the tree is patched."""
    changed = {node.index: node.node for node in patch.changed if not node.index % 2}
    kept = (2 * leaf not in changed for leaf, _ in tree.members())
    return sum(kept) + sum(node is not None for node in changed.values())
