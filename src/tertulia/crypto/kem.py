"""Key encapsulation: a fresh secret shared with the owner of a public key.

`KEM` is what HPKE needs of any of them; `DHKEM` builds one from a Diffie-Hellman curve
(RFC 9180, section 4.1). Its private keys and randomness come from outside, so that equal
inputs give equal outputs.
"""

from typing import Final, Protocol

from tertulia.crypto.kdf import HKDF_SHA256, HKDF_SHA384, HKDF_SHA512, KDF
from tertulia.crypto.key_pair import KeyPair
from tertulia.crypto.labeled_kdf import LabeledKDF
from tertulia.crypto.montgomery import X448, X25519
from tertulia.crypto.nist_curve import P256, P384, P521
from tertulia.crypto.rng import Rng
from tertulia.crypto.secret import Secret


class KEM(Protocol):
    """A key encapsulation mechanism; bad keys raise InvalidKeyError."""

    @property
    def id(self) -> int:
        """Its number in the registry of RFC 9180, section 7.1."""

    def generate(self, rng: Rng) -> KeyPair:
        """Return a new key pair."""

    def derive_key_pair(self, ikm: Secret) -> KeyPair:
        """Return the key pair that `ikm` stands for."""

    def public_key(self, private: Secret) -> bytes:
        """Return the public key of `private`."""

    def validate_public_key(self, public: bytes) -> None:
        """Refuse a public key that is malformed or gives no security."""

    def encap(self, public: bytes, rng: Rng) -> tuple[Secret, bytes]:
        """Return a fresh shared secret and what carries it to the owner of `public`."""

    def decap(self, private: Secret, enc: bytes) -> Secret:
        """Return the shared secret that `enc` carries."""


class DiffieHellman(Protocol):
    """What `DHKEM` asks of a curve; bad keys raise InvalidKeyError.

    Keys go in and come out as bytes; what the library makes of them stays inside.
    """

    @property
    def private_size(self) -> int:
        """The size of a private key in bytes: Nsk in RFC 9180."""

    def derive_private(self, kdf: LabeledKDF, prk: bytes) -> Secret:
        """Return the private key that `prk` stands for."""

    def public_key(self, private: Secret) -> bytes:
        """Return the public key of `private`."""

    def validate_public_key(self, public: bytes) -> None:
        """Refuse a public key that is malformed or gives no security."""

    def agree(self, private: Secret, peer: bytes) -> tuple[bytes, bytes]:
        """Return what `private` shares with `peer`, and the public key of `private`."""


class DHKEM:
    """The KEM of one Diffie-Hellman curve."""

    __slots__ = ("_curve", "_kdf", "id")

    def __init__(self, kem_id: int, curve: DiffieHellman, kdf: KDF) -> None:
        self.id: Final = kem_id
        self._curve: Final = curve
        self._kdf: Final = LabeledKDF(kdf, b"KEM" + kem_id.to_bytes(2, "big"))

    def generate(self, rng: Rng) -> KeyPair:
        """Return a new key pair."""
        return self._with_public(self._generate_private(rng))

    def derive_key_pair(self, ikm: Secret) -> KeyPair:
        """Return the key pair that `ikm` stands for (RFC 9180, section 7.1.3)."""
        return self._with_public(self._derive_private(ikm.reveal()))

    def public_key(self, private: Secret) -> bytes:
        """Return the public key of `private`; raise InvalidKeyError."""
        return self._curve.public_key(private)

    def validate_public_key(self, public: bytes) -> None:
        """Raise InvalidKeyError if `public` is malformed or gives no security."""
        self._curve.validate_public_key(public)

    def encap(self, public: bytes, rng: Rng) -> tuple[Secret, bytes]:
        """Return a fresh shared secret and what carries it to the owner of `public`.

        Raises InvalidKeyError.
        """
        shared, enc = self._curve.agree(self._generate_private(rng), public)
        return self._extract_and_expand(shared, enc + public), enc

    def decap(self, private: Secret, enc: bytes) -> Secret:
        """Return the shared secret that `enc` carries; raise InvalidKeyError."""
        shared, public = self._curve.agree(private, enc)
        return self._extract_and_expand(shared, enc + public)

    def _with_public(self, private: Secret) -> KeyPair:
        return KeyPair(private, self._curve.public_key(private))

    def _generate_private(self, rng: Rng) -> Secret:
        return self._derive_private(rng(self._curve.private_size))

    def _derive_private(self, ikm: bytes) -> Secret:
        prk = self._kdf.extract(b"", b"dkp_prk", ikm)
        return self._curve.derive_private(self._kdf, prk)

    def _extract_and_expand(self, shared: bytes, context: bytes) -> Secret:
        prk = self._kdf.extract(b"", b"eae_prk", shared)
        return Secret(self._kdf.expand(prk, b"shared_secret", context, self._kdf.size))


DHKEM_P256 = DHKEM(0x0010, P256, HKDF_SHA256)
DHKEM_P384 = DHKEM(0x0011, P384, HKDF_SHA384)
DHKEM_P521 = DHKEM(0x0012, P521, HKDF_SHA512)
DHKEM_X25519 = DHKEM(0x0020, X25519, HKDF_SHA256)
DHKEM_X448 = DHKEM(0x0021, X448, HKDF_SHA512)
