"""Index arithmetic of the array tree (RFC 9420 appendix C).

Leaves stand at even indices, parents at odd ones; a tree has a power of two of
leaves. `level` counts from the leaves, which are level 0.
"""


def node_count(leaf_count: int) -> int:
    """Return how many nodes a tree of `leaf_count` leaves has."""
    return 2 * leaf_count - 1


def root(leaf_count: int) -> int:
    """Return the index of the root."""
    return leaf_count - 1


def level(node: int) -> int:
    """Return the height of `node` above the leaves."""
    return (node ^ (node + 1)).bit_length() - 1


def left(parent: int) -> int:
    """Return the left child of a parent node."""
    return parent ^ (1 << (level(parent) - 1))


def right(parent: int) -> int:
    """Return the right child of a parent node."""
    return parent ^ (3 << (level(parent) - 1))


def parent_of(node: int) -> int:
    """Return the parent of `node`, whether or not the tree reaches that far."""
    height = level(node)
    return (node | (1 << height)) & ~(2 << height)


def sibling(node: int) -> int:
    """Return the other child of the parent of `node`."""
    parent = parent_of(node)
    return right(parent) if node < parent else left(parent)


def direct_path(node: int, leaf_count: int) -> list[int]:
    """Return the ancestors of `node`, its parent first, the root last."""
    path = []
    top = root(leaf_count)
    while node != top:
        node = parent_of(node)
        path.append(node)
    return path


def is_below(node: int, ancestor: int) -> bool:
    """Tell whether `node` is `ancestor` or stands under it."""
    reach = (1 << level(ancestor)) - 1
    return ancestor - reach <= node <= ancestor + reach


def leaf_range(node: int) -> tuple[int, int]:
    """Return the first leaf index under `node` and the one after the last."""
    reach = (1 << level(node)) - 1
    return (node - reach) // 2, (node + reach) // 2 + 1
