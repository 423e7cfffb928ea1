import pytest

from tertulia.wire import KeptPatches, limits

MIB = 1024 * 1024


@pytest.mark.parametrize(
    ("kept", "size", "fits"),
    [
        (KeptPatches(1_000), limits.SMALL_TREE_PATCHES, True),
        (KeptPatches(1_000), limits.SMALL_TREE_PATCHES + 1, False),
        (KeptPatches(1_000, 1, 1), limits.SMALL_TREE_PATCHES, False),
        (KeptPatches(400_000, 80, 98_000), 2_000, True),
        (KeptPatches(400_000, 80, 98_001), 2_000, False),
        (KeptPatches(MIB), limits.TREE_PATCH, True),
        (KeptPatches(MIB), limits.TREE_PATCH + 1, False),
        (KeptPatches(16 * MIB, 255, 5_000), 1_000, True),
        (KeptPatches(16 * MIB, 256, 5_000), 1_000, False),
        (KeptPatches(16 * MIB, 99, limits.TREE_PATCHES_SIZE - 10), 10, True),
        (KeptPatches(16 * MIB, 99, limits.TREE_PATCHES_SIZE - 10), 11, False),
    ],
)
def test_patches_are_bounded(kept: KeptPatches, size: int, *, fits: bool) -> None:
    assert kept.has_room_for(size) is fits


def test_what_a_joiner_gets_fits_a_frame() -> None:
    parts = limits.GROUP_INFO + limits.TREE_PATCHES_SIZE + 2 * limits.WRAPPED_KEY
    assert parts + limits.TREE_PATCHES * 5 < limits.FRAME
