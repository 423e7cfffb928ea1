from dataclasses import replace

import pytest

from tertulia import mls
from tertulia.client import limits
from tertulia.client.rows import PutTree, TreeRow
from tertulia.client.tree_rows import changed_tree, decoded_tree, load_tree, tree_change
from tests.mls.world import group_of, key_package, make

ROOM = b"r" * 16


def at_epoch(group: mls.Group, epoch: int) -> mls.Group:
    context = replace(group.context, epoch=epoch)
    return replace(group, epoch=replace(group.epoch, context=context))


def history(commits: int) -> list[mls.Group]:
    """Return the same group after each of some commits."""
    groups = [at_epoch(group_of("Ana", "Luis", "Eva")[0], 5)]
    for _ in range(commits):
        groups.append(make(groups[-1]).after)
    return groups


def kept_after(groups: list[mls.Group]) -> list[PutTree]:
    before: list[mls.Group | None] = [None, *groups]
    return [
        tree_change(ROOM, old, new) for old, new in zip(before, groups, strict=False)
    ]


def load(changes: list[PutTree]) -> mls.RatchetTree | None:
    """Load what a vault keeps after these changes."""
    rows: list[TreeRow] = []
    for change in changes:
        rows = [*rows, change.row] if change.follows else [change.row]
    return load_tree(rows)


def test_each_epoch_s_tree_comes_back_from_patches() -> None:
    groups = history(5)
    changes = kept_after(groups)
    assert [change.follows for change in changes] == [False] + 5 * [True]
    for number, group in enumerate(groups, start=1):
        assert load(changes[:number]) == group.tree
    assert load([]) is None


def test_a_patch_is_small() -> None:
    names = [f"member {number}" for number in range(30)]
    group, *_ = group_of(*names)
    change = tree_change(ROOM, group, make(group).after)
    assert change.follows
    assert len(change.row.tree) < len(group.tree.encode()) // 5


def test_now_and_then_the_tree_is_whole() -> None:
    group = at_epoch(history(0)[0], limits.WHOLE_TREE_EPOCHS - 2)
    groups = [group]
    for _ in range(3):
        groups.append(make(groups[-1]).after)
    follows = [change.follows for change in kept_after(groups)]
    assert follows == [False, True, False, True]


def test_a_tree_that_grew_is_whole() -> None:
    group, _ = group_of("Ana", "Luis")
    plan = mls.CommitPlan([mls.Add(key_package("Eva").key_package)])
    assert not tree_change(ROOM, group, make(group, plan).after).follows


def test_another_history_starts_with_a_whole_tree() -> None:
    first, second, third = history(2)
    assert not tree_change(ROOM, first, third).follows
    assert not tree_change(ROOM, second, second).follows


def test_a_large_patch_is_saved_as_the_tree_it_makes(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    before, after = history(1)
    size = len(tree_change(ROOM, before, after).row.tree)
    monkeypatch.setattr(limits, "SAVED_TREE_PATCH", size)
    assert tree_change(ROOM, before, after).follows
    monkeypatch.setattr(limits, "SAVED_TREE_PATCH", size - 1)
    assert tree_change(ROOM, before, after) == PutTree(
        TreeRow(ROOM, after.context.epoch, after.tree.encode())
    )


def test_a_gap_is_refused() -> None:
    whole, _, last = [change.row for change in kept_after(history(2))]
    with pytest.raises(mls.StateError, match="gap"):
        load_tree([whole, last])


def test_damage_is_refused() -> None:
    tree = history(0)[0].tree
    with pytest.raises(mls.StateError):
        decoded_tree(b"garbage")
    with pytest.raises(mls.StateError):
        changed_tree(tree, b"garbage")
    with pytest.raises(mls.StateError):
        changed_tree(tree, mls.TreePatch(3, ()).encode())
