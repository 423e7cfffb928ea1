"""Fairness among those who commit: who was late too often goes next.

A handshake that names an old one is answered `stale`. In a storm of joins a slow device
could be late for ever; after three times in a row the room's next handshake is
reserved for it, for a second. Application entries never wait.
"""

from tertulia.relay.refusal import Refusal
from tertulia.wire import ErrorCode, frames, limits


class Turns:
    """The reserved turns of all rooms."""

    def __init__(self) -> None:
        self._turns: dict[bytes, tuple[bytes, int]] = {}

    def require(self, room: bytes, device: bytes, now: int) -> None:
        """Raise WAIT_TURN if the room's next handshake is another device's."""
        holder, until = self._turns.get(room, (device, 0))
        # A clock that was set back must not stretch the turn.
        wait = min(until - now, limits.TURN_TIME)
        if holder != device and wait > 0:
            raise Refusal(ErrorCode.WAIT_TURN, frames.Facts(retry_after=wait))

    def reserve(self, room: bytes, device: bytes, now: int) -> None:
        """Give the device the next turn, unless somebody has it already."""
        _, until = self._turns.get(room, (device, 0))
        if now >= until:
            self._turns[room] = (device, now + limits.TURN_TIME)

    def release(self, room: bytes, device: bytes) -> None:
        """End the device's turn; it was used."""
        if self._turns.get(room, (b"", 0))[0] == device:
            del self._turns[room]

    def forget_past(self, now: int) -> None:
        """Drop turns that ended."""
        for room in [room for room, (_, until) in self._turns.items() if until <= now]:
            del self._turns[room]
