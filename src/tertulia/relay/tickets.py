"""Tickets: what opens blobs over HTTP, where no session is.

A ticket names what it is for and carries a MAC under a key derived from the relay's
identity, so no ticket needs to be stored, and any node of a relay honours it. It proves
who asked; whether that device still belongs to the room is checked at each use.
"""

import hmac
import struct
from dataclasses import dataclass
from enum import IntEnum
from typing import Final

from tertulia.crypto import Secret
from tertulia.relay.refusal import Refusal
from tertulia.wire import ErrorCode

_LABEL: Final = b"Tertulia 1 ticket"
_layout: Final = struct.Struct(">BQ16s16s16s")
_NO_BLOB: Final = bytes(16)


class Right(IntEnum):
    """What a ticket allows."""

    READ_ROOM = 1  # any blob of a room, to a routed device
    READ_GROUP = 2  # the current tree, to who may join
    WRITE = 3  # one blob


@dataclass(frozen=True, slots=True)
class Ticket:
    """What a valid ticket says."""

    right: Right
    expires: int
    room: bytes
    device: bytes
    blob: bytes = _NO_BLOB


class Tickets:
    """Makes and checks tickets."""

    def __init__(self, identity: Secret) -> None:
        self._key = hmac.digest(identity.reveal(), _LABEL, "sha256")

    def issue(self, ticket: Ticket) -> bytes:
        """Return the bytes of a ticket."""
        body = _layout.pack(
            ticket.right, ticket.expires, ticket.room, ticket.device, ticket.blob
        )
        return body + hmac.digest(self._key, body, "sha256")

    def check(self, token: bytes, now: int) -> Ticket:
        """Return what the ticket says; raise TICKET_INVALID."""
        body, mac = token[: _layout.size], token[_layout.size :]
        if not hmac.compare_digest(hmac.digest(self._key, body, "sha256"), mac):
            raise Refusal(ErrorCode.TICKET_INVALID)
        right, expires, room, device, blob = _layout.unpack(body)
        if expires <= now:
            raise Refusal(ErrorCode.TICKET_INVALID)
        return Ticket(Right(right), expires, room, device, blob)
