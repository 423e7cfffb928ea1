"""The relay's word: signatures over where rooms stand.

One signature covers all that a room got together: its pages and every acknowledgement
of it carry the same one. Signing costs more than storing an entry, so the newest
signed head of each busy room is kept.
"""

from typing import Final

from tertulia.crypto import ED25519, Secret
from tertulia.relay.engine import RoomState
from tertulia.wire import Head, frames

MAX_KEPT: Final = 10_000


class Heads:
    """Signs heads with the relay's identity key."""

    def __init__(self, private: Secret, incarnation: bytes) -> None:
        self._sign = ED25519.signer(private)
        self._incarnation = incarnation
        self._kept: dict[bytes, frames.SignedHead] = {}

    def sign(self, state: RoomState) -> frames.SignedHead:
        """Return the signed head of a room that stands so."""
        kept = self._kept.get(state.room)
        if kept is not None and kept.place == state.place and kept.hash == state.hash:
            return kept
        head = Head(state.room, self._incarnation, state.place, state.hash)
        signed = frames.SignedHead(
            self._incarnation, state.place, state.hash, self._sign(head.signed_bytes())
        )
        if kept is None or kept.place <= state.place:
            self._keep(state.room, signed)
        return signed

    def covering(self, room: bytes, place: int) -> frames.SignedHead | None:
        """Return the newest head signed for the room if it covers `place`."""
        kept = self._kept.get(room)
        return kept if kept is not None and kept.place >= place else None

    def _keep(self, room: bytes, signed: frames.SignedHead) -> None:
        self._kept.pop(room, None)
        if len(self._kept) >= MAX_KEPT:
            del self._kept[next(iter(self._kept))]
        self._kept[room] = signed
