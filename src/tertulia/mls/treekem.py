"""TreeKEM: fresh keys for a member's path, and secrets for the others (7.4 to 7.6).

Processing has two halves. `merge_path` does what everybody sees: it puts the new keys
into the tree or finds that they do not belong there. `open_path` does what only this
member can: it decrypts one path secret and checks that it fits the published tree.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated

from tertulia.codec import Nested, Opaque, Struct, Vector
from tertulia.crypto import CipherSuite, CryptoError, KeyPair, Rng, Secret
from tertulia.mls import tree_math
from tertulia.mls.errors import InvalidError, OutOfStepError
from tertulia.mls.key_package import Identity, new_leaf
from tertulia.mls.leaf_node import (
    CommitSource,
    LeafNode,
    LeafPlace,
    check_encryption_key,
    check_leaf,
    check_source,
)
from tertulia.mls.limits import MAX_KEY, MAX_MESSAGE
from tertulia.mls.parent_hash import link_path
from tertulia.mls.ratchet_tree import RatchetTree, TreeDraft
from tertulia.mls.rules import Rule

_LABEL = "UpdatePathNode"


@dataclass(frozen=True, slots=True)
class HPKECiphertext(Struct):
    """What EncryptWithLabel gives (section 7.6)."""

    kem_output: Annotated[bytes, Opaque(MAX_KEY)]
    ciphertext: Annotated[bytes, Opaque(MAX_MESSAGE)]


@dataclass(frozen=True, slots=True)
class UpdatePathNode(Struct):
    """A new key, and its path secret for each node of the copath's resolution."""

    encryption_key: Annotated[bytes, Opaque(MAX_KEY)]
    encrypted_path_secret: Annotated[
        tuple[HPKECiphertext, ...], Vector(Nested(HPKECiphertext), MAX_MESSAGE)
    ]


@dataclass(frozen=True, slots=True)
class UpdatePath(Struct):
    """A member's new leaf and the new nodes of its filtered direct path."""

    leaf_node: LeafNode
    nodes: Annotated[
        tuple[UpdatePathNode, ...], Vector(Nested(UpdatePathNode), MAX_MESSAGE)
    ]


@dataclass(frozen=True, slots=True)
class PathKeys:
    """What a path secret yields: key pairs of nodes upwards, and the commit secret."""

    path_secrets: Mapping[int, Secret]
    key_pairs: Mapping[int, KeyPair]
    commit_secret: Secret


@dataclass(frozen=True, slots=True)
class NewPath:
    """A path made but not yet encrypted: that needs the hash of the finished tree."""

    tree: RatchetTree
    leaf: LeafNode
    leaf_key: Secret
    path: Sequence[tuple[int, int]]
    keys: PathKeys

    def encrypt(
        self,
        suite: CipherSuite,
        context: bytes,
        new_leaves: Collection[int],
        rng: Rng,
    ) -> UpdatePath:
        """Return the path with its secrets encrypted to all but `new_leaves`.

        `context` is the encoded GroupContext of the new epoch, but for the confirmed
        transcript hash, which is still that of the old one.
        """
        nodes = []
        for index, copath in self.path:
            secret = self.keys.path_secrets[index].reveal()
            recipients = _recipients(self.tree, copath, new_leaves)
            sealed = suite.encrypt_each_with_label(
                _LABEL,
                context,
                ((self.tree.encryption_key(index), secret) for index in recipients),
                rng,
            )
            ciphertexts = tuple(HPKECiphertext(*parts) for parts in sealed)
            public = self.keys.key_pairs[index].public
            nodes.append(UpdatePathNode(public, ciphertexts))
        return UpdatePath(self.leaf, tuple(nodes))


def derive_path(suite: CipherSuite, first: Secret, path: Sequence[int]) -> PathKeys:
    """Derive the keys of the nodes of `path`, upwards, from the secret of its first."""
    path_secrets = {}
    key_pairs = {}
    secret = first
    for index in path:
        path_secrets[index] = secret
        node_secret = suite.derive_secret(secret, "node")
        key_pairs[index] = suite.kem_derive_key_pair(node_secret)
        secret = suite.derive_secret(secret, "path")
    return PathKeys(path_secrets, key_pairs, commit_secret=secret)


def create_path(
    draft: TreeDraft, identity: Identity, place: LeafPlace, rng: Rng
) -> NewPath:
    """Give the committer's leaf and path fresh keys; consume `draft`.

    `identity` is what the new leaf says of its owner, `place` where it stands.
    """
    suite = identity.suite
    path = draft.filtered_direct_path(place.leaf_index)
    leaf_key = suite.generate_kem_key_pair(rng)
    keys = derive_path(suite, suite.random(rng), [index for index, _ in path])
    publics = [keys.key_pairs[index].public for index, _ in path]
    leaf_parent_hash, nodes = link_path(suite, draft, path, publics)
    source = CommitSource(leaf_parent_hash)
    leaf = new_leaf(identity, leaf_key.public, source, place)
    draft.update_leaf(place.leaf_index, leaf)
    for (index, _), node in zip(path, nodes, strict=True):
        draft.set_node(index, node)
    return NewPath(draft.finish(), leaf, leaf_key.private, path, keys)


