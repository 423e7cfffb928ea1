from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st
from typing_extensions import override

from tertulia.codec import CodecError
from tertulia.mls import (
    InvalidError,
    Node,
    ParentNode,
    RatchetTree,
    Rule,
    TreePatch,
    decode_tree,
    limits,
    patched_tree,
    tree_difference,
)
from tertulia.mls.tree_patch import ChangedNode
from tests.mls.world import SUITE, grown, key_package, make, refused

NAMES = ("Ana", "Luis", "Eva", "Juan", "Mia", "Leo", "Zoe", "Max", "Ida")
LEAVES = [key_package(name).key_package.leaf_node for name in NAMES]


@st.composite
def trees(draw: st.DrawFn) -> RatchetTree:
    """Return any tree of leaves and parents: people come and go, paths get keys."""
    draft = RatchetTree([LEAVES[0]]).edit()
    for move in draw(st.lists(st.integers(0, 2), max_size=12)):
        present = [index for index, _ in draft.members()]
        if move == 0 or len(present) < 2:
            draft.add_leaf(draw(st.sampled_from(LEAVES)))
        elif move == 1:
            draft.remove_leaf(draw(st.sampled_from(present)))
            draft.truncate()
        else:
            for index in draft.direct_path(draw(st.sampled_from(present))):
                key = draw(st.binary(min_size=1, max_size=2))
                draft.set_node(index, ParentNode(key, b"", ()))
    return draft.finish()


@given(trees(), trees())
def test_the_difference_makes_one_tree_of_the_other(
    before: RatchetTree, after: RatchetTree
) -> None:
    patch = TreePatch.decode(tree_difference(before, after).encode())
    made = patched_tree(before, patch)
    assert made == after
    assert made.tree_hash(SUITE) == after.tree_hash(SUITE)
    assert made.leaf_count == after.leaf_count


@given(trees())
def test_equal_trees_differ_in_nothing(tree: RatchetTree) -> None:
    assert tree_difference(tree, RatchetTree(tree.nodes)).changed == ()


def test_a_commit_changes_one_path() -> None:
    group = grown(*NAMES)[0]
    after = make(group).after
    patch = tree_difference(group.tree, after.tree)
    path = [0, *after.tree.direct_path(after.leaf_index)]
    assert [changed.index for changed in patch.changed] == sorted(path)
    assert len(patch.encode()) < len(after.tree.encode()) / 3


def test_the_tree_that_is_patched_stays_as_it_was() -> None:
    before = RatchetTree([LEAVES[0]])
    patched_tree(before, TreePatch(1, (ChangedNode(0, LEAVES[1]),)))
    assert before.nodes == (LEAVES[0],)


LEAF, PARENT = LEAVES[0], ParentNode(b"key", b"", ())


@pytest.mark.parametrize(
    ("leaf_count", "changed"),
    [
        (0, ()),
        (3, ()),
        (2**21, ()),
        (2, ((2, LEAF), (0, LEAF))),
        (2, ((2, LEAF), (2, LEAF))),
        (2, ((2, LEAF), (3, PARENT))),
        (2, ((1, LEAF), (2, LEAF))),
        (2, ((0, PARENT), (2, LEAF))),
        (2, ()),
        (4, ((2, LEAF),)),
        (4, ((2, LEAF), (5, PARENT))),
    ],
)
def test_a_patch_of_the_wrong_shape_is_refused(
    leaf_count: int, changed: tuple[tuple[int, Node], ...]
) -> None:
    nodes = tuple(ChangedNode(index, node) for index, node in changed)
    with refused(Rule.TREE_SHAPE):
        patched_tree(RatchetTree([LEAF]), TreePatch(leaf_count, nodes))


@given(st.binary(max_size=40))
def test_any_bytes_are_a_patch_or_refused(data: bytes) -> None:
    try:
        patch = TreePatch.decode(data)
    except CodecError:
        return
    assert patch.encode() == data
    with suppress(InvalidError):
        assert patched_tree(RatchetTree([LEAF]), patch).leaf_count == patch.leaf_count


def test_a_few_bytes_make_no_large_tree() -> None:
    tree = RatchetTree([LEAF])
    for count in (limits.MAX_LEAVES, 2 * limits.MAX_BLANK_LEAVES):
        last = (ChangedNode(2 * count - 2, LEAF),)
        for changed in ((), last):
            with refused(Rule.TREE_SHAPE):
                patched_tree(tree, TreePatch(count, changed))


def test_a_large_tree_grows_when_it_is_full() -> None:
    count = limits.MAX_BLANK_LEAVES
    full = patched_tree(
        RatchetTree([LEAF]),
        TreePatch(count, tuple(ChangedNode(2 * index, LEAF) for index in range(count))),
    )
    added = ChangedNode(2 * count, LEAF)
    assert patched_tree(full, TreePatch(2 * count, (added,))).leaf_count == 2 * count
    taken = ChangedNode(0, None)
    with refused(Rule.TREE_SHAPE):
        patched_tree(full, TreePatch(2 * count, (taken, added)))
    with refused(Rule.TREE_SHAPE):
        patched_tree(full, TreePatch(2 * count, ()))


def test_a_patched_tree_is_read_again_as_the_same() -> None:
    before = RatchetTree([LEAF, None, LEAF])
    after = patched_tree(before, TreePatch(1, (ChangedNode(0, LEAF),)))
    assert decode_tree(after.encode()).tree_hash(SUITE) == after.tree_hash(SUITE)
    # With nobody in its right half a tree would come back from disk as a smaller one.
    with refused(Rule.TREE_SHAPE):
        patched_tree(before, TreePatch(2, (ChangedNode(2, None),)))


def test_to_count_its_members_a_tree_is_not_copied() -> None:
    class Counting(RatchetTree):
        copies = 0

        @property
        @override
        def nodes(self) -> tuple[Node | None, ...]:
            Counting.copies += 1
            return super().nodes

    count = 2 * limits.MAX_BLANK_LEAVES
    full = Counting([LEAF, None] * (count - 1) + [LEAF])
    patched_tree(full, TreePatch(2 * count, (ChangedNode(2 * count, LEAF),)))
    assert Counting.copies == 1
