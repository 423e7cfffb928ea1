"""Markers that wait."""

from tertulia.relay.pending_markers import PendingMarkers
from tertulia.wire import frames, limits

ROOM = bytes(16)


def marker(blob: bytes, slot: int = 0) -> frames.Marker:
    return frames.Marker(bytes(16), slot, blob)


def test_only_the_newest_of_a_slot_waits() -> None:
    markers = PendingMarkers()
    for each in (marker(b"1"), marker(b"2"), marker(b"3", slot=1)):
        markers.put(ROOM, each)
    assert markers.rooms() == [ROOM]
    assert markers.take(ROOM, 2, 0) == (marker(b"2"), marker(b"3", slot=1))
    assert markers.rooms() == []


def test_a_large_room_pauses_longer() -> None:
    for followers, pause in (
        (limits.SMALL_ROOM, limits.MARKER_PAUSE),
        (limits.SMALL_ROOM + 1, limits.MARKER_PAUSE_LARGE),
    ):
        markers = PendingMarkers()
        markers.put(ROOM, marker(b"1"))
        markers.take(ROOM, followers, 0)
        markers.put(ROOM, marker(b"2"))
        assert markers.take(ROOM, followers, pause - 1) is None
        assert markers.take(ROOM, followers, pause) == (marker(b"2"),)


def test_a_clock_that_is_set_back_does_not_stretch_the_pause() -> None:
    markers = PendingMarkers()
    for now in (limits.DAY, 0):
        markers.put(ROOM, marker(b"1"))
        assert markers.take(ROOM, 1, now) == (marker(b"1"),)


def test_past_pauses_are_forgotten() -> None:
    markers = PendingMarkers()
    markers.put(ROOM, marker(b"1"))
    markers.take(ROOM, 1, 0)
    markers.forget_past(limits.MARKER_PAUSE_LARGE)
    markers.put(ROOM, marker(b"2"))
    assert markers.take(ROOM, 1, 1) == (marker(b"2"),)
