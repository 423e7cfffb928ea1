"""A room's tree as rows: whole now and then, and in between what each commit changed.

The tree of a room of 1,000 has 400 kB; of those a commit changes one. Epochs number the
rows: a whole tree, then the patches that follow it without a gap, up to the epoch that
the room is in.
"""

from collections.abc import Sequence

from tertulia import mls
from tertulia.client import limits
from tertulia.client.rows import PutTree, TreeRow
from tertulia.codec import CodecError


def tree_change(room: bytes, before: mls.Group | None, after: mls.Group) -> PutTree:
    """Return what to save of the tree of `after`, if that of `before` is saved."""
    epoch = after.context.epoch
    patch = None if before is None else _patch(before, after)
    if patch is None:
        return PutTree(TreeRow(room, epoch, after.tree.encode()))
    return PutTree(TreeRow(room, epoch, patch), follows=True)


def _patch(before: mls.Group, after: mls.Group) -> bytes | None:
    """Return what changed in the tree, None if the whole tree is to be saved."""
    epoch = after.context.epoch
    follows = epoch == before.context.epoch + 1
    grew = after.tree.leaf_count != before.tree.leaf_count
    if not follows or grew or epoch % limits.WHOLE_TREE_EPOCHS == 0:
        return None
    patch = mls.tree_difference(before.tree, after.tree).encode()
    return patch if len(patch) <= limits.SAVED_TREE_PATCH else None


def load_tree(rows: Sequence[TreeRow]) -> mls.RatchetTree | None:
    """Return the tree of the last row's epoch, None without rows; raise StateError."""
    if not rows:
        return None
    first, *patches = rows
    if [row.epoch - first.epoch for row in rows] != list(range(len(rows))):
        raise mls.StateError("a gap in what is kept of a tree")
    tree = decoded_tree(first.tree)
    for row in patches:
        tree = changed_tree(tree, row.tree)
    return tree


def decoded_tree(data: bytes) -> mls.RatchetTree:
    """Return a tree that was saved whole; raise StateError."""
    try:
        return mls.decode_tree(data)
    except (CodecError, mls.InvalidError) as error:
        raise mls.StateError(str(error)) from error


def changed_tree(before: mls.RatchetTree, data: bytes) -> mls.RatchetTree:
    """Return the tree that a saved patch makes of `before`; raise StateError."""
    try:
        return mls.patched_tree(before, mls.TreePatch.decode(data))
    except (CodecError, mls.InvalidError) as error:
        raise mls.StateError(str(error)) from error
