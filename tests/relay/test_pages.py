"""How much goes into a page."""

from tertulia.relay import cost, take_page, take_welcomes
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
