"""Pre-shared keys (RFC 9420 section 8.4)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Annotated, TypeAlias

from tertulia.codec import (
    Codec,
    Enumerated,
    Nested,
    Opaque,
    Struct,
    Variant,
    uint8,
    uint16,
    uint64,
)
from tertulia.crypto import CipherSuite, Rng, Secret
from tertulia.mls.errors import UnknownPskError
from tertulia.mls.limits import MAX_DIGEST, MAX_GROUP_ID, MAX_PSK_ID


class PSKType(IntEnum):
    """Section 17: where a pre-shared key comes from."""

    EXTERNAL = 1
    RESUMPTION = 2


class ResumptionPSKUsage(IntEnum):
    """What a resumption PSK is used for."""

    APPLICATION = 1
    REINIT = 2
    BRANCH = 3


@dataclass(frozen=True, slots=True)
class ExternalPSK(Struct):
    """A key that the application distributed, by the name it gave it."""

    psk_id: Annotated[bytes, Opaque(MAX_PSK_ID)]


@dataclass(frozen=True, slots=True)
class ResumptionPSK(Struct):
    """The resumption secret of an epoch of a group."""

    usage: Annotated[ResumptionPSKUsage, Enumerated(1, ResumptionPSKUsage)]
    psk_group_id: Annotated[bytes, Opaque(MAX_GROUP_ID)]
    psk_epoch: Annotated[int, uint64]


PSK: TypeAlias = ExternalPSK | ResumptionPSK
PSKs: TypeAlias = Mapping[PSK, Secret]

_PSK: Codec[PSK] = Variant(
    uint8,
    {
        PSKType.EXTERNAL: (ExternalPSK, Nested(ExternalPSK)),
        PSKType.RESUMPTION: (ResumptionPSK, Nested(ResumptionPSK)),
    },
)


@dataclass(frozen=True, slots=True)
class PreSharedKeyID(Struct):
    """A pre-shared key and a nonce that makes this use of it unlike any other."""

    psk: Annotated[PSK, _PSK]
    psk_nonce: Annotated[bytes, Opaque(MAX_DIGEST)]


@dataclass(frozen=True, slots=True)
class _PSKLabel(Struct):
    psk_id: PreSharedKeyID
    index: Annotated[int, uint16]
    count: Annotated[int, uint16]


def new_psk_id(suite: CipherSuite, psk: PSK, rng: Rng) -> PreSharedKeyID:
    """Return an id for one use of `psk`."""
    return PreSharedKeyID(psk, rng(suite.kdf.size))


def derive_psk_secret(
    suite: CipherSuite, psk_ids: Sequence[PreSharedKeyID], psks: PSKs
) -> Secret:
    """Chain the keys named by `psk_ids`, in their order; raise UnknownPskError."""
    zero = Secret(bytes(suite.kdf.size))
    psk_secret = zero
    for index, psk_id in enumerate(psk_ids):
        psk = psks.get(psk_id.psk)
        if psk is None:
            raise UnknownPskError(psk_id.psk)
        label = _PSKLabel(psk_id, index, len(psk_ids)).encode()
        psk_input = suite.expand_with_label(
            suite.extract(zero, psk), "derived psk", label, suite.kdf.size
        )
        psk_secret = suite.extract(psk_input, psk_secret)
    return psk_secret
