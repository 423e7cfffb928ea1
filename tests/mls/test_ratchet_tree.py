import pytest
from hypothesis import given
from hypothesis import strategies as st

from tertulia.codec import CodecError, encode_opaque
from tertulia.mls import (
    InvalidError,
    LeafNode,
    MisuseError,
    ParentNode,
    RatchetTree,
    Rule,
    decode_tree,
    limits,
    tree_math,
)
from tertulia.mls.ratchet_tree import Node
from tests.mls.world import SUITE, group_of, grown, key_package, refused, unchanged

NAMES = ("Ana", "Luis", "Eva", "Juan", "Mia", "Leo", "Zoe", "Max", "Ida")


def leaf(name: str) -> LeafNode:
    return key_package(name).key_package.leaf_node


def parent(key: bytes = b"key", unmerged: tuple[int, ...] = ()) -> ParentNode:
    return ParentNode(key, b"", unmerged)


def tree_of(*names: str) -> RatchetTree:
    """Return a tree without any parent node, filled from the left."""
    draft = RatchetTree([leaf(names[0])]).edit()
    for name in names[1:]:
        draft.add_leaf(leaf(name))
    return draft.finish()


def with_nodes(tree: RatchetTree, nodes: dict[int, Node | None]) -> RatchetTree:
    draft = tree.edit()
    for index, node in nodes.items():
        draft.set_node(index, node)
    return draft.finish()


def fresh(tree: RatchetTree) -> RatchetTree:
    """Return the same tree with no hash known."""
    return RatchetTree(tree.nodes)


def test_members_are_the_leaves_that_are_not_blank() -> None:
    tree = with_nodes(tree_of("Ana", "Luis", "Eva"), {2: None})
    assert list(tree.members()) == [(0, leaf("Ana")), (2, leaf("Eva"))]
    assert tree.leaf(0) == leaf("Ana")
    assert tree.leaf(1) is None


@pytest.mark.parametrize("index", [-1, 4, 2**32 - 1])
def test_there_is_nobody_beyond_the_tree(index: int) -> None:
    assert tree_of("Ana", "Luis", "Eva").leaf(index) is None


def test_parents_are_those_that_are_not_blank() -> None:
    tree = with_nodes(tree_of("Ana", "Luis", "Eva"), {3: parent()})
    assert list(tree.parents()) == [(3, parent())]
    assert (tree.parent(3), tree.parent(1)) == (parent(), None)
    assert tree.node(0) == leaf("Ana")


def test_a_blank_node_has_no_key() -> None:
    tree = with_nodes(tree_of("Ana", "Luis"), {2: None})
    assert tree.encryption_key(0) == leaf("Ana").encryption_key
    with pytest.raises(MisuseError, match="node 2 is blank"):
        tree.encryption_key(2)


def test_the_resolutions_of_section_4_1_1() -> None:
    # The root and the right parent are blank, and so is the third leaf; the second
    # leaf is unmerged at the left parent.
    tree = with_nodes(
        tree_of("Ana", "Luis", "Eva", "Juan"), {1: parent(unmerged=(1,)), 4: None}
    )
    assert tree.resolution(1) == [1, 2]
    assert tree.resolution(0) == [0]
    assert tree.resolution(4) == []
    assert tree.resolution(5) == [6]
    assert tree.resolution(3) == [1, 2, 6]
    assert tree.is_empty_below(4)
    assert not tree.is_empty_below(5)


def test_the_filtered_direct_path_leaves_out_parents_with_nobody_on_the_other_side() -> (
    None
):
    tree = with_nodes(tree_of("Ana", "Luis", "Eva", "Juan"), {2: None})
    assert tree.direct_path(0) == [1, 3]
    assert tree.filtered_direct_path(0) == [(3, 5)]
    assert tree.filtered_direct_path(2) == [(5, 6), (3, 1)]


@pytest.mark.parametrize(
    ("members", "leaf_count"), [(1, 1), (2, 2), (3, 4), (4, 4), (5, 8), (9, 16)]
)
def test_a_tree_doubles_when_it_is_full(members: int, leaf_count: int) -> None:
    tree = tree_of(*NAMES[:members])
    assert tree.leaf_count == leaf_count
    assert [index for index, _ in tree.members()] == list(range(members))
    assert len(tree.nodes) == 2 * leaf_count - 1


