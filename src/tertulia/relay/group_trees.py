"""The tree that joiners of a room start from: one blob, and patches that follow it.

Each patch names the tree it follows, by a name that only members can make. So one that
was made beside another tree than the one kept here is refused, whoever gave that one.
Sizes are bounded by `tertulia.wire.KeptPatches`; then somebody gives a whole tree.
"""

from typing import Protocol

from msgspec.structs import replace

from tertulia.relay.engine import Denied
from tertulia.wire import ErrorCode, KeptPatches, frames


class TreeView(Protocol):
    """What a room has for joiners at the moment of a change."""

    def has_blob(self, reference: frames.BlobReference) -> bool:
        """Tell whether the room has this blob, complete and as referred to."""

    def advice(self) -> frames.GroupAdvice | None:
        """Return what joiners are told, with the tree that patches follow."""

    def patches(self) -> tuple[int, int]:
        """Return how many patches follow the tree, and their size."""


def object_to_group(view: TreeView, group: frames.GroupAdvice) -> Denied | None:
    """Return why this cannot be what joiners start from, None if it can."""
    if group.tree is not None:
        if view.has_blob(group.tree):
            return None
        return Denied(ErrorCode.BLOB_INCOMPLETE)
    kept = view.advice()
    if kept is None or kept.tree is None or group.patch is None:
        return Denied(ErrorCode.TREE_NEEDED)
    follows = group.patch.after == kept.name
    patches = KeptPatches(kept.tree.size, *view.patches())
    if follows and patches.has_room_for(len(group.patch.blob)):
        return None
    return Denied(ErrorCode.TREE_NEEDED)


def kept_advice(
    older: frames.GroupAdvice | None, newer: frames.GroupAdvice
) -> frames.GroupAdvice:
    """Return what a room keeps of newer advice: patches are kept by themselves."""
    tree = newer.tree or (older.tree if older else None)
    return replace(newer, tree=tree, patch=None)
