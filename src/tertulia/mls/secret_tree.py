"""The secret tree: one key for each message, each used once (RFC 9420 section 9).

A tree of secrets grows down from the encryption secret; a leaf's secret starts two
ratchets, one for handshakes and one for application messages. Whatever is derived from
is forgotten: a node once its children are there, a ratchet secret once it moved on, a
key once it was used. For messages that have not come yet, key and nonce are kept, never
the ratchet secret that would yield all later ones.

Everything is a value: taking a key returns a new tree without it.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from enum import IntEnum

from tertulia.crypto import CipherSuite, Secret
from tertulia.mls import tree_math
from tertulia.mls.errors import InvalidError, MisuseError
from tertulia.mls.limits import MAX_KEPT_KEYS, MAX_SKIPPED_GENERATIONS
from tertulia.mls.rules import Rule

MAX_GENERATION = 2**32 - 1


class RatchetKind(IntEnum):
    """What a ratchet's keys are for."""

    HANDSHAKE = 0
    APPLICATION = 1


_LABELS = {RatchetKind.HANDSHAKE: "handshake", RatchetKind.APPLICATION: "application"}


@dataclass(frozen=True, slots=True)
class MessageKey:
    """Key and nonce of one message."""

    key: Secret
    nonce: Secret


@dataclass(frozen=True, slots=True)
class Ratchet:
    """One sender's keys of one kind: those to come, and those skipped so far."""

    secret: Secret
    generation: int = 0
    skipped: Mapping[int, MessageKey] = field(default_factory=dict)

    def next_key(self, suite: CipherSuite) -> tuple["Ratchet", MessageKey]:
        """Return the key of the current generation, and the ratchet after it."""
        if self.generation > MAX_GENERATION:
            raise MisuseError("a ratchet is used up: commit to start a new epoch")
        ahead, key = _step(suite, self.secret, self.generation)
        return replace(self, secret=ahead, generation=self.generation + 1), key

    def key_of(
        self, suite: CipherSuite, generation: int
    ) -> tuple["Ratchet", MessageKey]:
        """Return the key of `generation`, and the ratchet without it.

        Raises InvalidError if the key was used already or is too far ahead.
        """
        if generation < self.generation:
            return self._skipped_key(generation)
        if generation - self.generation > MAX_SKIPPED_GENERATIONS:
            raise InvalidError(Rule.GENERATION, f"{generation} is too far ahead")
        secret = self.secret
        skipped = dict(self.skipped)
        for passed in range(self.generation, generation):
            secret, skipped[passed] = _step(suite, secret, passed)
        secret, key = _step(suite, secret, generation)
        for oldest in sorted(skipped)[: max(0, len(skipped) - MAX_KEPT_KEYS)]:
            del skipped[oldest]
        return Ratchet(secret, generation + 1, skipped), key

    def _skipped_key(self, generation: int) -> tuple["Ratchet", MessageKey]:
        key = self.skipped.get(generation)
        if key is None:
            raise InvalidError(Rule.GENERATION, f"{generation} was used already")
        rest = {
            number: kept for number, kept in self.skipped.items() if kept is not key
        }
        return replace(self, skipped=rest), key


def _step(
    suite: CipherSuite, secret: Secret, generation: int
) -> tuple[Secret, MessageKey]:
    """Return the next ratchet secret and the message key of `generation`."""

    def derive(label: str, length: int) -> Secret:
        return suite.derive_tree_secret(secret, label, generation, length)

    key = MessageKey(
        derive("key", suite.aead.key_size), derive("nonce", suite.aead.nonce_size)
    )
    return derive("secret", suite.kdf.size), key


@dataclass(frozen=True, slots=True)
class SecretTree:
    """The secrets of one epoch that have not been used yet.

    `nodes` holds secrets of subtrees nobody below has used, by node index; `ratchets`
    those of leaves that have, by leaf index and kind.
    """

    leaf_count: int
    nodes: Mapping[int, Secret]
    ratchets: Mapping[tuple[int, RatchetKind], Ratchet]

    def next_key(
        self, suite: CipherSuite, leaf_index: int, kind: RatchetKind
    ) -> tuple["SecretTree", int, MessageKey]:
        """Return the tree without the next key of my own ratchet, generation, key."""
        tree = self._with_ratchets_of(suite, leaf_index)
        ratchet = tree.ratchets[leaf_index, kind]
        ahead, key = ratchet.next_key(suite)
        return tree.with_ratchet(leaf_index, kind, ahead), ratchet.generation, key

    def key_of(
        self, suite: CipherSuite, leaf_index: int, kind: RatchetKind, generation: int
    ) -> tuple["SecretTree", MessageKey]:
        """Return the tree without a sender's key, and the key; raise InvalidError."""
        tree = self._with_ratchets_of(suite, leaf_index)
        rest, key = tree.ratchets[leaf_index, kind].key_of(suite, generation)
        return tree.with_ratchet(leaf_index, kind, rest), key

    def with_ratchet(
        self, leaf_index: int, kind: RatchetKind, ratchet: Ratchet
    ) -> "SecretTree":
        """Return the tree with one of a leaf's ratchets replaced."""
        return replace(self, ratchets={**self.ratchets, (leaf_index, kind): ratchet})

    def without_skipped(self, leaf_index: int, kind: RatchetKind) -> "SecretTree":
        """Return the tree without the keys that a sender has passed over."""
        ratchet = self.ratchets.get((leaf_index, kind))
        if ratchet is None or not ratchet.skipped:
            return self
        return self.with_ratchet(leaf_index, kind, replace(ratchet, skipped={}))

    def _with_ratchets_of(self, suite: CipherSuite, leaf_index: int) -> "SecretTree":
        """Return the tree grown down to a leaf, whose ratchets replace its secret."""
        if (leaf_index, RatchetKind.APPLICATION) in self.ratchets:
            return self
        nodes = dict(self.nodes)
        leaf = 2 * leaf_index
        for parent in reversed(list(self._unused_ancestors(leaf))):
            secret = nodes.pop(parent)
            for label, child in (
                ("left", tree_math.left(parent)),
                ("right", tree_math.right(parent)),
            ):
                nodes[child] = _derive_child(suite, secret, label)
        leaf_secret = nodes.pop(leaf)
        ratchets = dict(self.ratchets)
        for kind, label in _LABELS.items():
            start = suite.expand_with_label(leaf_secret, label, b"", suite.kdf.size)
            ratchets[leaf_index, kind] = Ratchet(start)
        return SecretTree(self.leaf_count, nodes, ratchets)

    def _unused_ancestors(self, leaf: int) -> Iterator[int]:
        """Yield the ancestors of a leaf up to the first whose secret is known."""
        node = leaf
        root = tree_math.root(self.leaf_count)
        while node not in self.nodes and node != root:
            node = tree_math.parent_of(node)
            yield node


def _derive_child(suite: CipherSuite, secret: Secret, label: str) -> Secret:
    return suite.expand_with_label(secret, "tree", label.encode(), suite.kdf.size)


def new_secret_tree(encryption_secret: Secret, leaf_count: int) -> SecretTree:
    """Return the secret tree of a new epoch."""
    return SecretTree(leaf_count, {tree_math.root(leaf_count): encryption_secret}, {})
