"""RFC 9420 vectors: resolutions, tree hashes, parent hashes and leaf signatures."""

from dataclasses import replace

import pytest

from tertulia.mls.errors import InvalidError
from tertulia.mls.leaf_node import LeafPlace
from tertulia.mls.parent_hash import check_parent_hashes
from tertulia.mls.ratchet_tree import RatchetTree, decode_tree
from tertulia.mls.tree_validation import check_members, check_tree
from tests.mls.vectors.cases import Case, every_case, octets
from tests.mls.vectors.tally import Tally

pytestmark = every_case("tree-validation")


@pytest.fixture
def tree(case: Case) -> RatchetTree:
    return decode_tree(octets(case.vector, "tree"))


def test_resolutions(case: Case, tree: RatchetTree, tally: Tally) -> None:
    tally.equal(len(tree.nodes), len(case.vector["resolutions"]))
    for index, resolution in enumerate(case.vector["resolutions"]):
        tally.equal(tree.resolution(index), resolution)
        tally.equal(tree.is_empty_below(index), not resolution)


def test_tree_hashes(case: Case, tree: RatchetTree, tally: Tally) -> None:
    for index, tree_hash in enumerate(case.vector["tree_hashes"]):
        tally.equal(tree.tree_hash(case.suite, index), bytes.fromhex(tree_hash))


def test_parent_hashes(case: Case, tree: RatchetTree, tally: Tally) -> None:
    with tally.accepts():
        check_parent_hashes(case.suite, tree)


def test_leaf_signatures(case: Case, tree: RatchetTree, tally: Tally) -> None:
    group_id = octets(case.vector, "group_id")
    for index, leaf in tree.members():
        with tally.accepts():
            leaf.verify_signature(case.suite, LeafPlace(group_id, index))


def test_a_joiner_takes_the_tree(case: Case, tree: RatchetTree, tally: Tally) -> None:
    tally.equal(tree.encode(), octets(case.vector, "tree"))
    with tally.accepts():
        check_members(tree, ())
    with tally.accepts():
        check_tree(case.suite, tree, octets(case.vector, "group_id"))


def test_another_parent_key_breaks_the_hashes(
    case: Case, tree: RatchetTree, tally: Tally
) -> None:
    for index, parent in tree.parents():
        draft = tree.edit()
        altered = bytes([parent.encryption_key[0] ^ 1]) + parent.encryption_key[1:]
        draft.set_node(index, replace(parent, encryption_key=altered))
        with tally.refuses(InvalidError):
            check_parent_hashes(case.suite, draft.finish())


def test_another_leaf_breaks_its_signature(
    case: Case, tree: RatchetTree, tally: Tally
) -> None:
    group_id = octets(case.vector, "group_id")
    for index, leaf in tree.members():
        altered = bytes([leaf.encryption_key[0] ^ 1]) + leaf.encryption_key[1:]
        with tally.refuses(InvalidError):
            replace(leaf, encryption_key=altered).verify_signature(
                case.suite, LeafPlace(group_id, index)
            )
