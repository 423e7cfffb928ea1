from hashlib import sha256

from tertulia.mls import LeafNode
from tertulia.mls.ratchet_tree import ParentNode
from tertulia.mls.tree_hash import leaf_hash, parent_node_hash
from tests.mls.world import SUITE, alone, key_package

LEAF: LeafNode = key_package("Ana").key_package.leaf_node
PARENT = ParentNode(b"key", b"above", (1,))


def test_a_leaf_is_hashed_with_its_type_and_place() -> None:
    # TreeHashInput of section 7.8: node_type leaf, leaf_index, optional leaf node.
    assert leaf_hash(SUITE, 5, LEAF) == sha256(b"\1\0\0\0\5\1" + LEAF.encode()).digest()
    assert leaf_hash(SUITE, 5, None) == sha256(b"\1\0\0\0\5\0").digest()


def test_a_parent_is_hashed_with_the_hashes_of_its_children() -> None:
    assert (
        parent_node_hash(SUITE, PARENT, b"left", b"right")
        == sha256(b"\2\1" + PARENT.encode() + b"\4left\5right").digest()
    )
    assert (
        parent_node_hash(SUITE, None, b"left", b"right")
        == sha256(b"\2\0\4left\5right").digest()
    )


def test_the_tree_hash_of_one_member_is_that_of_its_leaf() -> None:
    group = alone("Ana")
    assert group.context.tree_hash == leaf_hash(SUITE, 0, group.leaf)
