"""RFC 9420 vectors: paths of every member, and what the others make of them."""

from collections.abc import Iterator
from random import Random
from typing import Any, NamedTuple

import pytest

from tertulia.crypto import KeyPair, Secret
from tertulia.mls.group_context import GroupContext
from tertulia.mls.key_package import Identity
from tertulia.mls.leaf_node import MLS10, LeafNode, LeafPlace
from tertulia.mls.parent_hash import check_parent_hashes
from tertulia.mls.ratchet_tree import RatchetTree, decode_tree
from tertulia.mls.treekem import (
    PathKeys,
    PrivateKeys,
    ReceivedPath,
    UpdatePath,
    create_path,
    derive_path,
    merge_path,
    open_path,
)
from tests.mls.vectors.cases import Case, every_case, octets, secret
from tests.mls.vectors.tally import Tally

pytestmark = every_case("treekem")


class World(NamedTuple):
    """The group of a case: its tree, and the private keys of its members."""

    case: Case
    tree: RatchetTree
    members: dict[int, PrivateKeys]

    def leaf(self, index: int) -> LeafNode:
        leaf = self.tree.leaf(index)
        assert leaf is not None
        return leaf

    def place(self, index: int) -> LeafPlace:
        return LeafPlace(octets(self.case.vector, "group_id"), index)

    def context(self, after: RatchetTree) -> bytes:
        """Return what paths are encrypted under: the context with the tree after."""
        vector = self.case.vector
        return GroupContext(
            version=MLS10,
            cipher_suite=self.case.suite.id,
            group_id=octets(vector, "group_id"),
            epoch=vector["epoch"],
            tree_hash=after.tree_hash(self.case.suite),
            confirmed_transcript_hash=octets(vector, "confirmed_transcript_hash"),
            extensions=(),
        ).encode()

    def receive(self, update: UpdatePath, sender: int) -> "Received":
        """Return what all members see of a path."""
        path = ReceivedPath(update, self.place(sender), ())
        after = merge_path(self.case.suite, self.tree.edit(), path)
        return Received(self, path, after, self.context(after))


class Received(NamedTuple):
    """A path, and the tree after it."""

    world: World
    path: ReceivedPath
    after: RatchetTree
    context: bytes

    def open(self, member: int) -> PathKeys:
        """Return what a member learns from the path."""
        mine = self.world.members[member]
        suite = self.world.case.suite
        return open_path(suite, self.after, self.path, mine, self.context)


@pytest.fixture
def world(case: Case) -> World:
    members = {
        private["index"]: PrivateKeys(private["index"], dict(_keys(case, private)))
        for private in case.vector["leaves_private"]
    }
    return World(case, decode_tree(octets(case.vector, "ratchet_tree")), members)


def _keys(case: Case, private: dict[str, Any]) -> Iterator[tuple[int, Secret]]:
    """Yield node and private key of what a member holds."""
    yield 2 * private["index"], secret(private, "encryption_priv")
    for known in private["path_secrets"]:
        keys = derive_path(case.suite, secret(known, "path_secret"), [known["node"]])
        yield known["node"], keys.key_pairs[known["node"]].private


def _updates(world: World) -> Iterator[tuple[dict[str, Any], Received]]:
    """Yield each path of a case: the vector, and what all members see of it."""
    for vector in world.case.vector["update_paths"]:
        update = UpdatePath.decode(octets(vector, "update_path"))
        yield vector, world.receive(update, vector["sender"])


def test_private_keys_fit_the_tree(case: Case, world: World, tally: Tally) -> None:
    suite = case.suite
    for private in case.vector["leaves_private"]:
        member = private["index"]
        for node, key in world.members[member].by_node.items():
            tally.equal(suite.hpke.kem.public_key(key), world.tree.encryption_key(node))
        signer = suite.signature.public_key(secret(private, "signature_priv"))
        tally.equal(signer, world.leaf(member).signature_key)


def test_paths_are_public_alike(case: Case, world: World, tally: Tally) -> None:
    for vector, received in _updates(world):
        tally.equal(received.path.update.encode(), octets(vector, "update_path"))
        tree_hash = received.after.tree_hash(case.suite)
        tally.equal(tree_hash, octets(vector, "tree_hash_after"))
        with tally.accepts():
            check_parent_hashes(case.suite, received.after)


def test_paths_open_for_everybody_else(world: World, tally: Tally) -> None:
    for vector, received in _updates(world):
        for member, path_secret in enumerate(vector["path_secrets"]):
            if path_secret is None:
                assert member == vector["sender"] or member not in world.members
                continue
            keys = received.open(member)
            first = next(iter(keys.path_secrets.values()))
            tally.equal(first, Secret(bytes.fromhex(path_secret)))
            tally.equal(keys.commit_secret, secret(vector, "commit_secret"))


def test_paths_made_here_open_for_everybody_else(
    case: Case, world: World, tally: Tally
) -> None:
    rng = Random(1).randbytes
    for private in case.vector["leaves_private"]:
        sender = private["index"]
        signer = secret(private, "signature_priv")
        made = create_path(
            world.tree.edit(),
            _identity(world, sender, signer),
            world.place(sender),
            rng,
        )
        update = made.encrypt(case.suite, world.context(made.tree), (), rng)
        received = world.receive(UpdatePath.decode(update.encode()), sender)
        tally.equal(received.after.encode(), made.tree.encode())
        with tally.accepts():
            check_parent_hashes(case.suite, received.after)
        for member in world.members.keys() - {sender}:
            keys = received.open(member)
            tally.equal(keys.commit_secret, made.keys.commit_secret)
            for node, pair in keys.key_pairs.items():
                tally.equal(pair, made.keys.key_pairs[node])


def _identity(world: World, member: int, signature_key: Secret) -> Identity:
    leaf = world.leaf(member)
    return Identity(
        world.case.suite,
        leaf.credential,
        KeyPair(signature_key, leaf.signature_key),
        leaf.capabilities,
        leaf.extensions,
    )
