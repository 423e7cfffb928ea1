"""Leaf nodes (RFC 9420 sections 7.2 and 7.3)."""

from collections.abc import Collection
from dataclasses import dataclass, fields, replace
from enum import IntEnum
from functools import lru_cache
from typing import Annotated, TypeAlias

from typing_extensions import override

from tertulia.codec import (
    Codec,
    EncodedOnce,
    Nested,
    Opaque,
    Reader,
    Struct,
    Variant,
    Vector,
    encode_opaque,
    uint8,
    uint16,
    uint64,
)
from tertulia.crypto import CIPHER_SUITES, CipherSuite, CryptoError, Secret
from tertulia.mls.credential import (
    CREDENTIAL,
    Credential,
    CredentialType,
    credential_type,
)
from tertulia.mls.errors import InvalidError
from tertulia.mls.extension import (
    DEFAULT_EXTENSION_TYPES,
    EXTENSIONS,
    Extension,
    Extensions,
    check_unique_types,
)
from tertulia.mls.limits import (
    MAX_CAPABILITIES,
    MAX_DIGEST,
    MAX_KEY,
    MAX_SIGNATURE,
)
from tertulia.mls.rules import Rule

MLS10 = 1

# Every client supports these without listing them in its capabilities (section 7.2).
DEFAULT_PROPOSAL_TYPES = frozenset(range(1, 8))

_LABEL = "LeafNodeTBS"

_Numbers = Annotated[tuple[int, ...], Vector(uint16, MAX_CAPABILITIES)]


@dataclass(frozen=True, slots=True)
class Capabilities(Struct):
    """What a client supports beyond what everyone must (section 7.2)."""

    versions: _Numbers = (MLS10,)
    cipher_suites: _Numbers = tuple(CIPHER_SUITES)
    extensions: _Numbers = ()
    proposals: _Numbers = ()
    credentials: _Numbers = (CredentialType.BASIC,)

    def with_extension(self, extension_type: int) -> "Capabilities":
        """Return these capabilities with one more extension type listed."""
        if extension_type in self.extensions:
            return self
        return replace(self, extensions=(*self.extensions, extension_type))


class _CapabilitiesCodec(Codec[Capabilities]):
    """Members mostly run the same software: equal capabilities are decoded once."""

    __slots__ = ()

    @override
    def write(self, value: Capabilities, out: bytearray) -> None:
        """Append the capabilities."""
        value.write(out)

    @override
    def read(self, source: Reader) -> Capabilities:
        """Find where they end, which is cheap, then look them up."""
        start = source.position
        for _ in fields(Capabilities):
            source.opaque(MAX_CAPABILITIES)
        return _decoded_capabilities(source.since(start))


# As many as there are programs and versions of them in use at a time.
@lru_cache(maxsize=16)
def _decoded_capabilities(encoding: bytes) -> Capabilities:
    return Capabilities.decode(encoding)


class LeafNodeSource(IntEnum):
    """Where a leaf node came from (section 7.2)."""

    KEY_PACKAGE = 1
    UPDATE = 2
    COMMIT = 3


@dataclass(frozen=True, slots=True)
class Lifetime(Struct):
    """The source of a leaf in a key package: valid between two Unix times, seconds."""

    not_before: Annotated[int, uint64]
    not_after: Annotated[int, uint64]

    def contains(self, now: int) -> bool:
        """Tell whether the time `now` lies within the lifetime."""
        return self.not_before <= now <= self.not_after


@dataclass(frozen=True, slots=True)
class UpdateSource(Struct):
    """The source of a leaf in an Update proposal."""


@dataclass(frozen=True, slots=True)
class CommitSource(Struct):
    """The source of a leaf in the path of a commit."""

    parent_hash: Annotated[bytes, Opaque(MAX_DIGEST)]


Source: TypeAlias = Lifetime | UpdateSource | CommitSource

