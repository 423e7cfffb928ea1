"""Diffie-Hellman over the curves X25519 and X448 (RFC 7748).

Every string of the right size is a key, so only points of low order are refused: with
one of them the shared secret is zero, whoever asks. The library refuses that zero by
itself; `validate_public_key` finds such a point without a private key.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

from cryptography.hazmat.primitives.asymmetric.x448 import X448PrivateKey, X448PublicKey
from cryptography.hazmat.primitives.asymmetric.x25519 import (
    X25519PrivateKey,
    X25519PublicKey,
)

from tertulia.crypto.errors import InvalidKeyError
from tertulia.crypto.labeled_kdf import LabeledKDF
from tertulia.crypto.secret import Secret


class _PublicKey(Protocol):
    def public_bytes_raw(self) -> bytes: ...


class LoadedPrivateKey(Protocol):
    """What the library makes of a private key; to make it takes as long as to agree."""

    # `Any`: each of the library's types takes public keys of its own curve only.
    def exchange(self, peer_public_key: Any, /) -> bytes:
        """Return what both keys share."""

    def public_key(self) -> _PublicKey:
        """Return the public half."""


@dataclass(frozen=True, slots=True)
class MontgomeryCurve:
    """One of the two; `field_bits` of a public key are read, and taken modulo `prime`.

    `low_order` has the u-coordinates of all points, on the curve or its twist, whose
    order divides the cofactor.
    """

    name: str
    private_size: int
    field_bits: int
    prime: int
    low_order: frozenset[int]
    _load_private: Callable[[bytes], LoadedPrivateKey]
    _load_public: Callable[[bytes], _PublicKey]

    def derive_private(self, kdf: LabeledKDF, prk: bytes) -> Secret:
        """Return the private key that `prk` stands for."""
        return Secret(kdf.expand(prk, b"sk", b"", self.private_size))

    def public_key(self, private: Secret) -> bytes:
        """Return the public key of `private`; raise InvalidKeyError."""
        return _public_bytes(self.load_private(private))

    def validate_public_key(self, public: bytes) -> None:
        """Raise InvalidKeyError for a wrong size or low order."""
        self._public(public)
        coordinate = int.from_bytes(public, "little") % (1 << self.field_bits)
        if coordinate % self.prime in self.low_order:
            raise self._invalid("public key", "its order is low")

    def agree(self, private: Secret, peer: bytes) -> tuple[bytes, bytes]:
        """Return what `private` shares with `peer`, and the public key of `private`.

        Raises InvalidKeyError for wrong sizes, and if the shared secret is zero.
        """
        ours = self.load_private(private)
        return self.agree_loaded(ours, peer), _public_bytes(ours)

    def agree_loaded(self, ours: LoadedPrivateKey, peer: bytes) -> bytes:
        """Return what a private key that is loaded shares with `peer`.

        Raises InvalidKeyError for a wrong size, and if the shared secret is zero.
        """
        theirs = self._public(peer)
        try:
            return ours.exchange(theirs)
        except ValueError:
            raise self._invalid("public key", "its order is low") from None

    def load_private(self, private: Secret) -> LoadedPrivateKey:
        """Return the library's form of `private`; raise InvalidKeyError."""
        try:
            return private.loaded(self._load_private)
        except ValueError:
            raise self._invalid("private key", "its size is wrong") from None

    def _public(self, public: bytes) -> _PublicKey:
        try:
            return self._load_public(public)
        except ValueError:
            raise self._invalid("public key", "its size is wrong") from None

    def _invalid(self, part: str, reason: str) -> InvalidKeyError:
        return InvalidKeyError(f"{self.name} {part}", reason)


def _public_bytes(private: LoadedPrivateKey) -> bytes:
    return private.public_key().public_bytes_raw()


_PRIME_25519 = 2**255 - 19
_PRIME_448 = 2**448 - 2**224 - 1

X25519 = MontgomeryCurve(
    name="X25519",
    private_size=32,
    field_bits=255,
    prime=_PRIME_25519,
    low_order=frozenset(
        {
            0,
            1,
            0x00B8495F16056286FDB1329CEB8D09DA6AC49FF1FAE35616AEB8413B7C7AEBE0,
            0x57119FD0DD4E22D8868E1C58C45C44045BEF839C55B1D0B1248C50A3BC959C5F,
            _PRIME_25519 - 1,
        }
    ),
    _load_private=X25519PrivateKey.from_private_bytes,
    _load_public=X25519PublicKey.from_public_bytes,
)
X448 = MontgomeryCurve(
    name="X448",
    private_size=56,
    field_bits=448,
    prime=_PRIME_448,
    low_order=frozenset({0, 1, _PRIME_448 - 1}),
    _load_private=X448PrivateKey.from_private_bytes,
    _load_public=X448PublicKey.from_public_bytes,
)
