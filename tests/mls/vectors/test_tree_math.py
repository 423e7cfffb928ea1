"""RFC 9420 vectors: arithmetic of the array tree.

A vector is null where a node has no such relative: leaves have no children, the root
has no parent. The engine never asks for these.
"""

from tertulia.mls import tree_math
from tests.mls.vectors.cases import Case, every_case
from tests.mls.vectors.tally import Tally

pytestmark = every_case("tree-math")


def test_size_and_root(case: Case, tally: Tally) -> None:
    vector = case.vector
    tally.equal(tree_math.node_count(vector["n_leaves"]), vector["n_nodes"])
    tally.equal(tree_math.root(vector["n_leaves"]), vector["root"])


def test_children(case: Case, tally: Tally) -> None:
    vector = case.vector
    for node in range(vector["n_nodes"]):
        children = vector["left"][node], vector["right"][node]
        if tree_math.level(node) == 0:
            tally.equal(children, (None, None))
        else:
            tally.equal((tree_math.left(node), tree_math.right(node)), children)


def test_parent_and_sibling(case: Case, tally: Tally) -> None:
    vector = case.vector
    for node in range(vector["n_nodes"]):
        relatives = vector["parent"][node], vector["sibling"][node]
        if node == vector["root"]:
            tally.equal(relatives, (None, None))
        else:
            ours = tree_math.parent_of(node), tree_math.sibling(node)
            tally.equal(ours, relatives)


def test_direct_paths_follow_the_parents(case: Case, tally: Tally) -> None:
    vector = case.vector
    for node in range(vector["n_nodes"]):
        ancestors = []
        above = vector["parent"][node]
        while above is not None:
            ancestors.append(above)
            above = vector["parent"][above]
        tally.equal(tree_math.direct_path(node, vector["n_leaves"]), ancestors)


def test_what_is_below_follows_the_children(case: Case, tally: Tally) -> None:
    vector = case.vector
    for node in range(min(vector["n_nodes"], 63)):
        leaves = _leaves_below(vector, node)
        tally.equal(list(range(*tree_math.leaf_range(node))), leaves)
        below = [
            leaf
            for leaf in range(vector["n_leaves"])
            if tree_math.is_below(2 * leaf, node)
        ]
        tally.equal(below, leaves)


def _leaves_below(vector: dict[str, list[int]], node: int) -> list[int]:
    if vector["left"][node] is None:
        return [node // 2]
    left, right = vector["left"][node], vector["right"][node]
    return _leaves_below(vector, left) + _leaves_below(vector, right)
