"""Signatures: Ed25519 and Ed448 (RFC 8032), and ECDSA over the NIST curves.

Keys and signatures are bytes as RFC 9420, section 5.1.1, writes them: an EdDSA private
key is its seed, an ECDSA one its scalar; an ECDSA public key is an uncompressed point,
an ECDSA signature is DER. Verification raises, it never returns an answer to forget.

The library takes Edwards public keys of low order, for which anybody can make
signatures, and second spellings of a key; both are refused here.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed448 import (
    Ed448PrivateKey,
    Ed448PublicKey,
)
from cryptography.hazmat.primitives.asymmetric.ed25519 import (
    Ed25519PrivateKey,
    Ed25519PublicKey,
)

from tertulia.crypto.errors import InvalidKeyError, SignatureError
from tertulia.crypto.key_pair import KeyPair
from tertulia.crypto.nist_curve import P256, P384, P521, NistCurve
from tertulia.crypto.rng import Rng
from tertulia.crypto.secret import Secret


class SignatureScheme(Protocol):
    """A signature scheme; bad keys raise InvalidKeyError."""

    def generate(self, rng: Rng) -> KeyPair:
        """Return a new key pair."""

    def public_key(self, private: Secret) -> bytes:
        """Return the public key of `private`."""

    def validate_public_key(self, public: bytes) -> None:
        """Refuse a public key that is malformed or gives no security."""

    def sign(self, private: Secret, data: bytes) -> bytes:
        """Return the signature of `data`."""

    def verify(self, public: bytes, data: bytes, signature: bytes) -> None:
        """Raise SignatureError unless `signature` is by `public` over `data`."""


@dataclass(frozen=True, slots=True)
class EdDSA:
    """One Edwards curve.

    A public key is a y-coordinate below `prime`, little-endian, with the sign of x in
    the topmost bit. `low_order` has the y-coordinates of all points whose order
    divides the cofactor. That a key is a point at all shows only in `verify`.
    """

    name: str
    key_size: int
    prime: int
    low_order: frozenset[int]
    _load_private: Callable[[bytes], Ed25519PrivateKey | Ed448PrivateKey]
    _load_public: Callable[[bytes], Ed25519PublicKey | Ed448PublicKey]

    def generate(self, rng: Rng) -> KeyPair:
        """Return a new key pair."""
        private = Secret(rng(self.key_size))
        return KeyPair(private, self.public_key(private))

    def public_key(self, private: Secret) -> bytes:
        """Return the public key of `private`; raise InvalidKeyError."""
        return self._private(private).public_key().public_bytes_raw()

    def validate_public_key(self, public: bytes) -> None:
        """Raise InvalidKeyError if `public` is malformed or of low order."""
        self._public(public)

    def sign(self, private: Secret, data: bytes) -> bytes:
        """Return the signature of `data`; raise InvalidKeyError."""
        return self._private(private).sign(data)

    def verify(self, public: bytes, data: bytes, signature: bytes) -> None:
        """Raise SignatureError unless `signature` is by `public` over `data`.

        Raises InvalidKeyError if `public` is malformed or of low order.
        """
        try:
            self._public(public).verify(signature, data)
        except InvalidSignature:
            raise SignatureError from None

    def _private(self, private: Secret) -> Ed25519PrivateKey | Ed448PrivateKey:
        try:
            return private.loaded(self._load_private)
        except ValueError:
            raise self._invalid("private key", "its size is wrong") from None

    def _public(self, public: bytes) -> Ed25519PublicKey | Ed448PublicKey:
        try:
            key = self._load_public(public)
        except ValueError:
            raise self._invalid("public key", "its size is wrong") from None
        y = int.from_bytes(public, "little") & ~(1 << 8 * self.key_size - 1)
        if y >= self.prime:
            raise self._invalid("public key", "it is not in canonical form")
        if y in self.low_order:
            raise self._invalid("public key", "its order is low")
        return key

    def _invalid(self, part: str, reason: str) -> InvalidKeyError:
        return InvalidKeyError(f"{self.name} {part}", reason)


@dataclass(frozen=True, slots=True)
class ECDSA:
    """One NIST curve with its hash; signatures are deterministic (RFC 6979)."""

    curve: NistCurve
    hash_algorithm: hashes.HashAlgorithm

    def generate(self, rng: Rng) -> KeyPair:
        """Return a new key pair."""
        # With 64 bits more than the order has, the remainder is as good as uniform.
        wide = int.from_bytes(rng(self.curve.private_size + 8), "big")
        scalar = 1 + wide % (self.curve.order - 1)
        private = Secret(scalar.to_bytes(self.curve.private_size, "big"))
        return KeyPair(private, self.public_key(private))

    def public_key(self, private: Secret) -> bytes:
        """Return the public key of `private`; raise InvalidKeyError."""
        return self.curve.public_key(private)

    def validate_public_key(self, public: bytes) -> None:
        """Raise InvalidKeyError unless `public` is an uncompressed point."""
        self.curve.validate_public_key(public)

    def sign(self, private: Secret, data: bytes) -> bytes:
        """Return the signature of `data`; raise InvalidKeyError."""
        deterministic = ec.ECDSA(self.hash_algorithm, deterministic_signing=True)
        return self.curve.load_private(private).sign(data, deterministic)

    def verify(self, public: bytes, data: bytes, signature: bytes) -> None:
        """Raise SignatureError unless `signature` is by `public` over `data`.

        Raises InvalidKeyError unless `public` is an uncompressed point.
        """
        key = self.curve.load_public(public)
        try:
            key.verify(signature, data, ec.ECDSA(self.hash_algorithm))
        except InvalidSignature:
            raise SignatureError from None


_PRIME_25519 = 2**255 - 19
_PRIME_448 = 2**448 - 2**224 - 1
_Y_OF_ORDER_8 = 0x05FC536D880238B13933C6D305ACDFD5F098EFF289F4C345B027B2C28F95E826

ED25519 = EdDSA(
    name="Ed25519",
    key_size=32,
    prime=_PRIME_25519,
    low_order=frozenset(
        {0, 1, _Y_OF_ORDER_8, _PRIME_25519 - _Y_OF_ORDER_8, _PRIME_25519 - 1}
    ),
    _load_private=Ed25519PrivateKey.from_private_bytes,
    _load_public=Ed25519PublicKey.from_public_bytes,
)
ED448 = EdDSA(
    name="Ed448",
    key_size=57,
    prime=_PRIME_448,
    low_order=frozenset({0, 1, _PRIME_448 - 1}),
    _load_private=Ed448PrivateKey.from_private_bytes,
    _load_public=Ed448PublicKey.from_public_bytes,
)
ECDSA_P256 = ECDSA(P256, hashes.SHA256())
ECDSA_P384 = ECDSA(P384, hashes.SHA384())
ECDSA_P521 = ECDSA(P521, hashes.SHA512())
