"""The queue of joiners."""

import pytest

from tertulia.relay import Refusal, Session
from tertulia.relay.join_queue import JoinQueue
from tertulia.wire import ErrorCode, frames, limits


def sessions(count: int) -> list[Session]:
    return [Session("192.0.2.1", 0) for _ in range(count)]


def test_turns_come_in_order_of_arrival_one_at_a_time() -> None:
    first, second = sessions(2)
    queue = JoinQueue()
    queue.enter(first, 1)
    queue.enter(second, 2)
    assert queue.next(0) == (first, 1)
    assert queue.next(limits.LEASE_TIME - 1) is None
    assert queue.next(limits.LEASE_TIME) == (second, 2)
    queue.leave(second)
    assert queue.next(limits.LEASE_TIME) is None
    assert queue.is_idle()


def test_asking_again_keeps_the_place() -> None:
    first, second = sessions(2)
    queue = JoinQueue()
    for request, session in ((1, first), (2, second), (3, first)):
        queue.enter(session, request)
    assert queue.next(0) == (first, 3)


def test_places_are_told_when_they_change() -> None:
    first, second, third = sessions(3)
    queue = JoinQueue()
    for request, session in enumerate((first, second, third), start=1):
        queue.enter(session, request)
    assert queue.place_of(second) == [frames.Queued(2, 2)]
    queue.next(0)
    assert queue.place_of(first) == []
    told = [(second, frames.Queued(2, 1)), (third, frames.Queued(3, 2))]
    assert queue.moved() == told
    assert queue.moved() == []
    queue.leave(second)
    assert queue.moved() == [(third, frames.Queued(3, 1))]


def test_far_behind_a_step_is_no_news() -> None:
    waiting = sessions(100)
    queue = JoinQueue()
    for request, session in enumerate(waiting, start=1):
        queue.enter(session, request)
    told = 0
    for session in waiting[:50]:
        queue.leave(session)
        news = queue.moved()
        told += len(news)
        assert {queued.ahead for _, queued in news} >= set(range(1, 15))
    assert told < 50 * 40
    assert queue.place_of(waiting[-1])[0].ahead - 50 <= 3


def test_only_the_holder_goes_while_its_turn_lasts() -> None:
    first, second = sessions(2)
    queue = JoinQueue()
    queue.enter(first, 1)
    queue.next(0)
    queue.require_turn(first, 1)
    with pytest.raises(Refusal) as caught:
        queue.require_turn(second, 1)
    assert caught.value.reason is ErrorCode.WAIT_TURN
    queue.require_turn(second, limits.LEASE_TIME)


def test_a_clock_that_is_set_back_does_not_stretch_a_turn() -> None:
    first, second = sessions(2)
    queue = JoinQueue()
    queue.enter(first, 1)
    queue.next(limits.DAY)
    queue.enter(second, 2)
    assert queue.next(0) == (second, 2)


def test_a_full_queue_asks_to_come_later(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "JOIN_QUEUE", 1)
    first, second = sessions(2)
    queue = JoinQueue()
    queue.enter(first, 1)
    with pytest.raises(Refusal) as caught:
        queue.enter(second, 2)
    assert caught.value.reason is ErrorCode.RATE_LIMITED
