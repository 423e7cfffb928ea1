"""Reserved turns."""

import pytest

from tertulia.relay import Refusal
from tertulia.relay.turns import Turns
from tertulia.wire import ErrorCode, frames, limits

ROOM = bytes(16)


def test_a_turn_keeps_others_waiting_until_it_is_used_or_past() -> None:
    turns = Turns()
    turns.require(ROOM, b"a", 0)
    turns.reserve(ROOM, b"a", 0)
    turns.reserve(ROOM, b"b", 10)  # too late, it is taken
    turns.require(ROOM, b"a", 10)
    with pytest.raises(Refusal) as caught:
        turns.require(ROOM, b"b", 10)
    assert caught.value.reason is ErrorCode.WAIT_TURN
    assert caught.value.facts == frames.Facts(retry_after=limits.TURN_TIME - 10)
    turns.release(ROOM, b"b")
    turns.require(ROOM, b"b", limits.TURN_TIME)
    turns.release(ROOM, b"a")
    turns.require(ROOM, b"b", 10)


def test_a_clock_that_is_set_back_does_not_stretch_a_turn() -> None:
    turns = Turns()
    turns.reserve(ROOM, b"a", limits.DAY)
    with pytest.raises(Refusal) as caught:
        turns.require(ROOM, b"b", 0)
    assert caught.value.facts.retry_after == limits.TURN_TIME


def test_past_turns_are_forgotten() -> None:
    turns = Turns()
    turns.reserve(ROOM, b"a", 0)
    turns.forget_past(limits.TURN_TIME)
    turns.require(ROOM, b"b", 0)
