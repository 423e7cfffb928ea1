"""The inbox: order, and the three bounds on what is being answered."""

import pytest

from tertulia.server.inbox import MAX_HELD, MAX_UNDER_WAY, Inbox, asks_for_pages
from tertulia.wire import encode, frames

ROOM = bytes(16)
PAGE = encode(frames.FetchEntries(1, ROOM, 0))


def text(number: int, size: int = 0) -> bytes:
    return encode(frames.Append(number, ROOM, ROOM, 0, bytes(size)))


def test_messages_are_taken_in_order_and_together() -> None:
    inbox = Inbox()
    inbox.put([text(1), text(2)])
    inbox.put([text(3)])
    assert inbox.take(MAX_UNDER_WAY) == [text(1), text(2), text(3)]
    assert inbox.take(MAX_UNDER_WAY) == []


def test_it_tells_whether_something_waits() -> None:
    inbox = Inbox()
    told = [inbox.has_waiting]
    inbox.put([text(1)])
    told.append(inbox.has_waiting)
    inbox.take(1)
    told.append(inbox.has_waiting)
    assert told == [False, True, False]


def test_so_many_are_under_way_at_most() -> None:
    inbox = Inbox()
    inbox.put([text(number) for number in range(5)])
    first = inbox.take(2)
    assert first == [text(0), text(1)]
    assert inbox.take(2) == []
    assert inbox.take(3) == [text(2)]
    inbox.done(first)
    assert inbox.take(3) == [text(3), text(4)]


def test_what_is_large_goes_alone() -> None:
    inbox = Inbox()
    large = text(1, MAX_HELD)
    inbox.put([text(0), large, text(2)])
    first = inbox.take(9)
    assert first == [text(0)]
    assert inbox.take(9) == []
    inbox.done(first)
    assert inbox.take(9) == [large]
    assert inbox.take(9) == []
    inbox.done([large])
    assert inbox.take(9) == [text(2)]


def test_a_page_is_made_when_nothing_else_is_and_the_next_one_after_it() -> None:
    inbox = Inbox()
    inbox.put([text(0), PAGE, text(1), PAGE])
    first = inbox.take(9)
    assert first == [text(0)]
    assert inbox.take(9) == []
    inbox.done(first)
    assert inbox.take(9) == [PAGE]
    assert inbox.take(9) == [text(1)]
    inbox.done([PAGE])
    assert inbox.take(9) == []
    inbox.done([text(1)])
    assert inbox.take(9) == [PAGE]


def test_what_nobody_took_can_be_forgotten() -> None:
    inbox = Inbox()
    inbox.put([text(0), text(1)])
    taken = inbox.take(1)
    inbox.clear()
    inbox.done(taken)
    assert not inbox.has_waiting
    assert inbox.take(9) == []
    inbox.put([text(2)])
    assert inbox.take(1) == [text(2)]


@pytest.mark.parametrize("number", [1, 2**32 - 1])
def test_requests_with_large_answers_are_known_by_their_first_bytes(
    number: int,
) -> None:
    large: list[frames.Frame] = [
        frames.FetchEntries(number, ROOM, 0),
        frames.FetchWelcomes(number),
        frames.FetchGroup(number, ROOM),
        frames.ListRooms(number),
        frames.FollowRoom(number, ROOM, 0),
        frames.ClaimKeyPackages(number, bytes(32)),
    ]
    assert all(asks_for_pages(encode(frame)) for frame in large)
    text = b"fetch_entries, list_rooms"
    assert not asks_for_pages(encode(frames.Append(number, ROOM, ROOM, 0, text)))
