"""The relay's word: signatures over where rooms stand.

One signature covers all that rooms got together: their pages and every acknowledgement
of it carry the same one. Signing costs more than storing an entry, so the newest
signed head of each busy room is kept.
"""

from collections.abc import Sequence
from typing import Final

from tertulia.crypto import Secret
from tertulia.relay.engine import RoomState
from tertulia.wire import Head, frames, sign_heads

MAX_KEPT: Final = 10_000


class Heads:
    """Signs heads with the relay's identity key."""

    def __init__(self, private: Secret, incarnation: bytes) -> None:
        self._private = private
        self._incarnation = incarnation
        self._kept: dict[bytes, frames.SignedHead] = {}

    def sign(self, state: RoomState) -> frames.SignedHead:
        """Return the signed head of a room that stands so."""
        (signed,) = self.sign_all((state,))
        return signed

    def sign_all(self, states: Sequence[RoomState]) -> Sequence[frames.SignedHead]:
        """Return the signed heads of rooms that stand so."""
        known = [self._known(state) for state in states]
        new = iter(
            sign_heads(
                self._private,
                [
                    Head(state.room, self._incarnation, state.place, state.hash)
                    for state, head in zip(states, known, strict=True)
                    if head is None
                ],
            )
        )
        signed = [head if head is not None else next(new) for head in known]
        for state, head in zip(states, signed, strict=True):
            self._keep(state.room, head)
        return signed

    def _known(self, state: RoomState) -> frames.SignedHead | None:
        kept = self._kept.get(state.room)
        if kept is None or (kept.place, kept.hash) != (state.place, state.hash):
            return None
        return kept

    def covering(self, room: bytes, place: int) -> frames.SignedHead | None:
        """Return the newest head signed for the room if it covers `place`."""
        kept = self._kept.get(room)
        return kept if kept is not None and kept.place >= place else None

    def _keep(self, room: bytes, signed: frames.SignedHead) -> None:
        kept = self._kept.get(room)
        if kept is not None and kept.place > signed.place:
            return
        self._kept.pop(room, None)
        if len(self._kept) >= MAX_KEPT:
            del self._kept[next(iter(self._kept))]
        self._kept[room] = signed
