"""The tree that joiners start from: whole, or as what a commit changed in the one before.

Each epoch has a *tree key*, exported from it, and under that key either the whole tree
or a patch is sealed. A patch holds the tree key of the epoch before: who has the key of
an epoch opens its patch, and with what it finds there the one before, back to the whole
tree; nobody gets from an older key to a newer one. The tree's *name*, exported too,
tells the relay which patch follows which tree, and nobody outside can say it.

A commit that takes somebody out is followed by a whole tree: else who joins later could
read in the older ones who had been there.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Final

from tertulia.client.derivation import derive
from tertulia.client.fields import SECRET, Versioned
from tertulia.client.identity import member_of
from tertulia.client.padding import pad, unpad
from tertulia.client.sealing import open_sealed, seal
from tertulia.codec import Nested
from tertulia.crypto import Rng, Secret
from tertulia.mls import (
    Group,
    InvalidError,
    RatchetTree,
    Rule,
    TreePatch,
    decode_tree,
    patched_tree,
    tree_difference,
)
from tertulia.wire import KeptPatches, frames, limits

_KIND: Final = "group advice"
_LABEL: Final = "Tertulia 1 group advice"
_TREE: Final = "tree"
_PATCH: Final = "tree patch"

# A tree doubles when all its leaves are taken. A larger one, blank or not, is made to
# keep joiners busy with its hash.
MAX_LEAVES: Final = 2 * limits.DEVICES_PER_ROOM


@dataclass(frozen=True, slots=True)
class KnownTree:
    """The tree of an epoch with its name and key: a patch can follow it.

    `kept` is what the relay has of it, as far as it said so.
    """

    tree: RatchetTree
    name: bytes
    key: Secret
    kept: KeptPatches | None = None


@dataclass(frozen=True, slots=True)
class _Patch(Versioned):
    """What is sealed: the tree key of the epoch before, and what is new."""

    key: Annotated[Secret, SECRET]
    patch: Annotated[TreePatch, Nested(TreePatch)]


def epoch_key(group: Group) -> Secret:
    """Return the key of an epoch's advice; all its members have it, nobody before."""
    return group.export(_LABEL, b"", 32)


def known_tree(
    key: Secret, tree: RatchetTree, kept: KeptPatches | None = None
) -> KnownTree:
    """Return an epoch's tree as who has the key of its advice knows it."""
    name = derive(key, _KIND, "tree name", 16).reveal()
    return KnownTree(tree, name, _tree_key(key), kept)


def _tree_key(key: Secret) -> Secret:
    return derive(key, _KIND, _TREE)


def seal_tree(known: KnownTree, room: bytes, rng: Rng) -> bytes:
    """Return the whole tree, sealed."""
    return seal(known.key, _TREE, room, pad(known.tree.encode()), rng)


def seal_patch(
    before: KnownTree, after: KnownTree, room: bytes, rng: Rng
) -> frames.TreePatch | None:
    """Return what follows from `before`, sealed; None if it must be the whole tree."""
    patch = tree_difference(before.tree, after.tree)
    if _takes_out(before.tree, after.tree, patch):
        return None
    blob = seal(after.key, _PATCH, room, pad(_Patch(before.key, patch).encode()), rng)
    if len(blob) > limits.TREE_PATCH:
        return None
    if before.kept is not None and not before.kept.has_room_for(len(blob)):
        return None
    return frames.TreePatch(before.name, blob)


def _takes_out(before: RatchetTree, after: RatchetTree, patch: TreePatch) -> bool:
    """Tell whether an account has a leaf less."""
    if after.leaf_count < before.leaf_count:
        return True
    for index in (changed.index for changed in patch.changed if changed.index % 2 == 0):
        old, new = before.leaf(index // 2), after.leaf(index // 2)
        if old is None:
            continue
        if new is None or member_of(old).account != member_of(new).account:
            return True
    return False


def open_tree(
    epoch_key: Secret, room: bytes, tree: bytes, patches: Sequence[bytes]
) -> KnownTree:
    """Return the tree of an epoch, from a whole one and what followed.

    Raises SealError, PaddingError, CodecError, InvalidError. Whether it is the right
    tree, only a signed tree hash tells.
    """
    key, changes = _tree_key(epoch_key), []
    for blob in reversed(patches):
        patch = _Patch.decode(unpad(open_sealed(key, _PATCH, room, blob)))
        changes.append(patch.patch)
        key = patch.key
    opened = decode_tree(unpad(open_sealed(key, _TREE, room, tree)))
    if opened.leaf_count > MAX_LEAVES:
        raise InvalidError(Rule.TREE_SHAPE, f"a tree of {opened.leaf_count} leaves")
    for change in reversed(changes):
        opened = patched_tree(opened, change)
    kept = KeptPatches(len(tree), len(patches), sum(map(len, patches)))
    return known_tree(epoch_key, opened, kept)