def test_a_tree_grows_no_wider_than_one_that_can_be_read(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("tertulia.mls.ratchet_tree.MAX_LEAVES", 4)
    draft = tree_of("Ana", "Luis", "Eva", "Juan").edit()
    with refused(Rule.TREE_SHAPE):
        draft.add_leaf(leaf("Mia"))
    draft.remove_leaf(1)
    assert draft.add_leaf(leaf("Mia")) == 1
    # So nobody has a tree that comes back from no disk.
    monkeypatch.undo()
    full = RatchetTree([leaf("Ana"), None] * (limits.MAX_LEAVES - 1) + [leaf("Ana")])
    assert decode_tree(full.encode()).leaf_count == limits.MAX_LEAVES
    with refused(Rule.TREE_SHAPE):
        full.edit().free_place()


def test_a_newcomer_takes_the_leftmost_free_place() -> None:
    draft = tree_of(*NAMES[:4]).edit()
    draft.remove_leaf(2)
    draft.remove_leaf(1)
    assert draft.free_place() == 1
    assert draft.add_leaf(leaf("Mia")) == 1
    assert draft.add_leaf(leaf("Leo")) == 2
    assert draft.add_leaf(leaf("Zoe")) == 4


def test_a_newcomer_is_unmerged_at_every_parent_above_it() -> None:
    tree = with_nodes(
        tree_of("Ana", "Luis", "Eva", "Juan"),
        {3: parent(unmerged=(3,)), 5: None, 4: None},
    )
    draft = tree.edit()
    assert draft.add_leaf(leaf("Mia")) == 2
    changed = draft.finish()
    # In order, and blank parents stay blank.
    assert changed.parent(3) == parent(unmerged=(2, 3))
    assert changed.parent(5) is None


def test_an_update_and_a_removal_blank_the_whole_path() -> None:
    full = with_nodes(
        tree_of("Ana", "Luis", "Eva", "Juan"), {1: parent(), 3: parent(), 5: parent()}
    )
    draft = full.edit()
    draft.update_leaf(1, leaf("Mia"))
    updated = draft.finish()
    assert [index for index, _ in updated.parents()] == [5]
    assert updated.leaf(1) == leaf("Mia")
    draft = full.edit()
    draft.remove_leaf(3)
    removed = draft.finish()
    assert [index for index, _ in removed.parents()] == [1]
    assert removed.leaf(3) is None


@pytest.mark.parametrize(
    ("removed", "leaf_count"),
    [((4,), 4), ((3, 4), 4), ((2, 3, 4), 2), ((1, 2, 3, 4), 1)],
)
def test_a_tree_is_halved_while_its_right_half_is_empty(
    removed: tuple[int, ...], leaf_count: int
) -> None:
    draft = tree_of(*NAMES[:5]).edit()
    for index in removed:
        draft.remove_leaf(index)
    draft.truncate()
    tree = draft.finish()
    assert tree.leaf_count == leaf_count
    assert tree.tree_hash(SUITE) == fresh(tree).tree_hash(SUITE)


def test_a_tree_is_not_halved_for_a_hole_on_the_left() -> None:
    draft = tree_of(*NAMES[:4]).edit()
    draft.remove_leaf(0)
    draft.remove_leaf(1)
    draft.truncate()
    assert draft.leaf_count == 4


def test_a_draft_leaves_its_tree_as_it_was() -> None:
    tree = tree_of("Ana", "Luis", "Eva")
    before = tree.tree_hash(SUITE)
    with unchanged(tree):
        draft = tree.edit()
        draft.add_leaf(leaf("Juan"))
        draft.update_leaf(0, leaf("Mia"))
        draft.remove_leaf(1)
        draft.finish()
    assert tree.tree_hash(SUITE) == before


CHANGES = st.lists(
    st.tuples(
        st.sampled_from(["add", "update", "remove", "parent"]), st.integers(0, 8)
    ),
    max_size=12,
)


@given(CHANGES)
def test_known_hashes_never_outlive_what_they_cover(
    changes: list[tuple[str, int]],
) -> None:
    tree = tree_of("Ana", "Luis", "Eva")
    for number, (change, place) in enumerate(changes):
        tree.tree_hash(SUITE)  # now every hash is known
        draft = tree.edit()
        newcomer = leaf(f"newcomer {number}")
        index = place % draft.leaf_count
        if change == "add":
            draft.add_leaf(newcomer)
        elif change == "update":
            draft.update_leaf(index, newcomer)
        elif change == "remove" and len(list(draft.members())) > 1:
            draft.remove_leaf(index)
            draft.truncate()
        elif change == "parent" and draft.leaf_count > 1:
            odd = 2 * (place % (draft.leaf_count - 1)) + 1
            draft.set_node(odd, parent(b"%d" % number))
        tree = draft.finish()
        assert tree.tree_hash(SUITE) == fresh(tree).tree_hash(SUITE)


@pytest.mark.parametrize("size", [1, 2, 3, 5, 8])
def test_a_tree_is_read_as_it_was_written(size: int) -> None:
    tree = grown(*NAMES[:size])[0].tree
    read = decode_tree(tree.encode())
    assert read.nodes == tree.nodes
    assert read.tree_hash(SUITE) == tree.tree_hash(SUITE)


def test_blank_nodes_at_the_end_are_not_written() -> None:
    tree = group_of("Ana", "Luis", "Eva")[0].tree
    assert tree.nodes[-2:] == (None, None) or tree.nodes[-1] is None
    shorter = with_nodes(tree, {3: None, 1: None, 5: None})
    assert decode_tree(shorter.encode()).nodes == shorter.nodes
    assert not shorter.encode().endswith(b"\0\0")


def encoded(*nodes: bytes) -> bytes:
    body = b"".join(nodes)
    return (len(body) | 0x4000).to_bytes(2) + body


A_LEAF = b"\1\1" + leaf("Ana").encode()
A_PARENT = b"\1\2" + parent().encode()
BLANK = b"\0"


@pytest.mark.parametrize(
    "data",
    [
        b"\0",
        encoded(A_LEAF, A_PARENT * 10, A_LEAF, BLANK),
        encoded(A_PARENT, A_PARENT, A_LEAF),
        encoded(A_LEAF, A_LEAF, A_LEAF),
        encoded(A_LEAF, A_PARENT),
        encoded(A_LEAF, BLANK, A_LEAF, A_PARENT),
    ],
    ids=[
        "empty",
        "ends blank",
        "parent in a leaf's place",
        "leaf in a parent's place",
        "nobody in the right half of two",
        "nobody in the right half of four",
    ],
)
def test_a_tree_of_the_wrong_shape_is_refused(data: bytes) -> None:
    with refused(Rule.TREE_SHAPE):
        decode_tree(data)


def test_a_tree_of_unknown_nodes_is_refused() -> None:
    with pytest.raises(CodecError):
        decode_tree(encoded(A_LEAF) + b"more than there should be")
    with pytest.raises(CodecError):
        decode_tree(encoded(b"\1\3" + leaf("Ana").encode()))


def test_a_tree_of_too_many_leaves_is_refused_before_it_is_read() -> None:
    most = tree_math.node_count(limits.MAX_LEAVES)
    largest = encode_opaque(BLANK * (most - 1) + A_LEAF)
    assert decode_tree(largest).leaf_count == limits.MAX_LEAVES
    # What stands behind that is no node, and is not looked at.
    with pytest.raises(CodecError, match=f"more than {most} values"):
        decode_tree(encode_opaque(BLANK * most + b"\2"))


@given(st.binary(max_size=200))
def test_any_bytes_are_a_tree_or_refused(data: bytes) -> None:
    for candidate in (data, encoded(A_LEAF, data)):
        try:
            tree = decode_tree(candidate)
        except (CodecError, InvalidError):
            continue
        assert decode_tree(tree.encode()).nodes == tree.nodes


def test_trees_are_equal_by_their_nodes() -> None:
    ana, luis = group_of("Ana", "Luis")
    assert ana.tree == luis.tree
    assert ana.tree != group_of("Ana", "Eva")[0].tree
    assert ana.tree != ana.tree.nodes


def test_encryption_keys_are_those_of_leaves_and_parents() -> None:
    tree = grown("Ana", "Luis", "Eva")[0].tree
    nodes = [leaf for _, leaf in tree.members()] + [node for _, node in tree.parents()]
    assert sorted(tree.encryption_keys()) == sorted(
        node.encryption_key for node in nodes
    )
