"""Signed heads: the relay's word for where rooms stand, one signature for many rooms.

What a relay stores together it signs together: the heads are the leaves of a hash tree,
and the signature is over its root. Each head comes with the siblings on its way there.

    leaf   = SHA-256("Tertulia 1 head" || room || incarnation || place || hash)
    parent = SHA-256("Tertulia 1 node" || the lesser of both children || the greater)
    signed = HeadRoot(root)

Room and incarnation have 16 bytes, the hash 32, place 8, most significant first.
Children are ordered by value, so that a path needs no directions; the labels have one
length, and what they begin differs, so that no head is a node. A head alone is its own
root. Siblings are hashes over room ids and running hashes: they tell a member how many
rooms got something at that moment, to a power of two, and nothing of which.
"""

import struct
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Annotated, ClassVar, Final, NamedTuple

from tertulia.codec import Opaque
from tertulia.crypto import Secret
from tertulia.wire.frames import SignedHead
from tertulia.wire.signed import Signable

_LEAF: Final = b"Tertulia 1 head"
_NODE: Final = b"Tertulia 1 node"
_leaf: Final = struct.Struct(">16s16sQ32s").pack


class Head(NamedTuple):
    """The last entry of a room and its running hash."""

    room: bytes
    incarnation: bytes
    place: int
    hash: bytes

    def leaf(self) -> bytes:
        """Return what stands for this head in the tree."""
        return sha256(_LEAF + _leaf(*self)).digest()


@dataclass(frozen=True, slots=True)
class HeadRoot(Signable):
    """The root over all heads that are signed together; signed by the relay."""

    label: ClassVar[str] = "Tertulia 1 heads"
    root: Annotated[bytes, Opaque(32)]


def sign_heads(private: Secret, heads: Sequence[Head]) -> list[SignedHead]:
    """Return each head as the relay gives it out, all under one signature."""
    level = [head.leaf() for head in heads]
    places = list(range(len(heads)))
    paths: list[list[bytes]] = [[] for _ in heads]
    while len(level) > 1:
        for head, place in enumerate(places):
            sibling = place ^ 1
            if sibling < len(level):
                paths[head].append(level[sibling])
            places[head] = place >> 1
        level = [
            _parent(level[left], level[left + 1])
            if left + 1 < len(level)
            else level[left]
            for left in range(0, len(level), 2)
        ]
    if not heads:
        return []
    signature = HeadRoot(level[0]).sign(private)
    return [
        SignedHead(head.incarnation, head.place, head.hash, signature, tuple(path))
        for head, path in zip(heads, paths, strict=True)
    ]


def verify_head(identity: bytes, room: bytes, signed: SignedHead) -> None:
    """Raise CryptoError unless the relay of this identity signed this head of the room."""
    node = Head(room, signed.incarnation, signed.place, signed.hash).leaf()
    for sibling in signed.path:
        node = _parent(node, sibling)
    HeadRoot(node).verify(identity, signed.signature)


def _parent(one: bytes, other: bytes) -> bytes:
    return sha256(_NODE + min(one, other) + max(one, other)).digest()
