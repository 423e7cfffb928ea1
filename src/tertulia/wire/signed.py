"""Everything that is signed outside MLS, byte by byte.

A signature covers a label, which is different for each type, and then the fields in
the TLS presentation language. Labels keep a signature made for one purpose from
serving another; fixed order and lengths give each value one encoding.
"""

from dataclasses import dataclass
from typing import Annotated, ClassVar, Final

from tertulia.codec import Opaque, Struct, Vector, encode_opaque, uint16, uint64
from tertulia.crypto import ED25519, Secret
from tertulia.wire import limits

_Id: Final = Opaque(16)
_Hash: Final = Opaque(32)
_Key: Final = Opaque(32)


class Signable(Struct):
    """A value that somebody signs."""

    __slots__ = ()
    label: ClassVar[str]

    def signed_bytes(self) -> bytes:
        """Return exactly what a signature of this value covers."""
        return encode_opaque(self.label.encode()) + self.encode()

    def sign(self, private: Secret) -> bytes:
        """Return the signature of this value."""
        return ED25519.sign(private, self.signed_bytes())

    def verify(self, public: bytes, signature: bytes) -> None:
        """Raise CryptoError unless `signature` is by `public` over this value."""
        ED25519.verify(public, self.signed_bytes(), signature)


@dataclass(frozen=True, slots=True)
class RelayProof(Signable):
    """The relay's part of the handshake; signed with its identity key."""

    label: ClassVar[str] = "Tertulia 1 relay"
    versions: Annotated[tuple[int, ...], Vector(uint16, 2 * limits.VERSIONS)]
    version: Annotated[int, uint16]
    client_nonce: Annotated[bytes, _Hash]
    relay_nonce: Annotated[bytes, _Hash]
    certificate: Annotated[bytes, _Hash]
    incarnation: Annotated[bytes, _Id]


@dataclass(frozen=True, slots=True)
class DeviceProof(Signable):
    """The device's part of the handshake; signed with the device key.

    `certificate` is what the device saw, empty where it cannot see it (browsers).
    """

    label: ClassVar[str] = "Tertulia 1 device"
    version: Annotated[int, uint16]
    identity: Annotated[bytes, _Key]
    certificate: Annotated[bytes, _Hash]
    client_nonce: Annotated[bytes, _Hash]
    relay_nonce: Annotated[bytes, _Hash]
    device: Annotated[bytes, _Id]
    counter: Annotated[int, uint64]


@dataclass(frozen=True, slots=True)
class InviteClaim(Signable):
    """That this device, on this connection, knows an invite; signed with its key.

    `room` is empty for a server invite.
    """

    label: ClassVar[str] = "Tertulia 1 invite"
    identity: Annotated[bytes, _Key]
    client_nonce: Annotated[bytes, _Hash]
    relay_nonce: Annotated[bytes, _Hash]
    room: Annotated[bytes, _Id]
    invite: Annotated[bytes, _Id]
    device: Annotated[bytes, _Id]
