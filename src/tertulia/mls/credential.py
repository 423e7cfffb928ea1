"""Credentials (RFC 9420 section 5.3)."""

from dataclasses import dataclass
from enum import IntEnum
from typing import Annotated, TypeAlias, assert_never

from tertulia.codec import Codec, Nested, Opaque, Struct, Variant, Vector, uint16
from tertulia.mls.limits import MAX_CREDENTIAL


class CredentialType(IntEnum):
    """Section 17.5."""

    BASIC = 1
    X509 = 2


@dataclass(frozen=True, slots=True)
class BasicCredential(Struct):
    """A name that the application gives a meaning."""

    identity: Annotated[bytes, Opaque(MAX_CREDENTIAL)]


@dataclass(frozen=True, slots=True)
class X509Credential(Struct):
    """A chain of DER certificates, the client's own first."""

    certificates: Annotated[
        tuple[bytes, ...], Vector(Opaque(MAX_CREDENTIAL), MAX_CREDENTIAL)
    ]


Credential: TypeAlias = BasicCredential | X509Credential

CREDENTIAL: Codec[Credential] = Variant(
    uint16,
    {
        CredentialType.BASIC: (BasicCredential, Nested(BasicCredential)),
        CredentialType.X509: (X509Credential, Nested(X509Credential)),
    },
)


def credential_type(credential: Credential) -> CredentialType:
    """Return the type under which `credential` is encoded."""
    match credential:
        case BasicCredential():
            return CredentialType.BASIC
        case X509Credential():
            return CredentialType.X509
        case _:
            assert_never(credential)
