"""Reading who sits where from an encoded ratchet tree (RFC 9420, sections 7 and 12.4.3.3).

Written apart from the engine under test, so that an oracle's tree is not read by what it
is to judge. It knows just enough of the encoding to step over what it does not want.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from tests.interop.oracles.oracle import Member

LEAF = 1
FROM_KEY_PACKAGE = 1
FROM_COMMIT = 3
LIFETIME_LENGTH = 16
CAPABILITY_LISTS = 5


@dataclass(slots=True)
class _Reader:
    rest: bytes

    def take(self, length: int) -> bytes:
        if length > len(self.rest):
            raise ValueError("the ratchet tree ends early")
        taken, self.rest = self.rest[:length], self.rest[length:]
        return taken

    def number(self, length: int) -> int:
        return int.from_bytes(self.take(length), "big")

    def vector(self) -> bytes:
        first = self.number(1)
        more = (1 << (first >> 6)) - 1
        length = (first & 0x3F) << (8 * more) | self.number(more)
        return self.take(length)


def members_of(ratchet_tree: bytes) -> tuple[Member, ...]:
    """The non-blank leaves, from left to right."""
    return tuple(_members(ratchet_tree))


def _members(ratchet_tree: bytes) -> Iterator[Member]:
    nodes = _Reader(_Reader(ratchet_tree).vector())
    node_index = 0
    while nodes.rest:
        if nodes.number(1):
            if nodes.number(1) == LEAF:
                yield Member(node_index // 2, _leaf_identity(nodes))
            else:
                _skip_parent(nodes)
        node_index += 1


def _leaf_identity(reader: _Reader) -> bytes:
    reader.vector()  # encryption_key
    reader.vector()  # signature_key
    reader.number(2)  # credential_type
    identity = reader.vector()
    for _ in range(CAPABILITY_LISTS):
        reader.vector()
    source = reader.number(1)
    if source == FROM_KEY_PACKAGE:
        reader.take(LIFETIME_LENGTH)
    elif source == FROM_COMMIT:
        reader.vector()  # parent_hash
    reader.vector()  # extensions
    reader.vector()  # signature
    return identity


def _skip_parent(reader: _Reader) -> None:
    reader.vector()  # encryption_key
    reader.vector()  # parent_hash
    reader.vector()  # unmerged_leaves
