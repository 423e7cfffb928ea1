"""Tree hashes (RFC 9420 section 7.8) and the hashes behind parent hashes (7.9).

A tree hash covers everything below a node. Both kinds of input are a type byte, an
optional node and, for parents, the children's hashes.
"""

from tertulia.codec import Struct, encode_opaque, uint32
from tertulia.crypto import CipherSuite

_LEAF = 1
_PARENT = 2


def leaf_hash(suite: CipherSuite, leaf_index: int, leaf: Struct | None) -> bytes:
    """Return the hash of a leaf, blank or not, at its index."""
    return suite.hash(
        bytes((_LEAF,)) + uint32.encode(leaf_index) + _encode_optional(leaf)
    )


def parent_node_hash(
    suite: CipherSuite, parent: Struct | None, left: bytes, right: bytes
) -> bytes:
    """Return the hash of a parent node over the hashes of its children."""
    return suite.hash(
        bytes((_PARENT,))
        + _encode_optional(parent)
        + encode_opaque(left)
        + encode_opaque(right)
    )


def _encode_optional(node: Struct | None) -> bytes:
    return b"\0" if node is None else b"\1" + node.encode()
