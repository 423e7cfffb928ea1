"""Token buckets: refill with time, belong to subjects, stay bounded."""

from collections.abc import Callable
from functools import partial

import pytest

from tertulia.relay import Refusal
from tertulia.relay import buckets as module
from tertulia.relay.buckets import Buckets
from tertulia.wire import ErrorCode
from tertulia.wire.limits import Rate

RATE = Rate("things", "device", burst=3, per_minute=60, reason="a test")


def made() -> Buckets:
    return Buckets({RATE.name: RATE})


def wait(call: Callable[[], None]) -> int | None:
    try:
        call()
    except Refusal as refusal:
        return refusal.facts.retry_after
    return None


def test_an_empty_bucket_is_a_refusal() -> None:
    buckets = made()
    buckets.take(RATE, "a", 0, 3)
    with pytest.raises(Refusal) as caught:
        buckets.take(RATE, "a", 0)
    assert caught.value.reason is ErrorCode.RATE_LIMITED


def test_a_bucket_empties_and_refills() -> None:
    buckets = made()
    waits = [wait(lambda: buckets.take(RATE, "a", 0)) for _ in range(5)]
    assert waits == [None, None, None, 1001, 1001]
    assert wait(lambda: buckets.take(RATE, "b", 0)) is None
    assert wait(lambda: buckets.take(RATE, "a", 999)) == 2
    assert wait(lambda: buckets.take(RATE, "a", 1001)) is None


def test_checking_takes_nothing() -> None:
    buckets = made()
    for _ in range(9):
        buckets.check(RATE, "a", 0)
    buckets.take(RATE, "a", 0, 3)
    assert wait(lambda: buckets.check(RATE, "a", 0)) == 1001


def test_a_cost_above_the_burst_leaves_a_debt() -> None:
    buckets = made()
    buckets.take(RATE, "a", 0, 10)
    assert wait(lambda: buckets.take(RATE, "a", 0)) == 8001


def test_a_clock_that_is_set_back_neither_fills_nor_empties() -> None:
    buckets = made()
    buckets.take(RATE, "a", 10_000, 3)
    assert wait(lambda: buckets.take(RATE, "a", 0)) == 1001
    assert wait(lambda: buckets.take(RATE, "a", 1_001)) is None


def test_full_buckets_are_forgotten() -> None:
    buckets = made()
    buckets.take(RATE, "a", 0)
    buckets.take(RATE, "b", 0, 3)
    buckets.forget_full(1_000)
    assert len(buckets) == 1


def test_there_are_never_too_many(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_BUCKETS", 3)
    buckets = made()
    for number in range(9):
        buckets.take(RATE, number, 0, 2)
        assert len(buckets) <= 3
    assert wait(lambda: buckets.take(RATE, 8, 0, 2)) == 1001


def test_a_moment_that_came_late_is_not_granted_twice() -> None:
    """Frames of one batch may be looked at later than newer ones of another."""
    buckets = made()
    granted = 0
    for now in range(0, 3_000, 100):
        for moment in (now, now - 90):
            granted += wait(partial(buckets.take, RATE, "a", moment)) is None
    assert granted == 3 + 2


def test_a_clock_that_was_set_back_for_good_goes_on_from_there() -> None:
    buckets = made()
    buckets.take(RATE, "a", 10_000_000, 3)
    assert wait(lambda: buckets.take(RATE, "a", 1_000_000)) == 1001
    assert wait(lambda: buckets.take(RATE, "a", 1_001_001)) is None