@dataclass(frozen=True, slots=True)
class ReceivedPath:
    """A path as the other members get it.

    `new_leaves` are those that the same commit adds, to which nothing is encrypted.
    """

    update: UpdatePath
    place: LeafPlace
    new_leaves: Collection[int]


def merge_path(
    suite: CipherSuite, draft: TreeDraft, received: ReceivedPath
) -> RatchetTree:
    """Return the tree with a sender's path; consume `draft`; raise InvalidError.

    Everything checked here is public: all members come to the same conclusion.
    """
    update, place = received.update, received.place
    leaf = update.leaf_node
    check_source(leaf, CommitSource)
    check_leaf(leaf, suite, place)
    path = draft.filtered_direct_path(place.leaf_index)
    if len(update.nodes) != len(path):
        raise InvalidError(
            Rule.PATH_LENGTH, f"{len(update.nodes)} nodes where {len(path)} are due"
        )
    _check_keys_are_new(draft, update)
    for (_, copath), node in zip(path, update.nodes, strict=True):
        check_encryption_key(suite, node.encryption_key)
        recipients = _recipients(draft, copath, received.new_leaves)
        if len(node.encrypted_path_secret) != len(recipients):
            raise InvalidError(Rule.PATH_CIPHERTEXTS)
    keys = [node.encryption_key for node in update.nodes]
    leaf_parent_hash, nodes = link_path(suite, draft, path, keys)
    if leaf.parent_hash != leaf_parent_hash:
        raise InvalidError(Rule.PATH_PARENT_HASH)
    draft.update_leaf(place.leaf_index, leaf)
    for (index, _), parent in zip(path, nodes, strict=True):
        draft.set_node(index, parent)
    return draft.finish()


def _check_keys_are_new(tree: RatchetTree, update: UpdatePath) -> None:
    fresh = {update.leaf_node.encryption_key}
    fresh.update(node.encryption_key for node in update.nodes)
    if not fresh.isdisjoint(tree.encryption_keys()) or len(fresh) != 1 + len(
        update.nodes
    ):
        raise InvalidError(Rule.PATH_KEY)


@dataclass(frozen=True, slots=True)
class PrivateKeys:
    """A member's private keys, by node index: its leaf's and those of its path."""

    leaf_index: int
    by_node: Mapping[int, Secret]

    def moved_to(self, tree: RatchetTree, keys: PathKeys | None) -> "PrivateKeys":
        """Return what is left of these keys in `tree`, with the new `keys`.

        A key is dropped when its node was blanked or cut off. A sender's path replaces
        or blanks whatever it shares with mine, so nothing stale is kept.
        """
        kept = {
            index: key
            for index, key in self.by_node.items()
            if index <= 2 * tree.root and tree.node(index) is not None
        }
        if keys is not None:
            kept |= {index: pair.private for index, pair in keys.key_pairs.items()}
        return PrivateKeys(self.leaf_index, kept)


def open_path(
    suite: CipherSuite,
    tree: RatchetTree,
    received: ReceivedPath,
    mine: PrivateKeys,
    context: bytes,
) -> PathKeys:
    """Return the keys and the commit secret that a sender's path gives me.

    `tree` holds the path already (see `merge_path`), `context` is what the sender gave
    `NewPath.encrypt`. Raises OutOfStepError if my secret does not open or fit.
    """
    path = tree.filtered_direct_path(received.place.leaf_index)
    position = next(
        number
        for number, (_, copath) in enumerate(path)
        if tree_math.is_below(2 * mine.leaf_index, copath)
    )
    start, copath = path[position]
    ciphertexts = received.update.nodes[position].encrypted_path_secret
    recipients = _recipients(tree, copath, received.new_leaves)
    mine_among_them = next(
        (number for number, node in enumerate(recipients) if node in mine.by_node), None
    )
    if mine_among_them is None:
        raise OutOfStepError(start, "I hold no key of its copath")
    ciphertext = ciphertexts[mine_among_them]
    try:
        secret = suite.decrypt_with_label(
            mine.by_node[recipients[mine_among_them]],
            _LABEL,
            context,
            ciphertext.kem_output,
            ciphertext.ciphertext,
        )
    except CryptoError as error:
        raise OutOfStepError(start, str(error)) from error
    keys = derive_path(suite, secret, [index for index, _ in path[position:]])
    misfit = find_misfit(tree, keys)
    if misfit is not None:
        raise OutOfStepError(misfit, "the key derived is not the published one")
    return keys


def find_misfit(tree: RatchetTree, keys: PathKeys) -> int | None:
    """Return the first node whose published key is not the derived one, or None."""
    for index, pair in keys.key_pairs.items():
        node = tree.parent(index)
        if node is None or node.encryption_key != pair.public:
            return index
    return None


def _recipients(
    tree: RatchetTree, copath: int, new_leaves: Collection[int]
) -> list[int]:
    """Return the nodes to which the path secret above `copath` is encrypted (7.5)."""
    excluded = {2 * leaf for leaf in new_leaves}
    return [index for index in tree.resolution(copath) if index not in excluded]
