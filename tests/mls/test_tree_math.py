import pytest
from hypothesis import given
from hypothesis import strategies as st

from tertulia.mls import tree_math
from tests.vectors import mls_vectors

SIZES = st.integers(0, 10).map(lambda exponent: 2**exponent)


@st.composite
def nodes_of_trees(draw: st.DrawFn) -> tuple[int, int]:
    leaf_count = draw(SIZES)
    return draw(st.integers(0, 2 * leaf_count - 2)), leaf_count


def test_the_official_trees() -> None:
    for case in mls_vectors("tree-math"):
        leaf_count = case["n_leaves"]
        assert tree_math.node_count(leaf_count) == case["n_nodes"]
        assert tree_math.root(leaf_count) == case["root"]
        for node in range(case["n_nodes"]):
            if node % 2:
                assert tree_math.left(node) == case["left"][node]
                assert tree_math.right(node) == case["right"][node]
            if node != case["root"]:
                assert tree_math.parent_of(node) == case["parent"][node]
                assert tree_math.sibling(node) == case["sibling"][node]


def test_a_tree_of_four_leaves() -> None:
    #       3
    #   1       5
    # 0   2   4   6
    assert tree_math.node_count(4) == 7
    assert tree_math.root(4) == 3
    assert [tree_math.level(node) for node in range(7)] == [0, 1, 0, 2, 0, 1, 0]
    assert (tree_math.left(3), tree_math.right(3)) == (1, 5)
    assert (tree_math.left(5), tree_math.right(5)) == (4, 6)
    assert tree_math.sibling(0) == 2
    assert tree_math.sibling(5) == 1
    assert tree_math.direct_path(4, 4) == [5, 3]
    assert tree_math.direct_path(3, 4) == []
    assert tree_math.leaf_range(5) == (2, 4)


def test_a_tree_of_one_leaf_is_its_own_root() -> None:
    assert tree_math.node_count(1) == 1
    assert tree_math.root(1) == 0
    assert tree_math.direct_path(0, 1) == []
    assert tree_math.leaf_range(0) == (0, 1)


@given(nodes_of_trees())
def test_parents_and_children_know_each_other(place: tuple[int, int]) -> None:
    node, leaf_count = place
    if node % 2:
        assert tree_math.parent_of(tree_math.left(node)) == node
        assert tree_math.parent_of(tree_math.right(node)) == node
    if node != tree_math.root(leaf_count):
        assert tree_math.sibling(tree_math.sibling(node)) == node
        assert tree_math.parent_of(tree_math.sibling(node)) == tree_math.parent_of(node)


@given(nodes_of_trees())
def test_the_direct_path_is_everything_above(place: tuple[int, int]) -> None:
    node, leaf_count = place
    everything = range(tree_math.node_count(leaf_count))
    above = [other for other in everything if tree_math.is_below(node, other)]
    path = tree_math.direct_path(node, leaf_count)
    assert sorted([node, *path]) == above
    assert [tree_math.level(other) for other in path] == list(
        range(tree_math.level(node) + 1, tree_math.level(node) + 1 + len(path))
    )


@given(nodes_of_trees())
def test_the_leaves_below_a_node_are_a_range(place: tuple[int, int]) -> None:
    node, leaf_count = place
    first, stop = tree_math.leaf_range(node)
    below = [leaf for leaf in range(leaf_count) if tree_math.is_below(2 * leaf, node)]
    assert below == list(range(first, stop))


@pytest.mark.parametrize("leaf_count", [1, 2, 4, 8])
def test_a_wider_tree_keeps_the_places_of_a_narrower_one(leaf_count: int) -> None:
    wider = tree_math.left(tree_math.root(2 * leaf_count))
    assert wider == tree_math.root(leaf_count)
