"""What joiners start from: a whole tree, or a patch that follows the one there is."""

from msgspec.structs import replace

from tertulia.relay import Denied, kept_advice
from tertulia.relay.group_trees import object_to_group
from tertulia.wire import ErrorCode, frames, limits

TREE = frames.BlobReference(bytes(16), 400_000, bytes(32))
WHOLE = frames.GroupAdvice(b"a" * 16, b"info", b"wrapped", TREE)
PATCH = frames.TreePatch(WHOLE.name, bytes(1_000))
PATCHED = frames.GroupAdvice(b"b" * 16, b"newer", b"wrapped", patch=PATCH)
NEEDED = Denied(ErrorCode.TREE_NEEDED)


class View:
    """A room at the moment of a change."""

    def __init__(
        self,
        advice: frames.GroupAdvice | None = WHOLE,
        patches: tuple[int, int] = (0, 0),
    ) -> None:
        self._advice, self._patches = advice, patches

    def has_blob(self, reference: frames.BlobReference) -> bool:
        return reference == TREE

    def advice(self) -> frames.GroupAdvice | None:
        return self._advice

    def patches(self) -> tuple[int, int]:
        return self._patches


def test_a_whole_tree_must_be_there() -> None:
    assert object_to_group(View(None), WHOLE) is None
    elsewhere = replace(WHOLE, tree=replace(TREE, size=1))
    assert object_to_group(View(), elsewhere) == Denied(ErrorCode.BLOB_INCOMPLETE)


def test_a_patch_follows_the_tree_it_names() -> None:
    assert object_to_group(View(), PATCHED) is None
    astray = replace(PATCHED, patch=replace(PATCH, after=b"c" * 16))
    assert object_to_group(View(), astray) == NEEDED


def test_a_patch_follows_something() -> None:
    assert object_to_group(View(None), PATCHED) == NEEDED
    assert object_to_group(View(replace(WHOLE, tree=None)), PATCHED) == NEEDED


def test_what_brings_no_tree_at_all_is_refused() -> None:
    assert object_to_group(View(), replace(PATCHED, patch=None)) == NEEDED


def test_there_are_not_too_many_patches() -> None:
    assert object_to_group(View(patches=(9, 99_000)), PATCHED) is None
    assert object_to_group(View(patches=(9, 99_001)), PATCHED) == NEEDED
    many = (limits.TREE_PATCHES, 0)
    assert object_to_group(View(patches=many), PATCHED) == NEEDED


def test_the_tree_that_patches_follow_is_kept() -> None:
    kept = kept_advice(WHOLE, PATCHED)
    assert kept == replace(PATCHED, tree=TREE, patch=None)
    other = replace(TREE, blob=b"o" * 16)
    newer = replace(WHOLE, tree=other)
    assert kept_advice(kept, newer) == newer
    assert kept_advice(None, newer) == newer
    assert kept_advice(None, PATCHED).tree is None
