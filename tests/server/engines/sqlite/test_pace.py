"""Resting: never for one, never for many, and never longer than said."""

import time

import pytest

from tertulia.server.engines.sqlite import pace as module
from tertulia.server.engines.sqlite.pace import Pace


class Day:
    """A clock that only sleeping moves."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = 1_000.0
        self.slept: list[float] = []
        monkeypatch.setattr(time, "monotonic", lambda: self.now)
        monkeypatch.setattr(time, "sleep", self.sleep)

    def sleep(self, seconds: float) -> None:
        self.slept.append(round(seconds, 6))
        self.now += seconds


def test_who_speaks_into_silence_waits_for_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    day, pace = Day(monkeypatch), Pace()
    assert not pace.note(1)
    assert not pace.note(0)
    day.now += 60
    assert not pace.note(5), "the last rest is long ago"


def test_the_more_comes_the_longer_the_rest_up_to_a_bound(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    day, pace = Day(monkeypatch), Pace()
    pace.note(1)
    assert pace.note(2)
    day.now += 0.0005
    pace.rest()
    assert pace.note(63)
    day.now += 0.001
    pace.rest()
    assert day.slept == [0.0015, 0.003]
    assert 2 * module.EACH < module.MOST == 0.004


def test_who_has_enough_to_do_does_not_rest(monkeypatch: pytest.MonkeyPatch) -> None:
    day, pace = Day(monkeypatch), Pace()
    pace.note(1)
    assert not pace.note(module.ENOUGH)
    assert pace.note(3)
    day.now += 1
    pace.rest()
    assert day.slept == [0.0], "what took long is not slept on top"
