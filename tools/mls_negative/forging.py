"""Welcomes into groups that somebody made up.

Who welcomes a newcomer chooses everything the newcomer sees. A forgery starts from the
tree of a real group; what follows from a change (parent hashes, leaf signatures, tree
hash, key schedule, tag, signature of the GroupInfo) is made right again.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from tertulia.crypto import CipherSuite, Rng, Secret
from tertulia.mls import (
    MLS10,
    Add,
    CommitPlan,
    Extension,
    Extensions,
    ExtensionType,
    GroupContext,
    GroupInfo,
    LeafNode,
    ParentNode,
    PreSharedKeyID,
    RatchetTree,
    Remove,
    Welcome,
    create_key_package,
)
from tertulia.mls.key_schedule import start_epoch
from tertulia.mls.leaf_node import CommitSource, LeafPlace
from tertulia.mls.parent_hash import parent_hash
from tertulia.mls.ratchet_tree import Node
from tertulia.mls.transcript import confirmation_tag
from tertulia.mls.tree_math import is_below, left, right
from tertulia.mls.welcome import Newcomer, WelcomeKeys, make_welcome
from tools.mls_negative.cases import State
from tools.mls_negative.changes import setting
from tools.mls_negative.cheating import as_it_is
from tools.mls_negative.rooms import LIFETIME, Room, new_identity, new_room

GROUP_ID = b"a group that was made up"

# Whose commits made which parent nodes that are still there, the oldest commit first.
_PATHS = ((0, (1, 3)), (4, (11, 7)))


@dataclass(frozen=True, slots=True)
class Landscape:
    """A tree of eight leaves with all that a tree can have.

    Leaf 7 is blank. Leaves 3 and 5 are new and unmerged: 3 in nodes 3 and 7, 5 in nodes
    11 and 7. Nodes 5, 9 and 13 are blank. Ben, the receiver, is leaf 1.
    """

    room: Room
    nodes: tuple[Node | None, ...]
    signature_keys: Mapping[int, Secret]

    def changed(self, index: int, change: Callable[[Node], Node]) -> "Landscape":
        """Return the landscape with another node at `index`, nothing made right."""
        node = self.nodes[index]
        if node is None:
            raise ValueError(f"node {index} is blank")
        return self.with_node(index, change(node))

    def with_node(self, index: int, node: Node | None) -> "Landscape":
        """Return the landscape with `node` at `index`, nothing made right."""
        nodes = (*self.nodes[:index], node, *self.nodes[index + 1 :])
        return replace(self, nodes=nodes)

    def with_leaf(
        self, leaf_index: int, change: Callable[[LeafNode], LeafNode]
    ) -> "Landscape":
        """Return the landscape with a changed leaf, signed again, and linked."""
        leaf = self.nodes[2 * leaf_index]
        if not isinstance(leaf, LeafNode):
            raise TypeError(f"leaf {leaf_index} is blank")
        signed = self.sign(change(leaf), leaf_index)
        return self.with_node(2 * leaf_index, signed).linked()

    def sign(self, leaf: LeafNode, leaf_index: int) -> LeafNode:
        """Return a leaf signed for its place."""
        place = LeafPlace(GROUP_ID, leaf_index)
        return leaf.sign(self.room.suite, self.signature_keys[leaf_index], place)

    def linked(self) -> "Landscape":
        """Return the landscape with all parent hashes made right."""
        linked = self
        for leaf_index, path in _PATHS:
            linked = linked.linked_below(leaf_index, path)
        return linked

    def linked_below(self, leaf_index: int, path: Sequence[int]) -> "Landscape":
        """Return the landscape with the parent hashes below the last of `path`."""
        linked = self
        for below, above in zip(path[-2::-1], path[:0:-1], strict=True):
            value = linked.parent_hash_below(above, leaf_index)
            linked = linked.changed(below, setting(parent_hash=value))
        value = linked.parent_hash_below(path[0], leaf_index)
        leaf = linked.nodes[2 * leaf_index]
        if not isinstance(leaf, LeafNode):
            raise TypeError(f"leaf {leaf_index} is blank")
        leaf = linked.sign(replace(leaf, source=CommitSource(value)), leaf_index)
        return linked.with_node(2 * leaf_index, leaf)

    def parent_hash_below(self, index: int, leaf_index: int) -> bytes:
        """Return what the child of node `index` towards a leaf must name."""
        node = self.nodes[index]
        if not isinstance(node, ParentNode):
            raise TypeError(f"node {index} is no parent")
        sibling = left(index)
        if is_below(2 * leaf_index, sibling):
            sibling = right(index)
        return parent_hash(self.room.suite, self.tree, node, sibling)

    @property
    def tree(self) -> RatchetTree:
        """The nodes as a tree."""
        return RatchetTree(self.nodes)

    @property
    def state(self) -> State:
        """Ben before he joins."""
        return State(self.room.state.mine)


def new_landscape(name: str, suite: int = 1) -> Landscape:
    """Return the landscape, grown by honest commits and moved to the made-up group."""
    others = ("Ben", "Cora", "Dora", "Emil", "Fritz", "Gina", "Hugo")
    room = new_room(f"{name}, landscape", others, suite=suite)
    for gone in ("Dora", "Fritz", "Hugo"):
        del room.groups[gone]
    room.commit("Ana", CommitPlan([Remove(3), Remove(5), Remove(7)]))
    room.commit("Emil", CommitPlan())
    keys = {
        group.leaf_index: group.epoch.signature_key for group in room.groups.values()
    }
    adds = []
    for leaf_index, newcomer in ((3, "Inge"), (5, "Jan")):
        identity = new_identity(room.suite, newcomer, room.rng)
        adds.append(Add(create_key_package(identity, LIFETIME, room.rng).key_package))
        keys[leaf_index] = identity.signature_key.private
    room.commit("Gina", CommitPlan(adds, path=False))
    return Landscape(room, room.groups["Ana"].tree.nodes, keys).linked()


@dataclass(frozen=True, slots=True)
class Forgery:
    """What a forged Welcome says; each field changes what its name says."""

    group_context: Callable[[GroupContext], GroupContext] = as_it_is
    encoded_tree: Callable[[bytes], bytes] = as_it_is
    extensions: Callable[[Extensions], Extensions] = as_it_is
    confirmation_tag: Callable[[bytes], bytes] = as_it_is
    signer: int = 0
    signature_key: Secret | None = None
    signed: Callable[[GroupInfo], GroupInfo] = as_it_is
    path_secret: Secret | None = None
    psk_ids: tuple[PreSharedKeyID, ...] = ()
    psk_secret: Secret | None = None


HONEST = Forgery()


@dataclass(frozen=True, slots=True)
class Forged:
    """A GroupInfo that was made up, and the Welcome that holds it."""

    suite: CipherSuite
    group_info: GroupInfo
    keys: WelcomeKeys

    def welcome(self, newcomer: Newcomer, rng: Rng) -> Welcome:
        """Return a Welcome for one newcomer."""
        return make_welcome(self.suite, self.group_info, self.keys, [newcomer], rng)


def forge(landscape: Landscape, forgery: Forgery = HONEST) -> Welcome:
    """Return a Welcome for Ben into the group of `landscape`."""
    room = landscape.room
    newcomer = Newcomer(room.state.mine.key_package, forgery.path_secret)
    return forge_group(landscape, forgery).welcome(newcomer, room.rng)


def forge_group(landscape: Landscape, forgery: Forgery = HONEST) -> Forged:
    """Return the group of `landscape` as a GroupInfo and the keys of a Welcome."""
    suite, rng = landscape.room.suite, landscape.room.rng
    tree = landscape.tree
    context = forgery.group_context(
        GroupContext(
            version=MLS10,
            cipher_suite=suite.id,
            group_id=GROUP_ID,
            epoch=5,
            tree_hash=tree.tree_hash(suite),
            confirmed_transcript_hash=bytes(range(suite.kdf.size)),
            extensions=(),
        )
    )
    psk_secret = forgery.psk_secret or Secret(bytes(suite.kdf.size))
    started = start_epoch(suite, suite.random(rng), psk_secret, context)
    tag = confirmation_tag(
        suite,
        started.secrets.confirmation_key,
        context.confirmed_transcript_hash,
    )
    encoded = forgery.encoded_tree(tree.encode())
    shipped = (Extension(ExtensionType.RATCHET_TREE, encoded),)
    key = forgery.signature_key or landscape.signature_keys[0]
    group_info = GroupInfo(
        context,
        forgery.extensions(shipped),
        forgery.confirmation_tag(tag),
        forgery.signer,
        b"",
    ).sign(suite, key)
    keys = WelcomeKeys(started.joiner_secret, psk_secret, forgery.psk_ids)
    return Forged(suite, forgery.signed(group_info), keys)
