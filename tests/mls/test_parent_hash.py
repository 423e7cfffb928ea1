from dataclasses import replace
from hashlib import sha256
from typing import Any

import pytest

from tertulia.codec import encode_opaque
from tertulia.mls import ParentNode, RatchetTree, Rule, decode_tree
from tertulia.mls.parent_hash import check_parent_hashes, link_path, parent_hash
from tests.mls.world import (
    SUITE,
    adds,
    follow,
    group_of,
    grown,
    key_package,
    make,
    refused,
)

NAMES = ("Ana", "Luis", "Eva", "Juan", "Mia")


def altered(tree: RatchetTree, index: int, **what: Any) -> RatchetTree:
    draft = tree.edit()
    node = tree.node(index)
    assert node is not None
    draft.set_node(index, replace(node, **what))
    return draft.finish()


def test_the_hash_of_section_7_9() -> None:
    tree = group_of("Ana", "Luis")[0].tree
    root = tree.parent(1)
    assert root is not None
    # Nobody is unmerged: the sibling's hash is its tree hash as it stands.
    expected = sha256(
        encode_opaque(root.encryption_key)
        + encode_opaque(root.parent_hash)
        + encode_opaque(tree.tree_hash(SUITE, 2))
    ).digest()
    assert parent_hash(SUITE, tree, replace(root, unmerged_leaves=()), 2) == expected


def test_a_path_is_linked_from_the_root_to_the_leaf() -> None:
    tree = grown("Ana", "Luis", "Eva", "Juan")[0].tree
    path = tree.filtered_direct_path(0)
    leaf_hash, (low, high) = link_path(SUITE, tree, path, [b"low key", b"high key"])
    assert high == ParentNode(b"high key", b"", ())
    assert low == ParentNode(b"low key", parent_hash(SUITE, tree, high, 5), ())
    assert leaf_hash == parent_hash(SUITE, tree, low, 2)


def test_a_path_of_nobody_ends_in_the_empty_hash() -> None:
    tree = group_of("Ana")[0].tree
    assert link_path(SUITE, tree, [], []) == (b"", [])


@pytest.mark.parametrize("size", [1, 2, 3, 4, 5])
def test_the_trees_that_commits_make_are_valid(size: int) -> None:
    groups = group_of(*NAMES[:size])
    check_parent_hashes(SUITE, groups[0].tree)
    for number in range(size):
        groups = follow(groups, make(groups[number]))
        check_parent_hashes(SUITE, groups[0].tree)


def test_whoever_was_added_since_does_not_spoil_the_hash() -> None:
    groups = grown("Ana", "Luis", "Eva")
    added = make(groups[0], replace(adds(key_package("Juan")), path=False))
    tree = added.after.tree
    assert any(3 in parent.unmerged_leaves for _, parent in tree.parents())
    check_parent_hashes(SUITE, tree)
    check_parent_hashes(SUITE, decode_tree(tree.encode()))


def test_whoever_was_added_since_is_left_out_of_the_nodes_between_too() -> None:
    groups = grown(*NAMES, "Leo", "Zoe")
    # Ana's path covers the other half; then somebody comes into it, below a parent.
    groups = follow(groups, make(groups[0]))
    tree = make(groups[1], replace(adds(key_package("Max")), path=False)).after.tree
    unmerged = {index for index, node in tree.parents() if node.unmerged_leaves == (7,)}
    assert unmerged == {7, 11}
    check_parent_hashes(SUITE, tree)


def test_several_added_since_on_both_sides_do_not_either() -> None:
    groups = grown(*NAMES)
    # Two leave, one on each side of the root's left child; two come without a path.
    from_the_left = make(groups[0], adds(key_package("Leo")))
    groups = follow(groups, from_the_left)
    last = make(
        groups[1], replace(adds(key_package("Zoe"), key_package("Max")), path=False)
    )
    tree = last.after.tree
    assert {leaf for _, parent in tree.parents() for leaf in parent.unmerged_leaves} > {
        6
    }
    check_parent_hashes(SUITE, tree)


@pytest.mark.parametrize(
    ("index", "what"),
    [
        (3, {"encryption_key": b"another key"}),
        (1, {"encryption_key": b"another key"}),
        (3, {"parent_hash": b"above the root"}),
        (1, {"parent_hash": b"something else"}),
        (1, {"parent_hash": b""}),
    ],
)
def test_an_altered_parent_is_found_out(index: int, what: dict[str, bytes]) -> None:
    tree = grown("Ana", "Luis", "Eva", "Juan")[0].tree
    check_parent_hashes(SUITE, tree)
    with refused(Rule.PARENT_HASH):
        check_parent_hashes(SUITE, altered(tree, index, **what))


def test_an_exchanged_leaf_on_the_copath_is_found_out() -> None:
    groups = grown("Ana", "Luis", "Eva", "Juan")
    tree = follow(groups, make(groups[0]))[0].tree
    # Ana's path covers the hash of everybody else.
    exchanged = altered(tree, 4, encryption_key=b"another key")
    with refused(Rule.PARENT_HASH):
        check_parent_hashes(SUITE, exchanged)


def test_a_parent_that_nobody_committed_is_found_out() -> None:
    tree = group_of("Ana")[0].tree
    draft = tree.edit()
    draft.add_leaf(key_package("Luis").key_package.leaf_node)
    draft.set_node(1, ParentNode(b"key of nobody", b"", ()))
    with refused(Rule.PARENT_HASH):
        check_parent_hashes(SUITE, draft.finish())


@pytest.mark.parametrize("member", range(4))
def test_a_member_declared_unmerged_is_found_out(member: int) -> None:
    # On the side that the hash covers, and on the side of the node that names it.
    tree = grown("Ana", "Luis", "Eva", "Juan")[0].tree
    with refused(Rule.PARENT_HASH):
        check_parent_hashes(SUITE, altered(tree, 3, unmerged_leaves=(member,)))


def test_an_unmerged_leaf_made_merged_is_found_out() -> None:
    groups = grown("Ana", "Luis", "Eva")
    tree = make(groups[0], replace(adds(key_package("Juan")), path=False)).after.tree
    with refused(Rule.PARENT_HASH):
        check_parent_hashes(SUITE, altered(tree, 3, unmerged_leaves=()))