_SOURCE: Codec[Source] = Variant(
    uint8,
    {
        LeafNodeSource.KEY_PACKAGE: (Lifetime, Nested(Lifetime)),
        LeafNodeSource.UPDATE: (UpdateSource, Nested(UpdateSource)),
        LeafNodeSource.COMMIT: (CommitSource, Nested(CommitSource)),
    },
)


@dataclass(frozen=True, slots=True)
class LeafNode(EncodedOnce):
    """A member's keys, credential and capabilities, signed by the member."""

    encryption_key: Annotated[bytes, Opaque(MAX_KEY)]
    signature_key: Annotated[bytes, Opaque(MAX_KEY)]
    credential: Annotated[Credential, CREDENTIAL]
    capabilities: Annotated[Capabilities, _CapabilitiesCodec()]
    source: Annotated[Source, _SOURCE]
    extensions: Annotated[Extensions, EXTENSIONS]
    signature: Annotated[bytes, Opaque(MAX_SIGNATURE)]

    @property
    def parent_hash(self) -> bytes | None:
        """The parent hash, in a leaf whose source is a commit."""
        return (
            self.source.parent_hash if isinstance(self.source, CommitSource) else None
        )

    def sign(self, suite: CipherSuite, key: Secret, place: "LeafPlace") -> "LeafNode":
        """Return this leaf signed by `key` for its `place`."""
        content = self._to_be_signed(place)
        return replace(self, signature=suite.sign_with_label(key, _LABEL, content))

    def verify_signature(self, suite: CipherSuite, place: "LeafPlace") -> None:
        """Raise InvalidError unless the leaf is signed by its own key for `place`."""
        content = self._to_be_signed(place)
        try:
            suite.verify_with_label(self.signature_key, _LABEL, content, self.signature)
        except CryptoError as error:
            raise InvalidError(Rule.LEAF_SIGNATURE, str(error)) from error

    def _to_be_signed(self, place: "LeafPlace") -> bytes:
        content = self.encode_before("signature")
        if isinstance(self.source, Lifetime):
            return content
        return content + place.encode()


@dataclass(frozen=True, slots=True)
class LeafPlace:
    """Where a leaf stands: what the signatures of updated leaves cover in addition."""

    group_id: bytes
    leaf_index: int

    def encode(self) -> bytes:
        """Return the last fields of `LeafNodeTBS`."""
        return encode_opaque(self.group_id) + self.leaf_index.to_bytes(4)


# A key package's leaf is signed before it has a place.
NOWHERE = LeafPlace(b"", 0)


def check_leaf(leaf: LeafNode, suite: CipherSuite, place: LeafPlace) -> None:
    """Check what a leaf shows by itself (section 7.3); raise InvalidError."""
    leaf.verify_signature(suite, place)
    check_unique_types(leaf.extensions)
    check_encryption_key(suite, leaf.encryption_key)
    _check_extensions_are_listed(leaf.extensions, leaf.capabilities)
    if credential_type(leaf.credential) not in leaf.capabilities.credentials:
        raise InvalidError(
            Rule.LEAF_CREDENTIAL, "its own credential type is not listed"
        )


def check_source(leaf: LeafNode, allowed: type[Source]) -> None:
    """Raise InvalidError unless the leaf's source is the one its place demands."""
    if not isinstance(leaf.source, allowed):
        raise InvalidError(Rule.LEAF_SOURCE, f"{type(leaf.source).__name__} here")


def check_encryption_key(suite: CipherSuite, key: bytes) -> None:
    """Raise InvalidError unless `key` is a valid public key of the suite's KEM."""
    try:
        suite.validate_kem_public_key(key)
    except CryptoError as error:
        raise InvalidError(Rule.ENCRYPTION_KEY_VALID, str(error)) from error


def _check_extensions_are_listed(
    extensions: Collection[Extension], capabilities: Capabilities
) -> None:
    # As sets: both may have thousands, and are anybody's to choose.
    types = {extension.extension_type for extension in extensions}
    missing = types - DEFAULT_EXTENSION_TYPES - set(capabilities.extensions)
    if missing:
        raise InvalidError(Rule.LEAF_EXTENSIONS, f"not listed: {sorted(missing)}")
