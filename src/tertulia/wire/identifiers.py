"""The small fixed-size values that frames are made of, each with its meaning."""

from enum import IntEnum
from typing import Annotated, Final, TypeAlias

from msgspec import Meta

# JavaScript's largest exact integer: places and times travel as numbers.
MAX_INTEGER: Final = 2**53 - 1

RoomId: TypeAlias = Annotated[
    bytes,
    Meta(min_length=16, max_length=16, description="chosen at random by the creator"),
]
DeviceId: TypeAlias = Annotated[
    bytes,
    Meta(min_length=16, max_length=16, description="chosen at random by the device"),
]
AccountId: TypeAlias = Annotated[
    bytes,
    Meta(min_length=32, max_length=32, description="SHA-256 of the account key"),
]
PublicKey: TypeAlias = Annotated[
    bytes, Meta(min_length=32, max_length=32, description="an Ed25519 public key")
]
Signature: TypeAlias = Annotated[
    bytes, Meta(min_length=64, max_length=64, description="an Ed25519 signature")
]
Nonce: TypeAlias = Annotated[
    bytes, Meta(min_length=32, max_length=32, description="fresh random bytes")
]
Hash: TypeAlias = Annotated[
    bytes, Meta(min_length=32, max_length=32, description="a SHA-256 digest")
]
CertificateHash: TypeAlias = Annotated[
    bytes,
    Meta(
        max_length=32,
        description="SHA-256 of the TLS certificate's SubjectPublicKeyInfo; empty if unknown",
    ),
]
MessageKey: TypeAlias = Annotated[
    bytes,
    Meta(
        min_length=16, max_length=16, description="a UUID of version 7, by the sender"
    ),
]
InviteId: TypeAlias = Annotated[
    bytes, Meta(min_length=16, max_length=16, description="names an invite")
]
WrapId: TypeAlias = Annotated[
    bytes, Meta(min_length=16, max_length=16, description="names a wrap key")
]
TreeName: TypeAlias = Annotated[
    bytes,
    Meta(
        min_length=16,
        max_length=16,
        description="names the tree of one epoch; only members can say it",
    ),
]
BlobId: TypeAlias = Annotated[
    bytes,
    Meta(min_length=16, max_length=16, description="chosen at random by the relay"),
]
Incarnation: TypeAlias = Annotated[
    bytes,
    Meta(min_length=16, max_length=16, description="new whenever a backup is restored"),
]
RequestNumber: TypeAlias = Annotated[
    int,
    Meta(
        ge=1, le=2**32 - 1, description="chosen by the client, repeated in the answer"
    ),
]
AnsweredNumber: TypeAlias = Annotated[
    int,
    Meta(ge=0, le=2**32 - 1, description="the request answered; 0 when nobody asked"),
]
Place: TypeAlias = Annotated[
    int,
    Meta(
        ge=0,
        le=MAX_INTEGER,
        description="an entry's place in its room; 0 is before all",
    ),
]
Time: TypeAlias = Annotated[
    int, Meta(ge=0, le=MAX_INTEGER, description="milliseconds since 1970, UTC")
]
Duration: TypeAlias = Annotated[
    int, Meta(ge=0, le=MAX_INTEGER, description="milliseconds")
]
Counter: TypeAlias = Annotated[
    int, Meta(ge=1, le=MAX_INTEGER, description="higher at each connection of a device")
]


class Kind(IntEnum):
    """What an entry is; all the relay knows of its content."""

    HANDSHAKE = 1
    APPLICATION = 2


class AccountPolicy(IntEnum):
    """Who may create an account."""

    INVITE = 1
    OPEN = 2
    CLOSED = 3
