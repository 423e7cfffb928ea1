"""Signed heads: one signature for all that came together."""

import pytest

from tertulia.crypto import ED25519, Secret
from tertulia.relay import RoomState, empty_room
from tertulia.relay import heads as module
from tertulia.relay.heads import Heads
from tertulia.wire import verify_head

KEY = Secret(bytes(32))
INCARNATION = b"i" * 16


def state(room: bytes, place: int) -> RoomState:
    return RoomState(room, place, bytes([place]) * 32, 0, 0, 0)


def test_a_head_is_signed_over_room_incarnation_place_and_hash() -> None:
    signed = Heads(KEY, INCARNATION).sign(state(bytes(16), 3))
    assert (signed.incarnation, signed.place) == (INCARNATION, 3)
    verify_head(ED25519.public_key(KEY), bytes(16), signed)


def test_what_is_known_is_not_signed_again_with_the_others() -> None:
    heads = Heads(KEY, INCARNATION)
    rooms = [bytes([number]) * 16 for number in range(3)]
    known = heads.sign(state(rooms[1], 7))
    first, second, third = heads.sign_all([state(room, 7) for room in rooms])
    assert second is known
    assert first.signature == third.signature != known.signature
    for room, head in zip(rooms, (first, second, third), strict=True):
        verify_head(ED25519.public_key(KEY), room, head)


def test_the_newest_head_is_kept_and_covers_what_came_before() -> None:
    heads = Heads(KEY, INCARNATION)
    newest = heads.sign(state(bytes(16), 3))
    assert heads.sign(state(bytes(16), 3)) is newest
    assert heads.covering(bytes(16), 2) is newest
    assert heads.covering(bytes(16), 4) is None
    assert heads.covering(b"r" * 16, 0) is None
    older = heads.sign(state(bytes(16), 1))
    assert older.place == 1
    assert heads.covering(bytes(16), 2) is newest


def test_no_more_heads_are_kept_than_allowed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_KEPT", 2)
    heads = Heads(KEY, INCARNATION)
    rooms = [bytes([number]) * 16 for number in range(3)]
    for room in rooms:
        heads.sign(empty_room(room, 0))
    kept = [heads.covering(room, 0) is not None for room in rooms]
    assert kept == [False, True, True]
