"""Markers that wait to be sent out together.

A marker replaces the one before in its slot, so only the newest counts. They go out at
most once in two seconds and room, and once in ten where many follow, since each goes
to everybody.
"""

from tertulia.wire import frames, limits


class PendingMarkers:
    """The waiting markers of all rooms."""

    def __init__(self) -> None:
        self._pending: dict[bytes, dict[tuple[bytes, int], frames.Marker]] = {}
        self._sent: dict[bytes, int] = {}

    def put(self, room: bytes, marker: frames.Marker) -> None:
        """Replace the device's marker in its slot."""
        slots = self._pending.setdefault(room, {})
        slots[marker.device, marker.slot] = marker

    def rooms(self) -> list[bytes]:
        """Return the rooms where something waits."""
        return list(self._pending)

    def take(
        self, room: bytes, followers: int, now: int
    ) -> tuple[frames.Marker, ...] | None:
        """Return what waits for the room if its pause is over, else None."""
        small = followers <= limits.SMALL_ROOM
        pause = limits.MARKER_PAUSE if small else limits.MARKER_PAUSE_LARGE
        last = self._sent.get(room, now - pause)
        if last <= now < last + pause:
            return None
        self._sent[room] = now
        return tuple(self._pending.pop(room).values())

    def forget_past(self, now: int) -> None:
        """Drop what no longer makes anybody wait."""
        past = now - limits.MARKER_PAUSE_LARGE
        for room in [room for room, sent in self._sent.items() if sent <= past]:
            del self._sent[room]
