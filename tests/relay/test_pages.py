"""How much goes into a page."""

from tertulia.relay import cost, take_page, take_welcomes
from tertulia.relay.pages import ENTRY_COST, pages_of_markers
from tertulia.wire import Kind, frames, limits


def entry(place: int, size: int) -> frames.Entry:
    return frames.Entry(
        place, Kind.APPLICATION, bytes(16), 0, bytes(16), 0, bytes(size)
    )


def test_a_page_ends_by_number_or_by_size() -> None:
    small = [entry(place, 1) for place in range(1, 5)]
    assert take_page(small, 9) == (tuple(small), False)
    assert take_page(small, 4) == (tuple(small), False)
    assert take_page(small, 3) == (tuple(small[:3]), True)
    half = limits.PAGE // 2 - cost(entry(0, 0))
    large = [entry(place, half) for place in range(3)]
    assert take_page(large, 9) == (tuple(large[:2]), True)
    assert take_page([], 9) == ((), False)


def test_a_page_has_at_least_one_entry() -> None:
    huge = entry(1, limits.PAGE)
    assert take_page([huge, huge], 9) == ((huge,), True)


def test_welcomes_come_in_pages_too() -> None:
    huge = frames.WaitingWelcome(1, bytes(16), 1, bytes(limits.PAGE))
    assert take_welcomes([huge, huge]) == ((huge,), True)


def test_markers_come_in_pages_and_none_is_lost() -> None:
    blob = bytes(limits.PAGE // 4 - ENTRY_COST)
    markers = [frames.Marker(bytes(16), slot, blob) for slot in range(9)]
    pages = list(pages_of_markers(markers))
    assert [len(page) for page in pages] == [4, 4, 1]
    assert [marker for page in pages for marker in page] == markers
    assert list(pages_of_markers([])) == []
