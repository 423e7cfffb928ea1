"""The ratchet tree as a value (RFC 9420 sections 4.1, 7.1, 7.4 and 7.7).

A tree is an array of nodes with the tree hash of each, computed when first asked for
and kept. `RatchetTree` never changes; `edit` gives a draft to change, and `finish`
makes a new tree of it that shares all nodes, and the hashes of all subtrees, that were
not touched.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Annotated, TypeAlias

from typing_extensions import override

from tertulia.codec import (
    Codec,
    Nested,
    Opaque,
    Optional,
    Struct,
    Variant,
    Vector,
    uint8,
    uint32,
)
from tertulia.crypto import CipherSuite
from tertulia.mls import tree_math
from tertulia.mls.errors import InvalidError, MisuseError
from tertulia.mls.leaf_node import LeafNode
from tertulia.mls.limits import MAX_DIGEST, MAX_KEY, MAX_LEAVES, MAX_TREE
from tertulia.mls.rules import Rule
from tertulia.mls.tree_hash import leaf_hash, parent_node_hash

LEAF = 1
PARENT = 2


@dataclass(frozen=True, slots=True)
class ParentNode(Struct):
    """A key that all members below hold, but for the unmerged ones (section 7.1)."""

    encryption_key: Annotated[bytes, Opaque(MAX_KEY)]
    parent_hash: Annotated[bytes, Opaque(MAX_DIGEST)]
    unmerged_leaves: Annotated[tuple[int, ...], Vector(uint32, MAX_TREE)]


Node: TypeAlias = LeafNode | ParentNode

NODE: Codec[Node] = Variant(
    uint8,
    {LEAF: (LeafNode, Nested(LeafNode)), PARENT: (ParentNode, Nested(ParentNode))},
)
_NODES = Vector(Optional(NODE), MAX_TREE, tree_math.node_count(MAX_LEAVES))


class RatchetTree:
    """All members' leaves and the keys they share, as everybody sees them."""

    __slots__ = ("_hashes", "_nodes")

    def __init__(
        self, nodes: Iterable[Node | None], hashes: Iterable[bytes | None] = ()
    ) -> None:
        self._nodes = list(nodes)
        self._hashes = list(hashes) or [None] * len(self._nodes)

    @override
    def __eq__(self, other: object) -> bool:
        return isinstance(other, RatchetTree) and self._nodes == other._nodes

    __hash__ = None  # type: ignore[assignment]

    @property
    def nodes(self) -> tuple[Node | None, ...]:
        """Every node of the full binary tree, blank ones as None."""
        return tuple(self._nodes)

    @property
    def leaf_count(self) -> int:
        """How many leaves the tree has room for: a power of two."""
        return (len(self._nodes) + 1) // 2

    @property
    def root(self) -> int:
        """The index of the root."""
        return tree_math.root(self.leaf_count)

    def node(self, index: int) -> Node | None:
        """Return the node at `index`, None if it is blank."""
        return self._nodes[index]

    def leaf(self, leaf_index: int) -> LeafNode | None:
        """Return the leaf, None if it is blank or beyond the tree."""
        if not 0 <= leaf_index < self.leaf_count:
            return None
        node = self._nodes[2 * leaf_index]
        return node if isinstance(node, LeafNode) else None

    def parent(self, index: int) -> ParentNode | None:
        """Return the parent node at `index`, None if it is blank."""
        node = self._nodes[index]
        return node if isinstance(node, ParentNode) else None

    def encryption_key(self, index: int) -> bytes:
        """Return the key of a node that is not blank; raise MisuseError."""
        node = self._nodes[index]
        if node is None:
            raise MisuseError(f"node {index} is blank")
        return node.encryption_key

    def encryption_keys(self) -> list[bytes]:
        """Return the keys of all nodes that are not blank."""
        return [node.encryption_key for node in self._nodes if node is not None]

    def members(self) -> Iterator[tuple[int, LeafNode]]:
        """Yield leaf index and leaf of every member, in order."""
        for index, node in enumerate(self._nodes[::2]):
            if isinstance(node, LeafNode):
                yield index, node

    def parents(self) -> Iterator[tuple[int, ParentNode]]:
        """Yield node index and node of every parent that is not blank."""
        for half, node in enumerate(self._nodes[1::2]):
            if isinstance(node, ParentNode):
                yield 2 * half + 1, node

    def resolution(self, index: int) -> list[int]:
        """Return the nodes that together cover all members below (section 4.1.1)."""
        found: list[int] = []
        self._collect_resolution(index, found)
        return found

    def _collect_resolution(self, index: int, found: list[int]) -> None:
        node = self._nodes[index]
        if isinstance(node, ParentNode):
            found.append(index)
            found.extend(2 * leaf for leaf in node.unmerged_leaves)
        elif node is not None:
            found.append(index)
        elif index % 2:
            self._collect_resolution(tree_math.left(index), found)
            self._collect_resolution(tree_math.right(index), found)

    def is_empty_below(self, index: int) -> bool:
        """Tell whether the resolution of `index` is empty."""
        first, stop = tree_math.leaf_range(index)
        return not any(self._nodes[2 * first : 2 * stop : 2])

    def is_wider_than_needed(self) -> bool:
        """Tell whether the right half of the tree has no member (section 7.7)."""
        return self.leaf_count > 1 and self.is_empty_below(tree_math.right(self.root))

    def direct_path(self, leaf_index: int) -> list[int]:
        """Return the ancestors of a leaf, from its parent to the root."""
        return tree_math.direct_path(2 * leaf_index, self.leaf_count)

    def filtered_direct_path(self, leaf_index: int) -> list[tuple[int, int]]:
        """Return the ancestors that have somebody else below, each with that child.

        Pairs of a node on the filtered direct path and its child on the copath
        (section 4.1.2).
        """
        path = []
        node = 2 * leaf_index
        for ancestor in self.direct_path(leaf_index):
            copath = tree_math.sibling(node)
            if not self.is_empty_below(copath):
                path.append((ancestor, copath))
            node = ancestor
        return path

    def tree_hash(self, suite: CipherSuite, index: int | None = None) -> bytes:
        """Return the tree hash (section 7.8) of the subtree at `index`, or of all."""
        if index is None:
            index = self.root
        known = self._hashes[index]
        if known is None:
            known = self._compute_hash(suite, index)
            self._hashes[index] = known
        return known

    def _compute_hash(self, suite: CipherSuite, index: int) -> bytes:
        node = self._nodes[index]
        if index % 2 == 0:
            return leaf_hash(suite, index // 2, node)
        left = self.tree_hash(suite, tree_math.left(index))
        right = self.tree_hash(suite, tree_math.right(index))
        return parent_node_hash(suite, node, left, right)

    def edit(self) -> "TreeDraft":
        """Return a draft that starts as this tree."""
        return TreeDraft(self._nodes, self._hashes)

    def encode(self) -> bytes:
        """Return the tree as the ratchet_tree extension has it (section 12.4.3.3)."""
        used = len(self._nodes)
        while used and self._nodes[used - 1] is None:
            used -= 1
        return _NODES.encode(tuple(self._nodes[:used]))


def decode_tree(data: bytes) -> RatchetTree:
    """Return the tree that `data` encodes, every node in its place.

    Nothing is verified beyond the shape: see `tree_validation`. Raises CodecError,
    and InvalidError if nodes stand in wrong places.
    """
    nodes: list[Node | None] = list(_NODES.decode(data))
    if not nodes or nodes[-1] is None:
        raise InvalidError(Rule.TREE_SHAPE, "the tree is empty or ends in a blank node")
    for index, node in enumerate(nodes):
        wanted = ParentNode if index % 2 else LeafNode
        if node is not None and not isinstance(node, wanted):
            raise InvalidError(Rule.TREE_SHAPE, f"node {index} is no {wanted.__name__}")
    leaf_count = 1
    while tree_math.node_count(leaf_count) < len(nodes):
        leaf_count *= 2
    nodes += [None] * (tree_math.node_count(leaf_count) - len(nodes))
    tree = RatchetTree(nodes)
    if tree.is_wider_than_needed():
        # A parent node at the end, over nobody: once it is blank, what is written of
        # the tree is read as a narrower one.
        raise InvalidError(Rule.TREE_SHAPE, "the right half is empty")
    return tree


class TreeDraft(RatchetTree):
    """A tree in the making; hashes of changed nodes are forgotten up to the root."""

    __slots__ = ("_first_free",)

    def __init__(
        self, nodes: Iterable[Node | None], hashes: Iterable[bytes | None]
    ) -> None:
        super().__init__(nodes, hashes)
        self._first_free = 0

    def set_node(self, index: int, node: Node | None) -> None:
        """Put `node` at `index`."""
        self._nodes[index] = node
        self._forget_hashes(index)

    def _forget_hashes(self, index: int) -> None:
        root = self.root
        self._hashes[index] = None
        while index != root:
            index = tree_math.parent_of(index)
            self._hashes[index] = None

    def blank_path(self, leaf_index: int) -> None:
        """Blank every ancestor of the leaf."""
        for index in self.direct_path(leaf_index):
            self._nodes[index] = None
        self._forget_hashes(2 * leaf_index)

    def add_leaf(self, leaf: LeafNode) -> int:
        """Put `leaf` at the leftmost free place; return its index (section 7.7).

        Raises InvalidError if there is no more place.
        """
        leaf_index = self.free_place()
        for index in self.direct_path(leaf_index):
            node = self._nodes[index]
            if isinstance(node, ParentNode):
                unmerged = tuple(sorted((*node.unmerged_leaves, leaf_index)))
                self._nodes[index] = replace(node, unmerged_leaves=unmerged)
        self.set_node(2 * leaf_index, leaf)
        return leaf_index

    def free_place(self) -> int:
        """Return the leftmost blank leaf; make the tree wider if there is none.

        Raises InvalidError if it is as wide already as one that can be read.
        """
        leaf_index = self._first_free
        while leaf_index < self.leaf_count and self._nodes[2 * leaf_index] is not None:
            leaf_index += 1
        if leaf_index == self.leaf_count:
            if 2 * self.leaf_count > MAX_LEAVES:
                raise InvalidError(Rule.TREE_SHAPE, f"{leaf_index} leaves are taken")
            added = len(self._nodes) + 1
            self._nodes += [None] * added
            self._hashes += [None] * added
        self._first_free = leaf_index
        return leaf_index

    def update_leaf(self, leaf_index: int, leaf: LeafNode) -> None:
        """Replace a member's leaf and blank its path (section 7.7)."""
        self.blank_path(leaf_index)
        self.set_node(2 * leaf_index, leaf)

    def remove_leaf(self, leaf_index: int) -> None:
        """Blank a leaf and its path; `truncate` when all are removed (section 7.7)."""
        self.blank_path(leaf_index)
        self.set_node(2 * leaf_index, None)
        self._first_free = min(self._first_free, leaf_index)

    def truncate(self) -> None:
        """Halve the tree while its right half has no member (section 7.7)."""
        while self.is_wider_than_needed():
            kept = self.root
            del self._nodes[kept:]
            del self._hashes[kept:]

    def finish(self) -> RatchetTree:
        """Return the tree as it is now."""
        return RatchetTree(self._nodes, self._hashes)
