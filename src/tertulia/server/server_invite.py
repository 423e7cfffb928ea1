"""The link of a server invite: who the server is, and a secret to come in with.

    https://HOST[:PORT]/i#PAYLOAD

What follows `#` never reaches a server. PAYLOAD is base64url, without padding, of a
struct in the TLS presentation language; see `ServerInviteLink`.
"""

import base64
import binascii
from dataclasses import dataclass
from typing import Annotated, ClassVar, Final

from tertulia.codec import CodecError, Opaque, Struct, Vector, uint8
from tertulia.crypto import ED25519, Rng, Secret
from tertulia.relay import ServerInvite

VERSION: Final = 1
KIND_SERVER: Final = 0  # a link without a room

_Hash: Final = Opaque(32)
_Id: Final = Opaque(16)
_Address: Final = Opaque(255)


@dataclass(frozen=True, slots=True)
class ServerInviteLink(Struct):
    """What the link says; `addresses` are others than the one the link leads to."""

    path: ClassVar[str] = "/i"
    version: Annotated[int, uint8]
    kind: Annotated[int, uint8]
    fingerprint: Annotated[bytes, _Hash]
    invite: Annotated[bytes, _Id]
    secret: Annotated[bytes, _Hash]
    addresses: Annotated[tuple[bytes, ...], Vector(_Address, 4096)]

    def url(self, base: str) -> str:
        """Return the link, given `https://HOST[:PORT]`."""
        payload = base64.urlsafe_b64encode(self.encode()).rstrip(b"=").decode()
        return f"{base}{self.path}#{payload}"

    @classmethod
    def parse(cls, url: str) -> "ServerInviteLink":
        """Return what a link says; raise CodecError."""
        payload = url.partition("#")[2]
        try:
            padded = payload + "=" * (-len(payload) % 4)
            data = base64.b64decode(padded, altchars=b"-_", validate=True)
        except (binascii.Error, ValueError):
            raise CodecError("not a link of ours") from None
        link = cls.decode(data)
        if (link.version, link.kind) != (VERSION, KIND_SERVER):
            raise CodecError(f"a link of version {link.version}, kind {link.kind}")
        if (len(link.fingerprint), len(link.invite), len(link.secret)) != (32, 16, 32):
            raise CodecError("a link whose parts are too short")
        return link


@dataclass(frozen=True, slots=True)
class Terms:
    """How long and how often an invite counts, and what it makes of who comes."""

    uses: int | None = 1
    expires: int | None = None
    makes_owner: bool = False


def new_invite(rng: Rng, now: int, terms: Terms) -> tuple[ServerInvite, bytes]:
    """Return an invite as the relay stores it, and the secret it does not keep."""
    secret = rng(32)
    invite = ServerInvite(
        rng(16),
        ED25519.public_key(Secret(secret)),
        now,
        terms.expires,
        terms.uses,
        makes_owner=terms.makes_owner,
    )
    return invite, secret


def link_of(
    invite: ServerInvite, secret: bytes, fingerprint: bytes, others: tuple[str, ...]
) -> ServerInviteLink:
    """Return the link of an invite; `others` are further `HOST:PORT` of the server."""
    return ServerInviteLink(
        VERSION,
        KIND_SERVER,
        fingerprint,
        invite.invite,
        secret,
        tuple(other.encode() for other in others[:8]),
    )
