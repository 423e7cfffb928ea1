"""How many patches follow a room's tree before somebody uploads the whole tree again.

A joiner downloads the tree and all patches, a committer uploads one patch; a quarter of
the tree keeps both within a few percent of their least.
"""

from dataclasses import dataclass

from tertulia.wire import limits


@dataclass(frozen=True, slots=True)
class KeptPatches:
    """What follows a tree of `tree_size` bytes: so many patches, of so many bytes."""

    tree_size: int
    count: int = 0
    size: int = 0

    def has_room_for(self, patch_size: int) -> bool:
        """Tell whether one more patch may follow."""
        limit = max(limits.SMALL_TREE_PATCHES, self.tree_size // 4)
        return (
            patch_size <= limits.TREE_PATCH
            and self.count < limits.TREE_PATCHES
            and self.size + patch_size <= min(limit, limits.TREE_PATCHES_SIZE)
        )
