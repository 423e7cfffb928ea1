"""How much goes into one page, the same for every engine and for live delivery."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Final, TypeVar

from tertulia.wire import frames, limits

T = TypeVar("T")

# What an entry costs beside its blob, in bytes.
ENTRY_COST: Final = 256


def cost(entry: frames.Entry) -> int:
    """Return what an entry counts in a page and in a room's storage."""
    return ENTRY_COST + len(entry.blob or b"")


def take_page(
    entries: Iterable[frames.Entry], limit: int
) -> tuple[tuple[frames.Entry, ...], bool]:
    """Return the first entries that fit a page, and whether more follow."""
    return _take(entries, cost, limit)


def take_welcomes(
    waiting: Iterable[frames.WaitingWelcome],
) -> tuple[tuple[frames.WaitingWelcome, ...], bool]:
    """Return the first Welcomes that fit a page, and whether more follow."""
    return _take(
        waiting, lambda welcome: ENTRY_COST + len(welcome.blob), limits.PAGE_ENTRIES
    )


def pages_of_markers(
    markers: Sequence[frames.Marker],
) -> Iterator[tuple[frames.Marker, ...]]:
    """Yield the markers in pages; those of a large room do not fit one frame."""
    while markers:
        page, _ = _take(
            markers, lambda marker: ENTRY_COST + len(marker.blob), limits.PAGE_ENTRIES
        )
        yield page
        markers = markers[len(page) :]


def _take(
    items: Iterable[T], cost_of: Callable[[T], int], limit: int
) -> tuple[tuple[T, ...], bool]:
    """Return at least one item, however large, and as many as fit."""
    page: list[T] = []
    size = 0
    for item in items:
        size += cost_of(item)
        if page and (size > limits.PAGE or len(page) >= limit):
            return tuple(page), True
        page.append(item)
    return tuple(page), False
