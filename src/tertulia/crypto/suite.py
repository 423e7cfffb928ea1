"""Cipher suites (RFC 9420, sections 5.1 and 17.1) and the functions made of them.

A suite is a row of the table at the end: four primitives under one number. Whatever
MLS derives, signs or encrypts goes through one of the labelled functions here, so that
nothing made for one purpose can serve another.
"""

import hmac
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from types import MappingProxyType
from typing import Final

from tertulia.codec import encode_opaque, encode_varint
from tertulia.crypto.aead import AEAD, AES128GCM, AES256GCM, CHACHA20POLY1305
from tertulia.crypto.errors import (
    MacError,
    OutputTooLongError,
    UnsupportedSuiteError,
)
from tertulia.crypto.hpke import HPKE
from tertulia.crypto.kdf import HKDF_SHA256, HKDF_SHA384, HKDF_SHA512, KDF
from tertulia.crypto.kem import (
    DHKEM_P256,
    DHKEM_P384,
    DHKEM_P521,
    DHKEM_X448,
    DHKEM_X25519,
)
from tertulia.crypto.key_pair import KeyPair
from tertulia.crypto.rng import Rng
from tertulia.crypto.secret import Secret
from tertulia.crypto.signature import (
    ECDSA_P256,
    ECDSA_P384,
    ECDSA_P521,
    ED448,
    ED25519,
    SignatureScheme,
)
from tertulia.crypto.xwing import XWING

CLASSICAL_SUITE: Final = 0x0001
HYBRID_SUITE: Final = 0xF002

_EMPTY_OPAQUE = encode_opaque(b"")


@dataclass(frozen=True, slots=True)
class CipherSuite:
    """Four primitives under the number and name that their specification gives them."""

    id: int
    name: str
    hpke: HPKE
    kdf: KDF
    aead: AEAD
    signature: SignatureScheme

    def hash(self, data: bytes) -> bytes:
        """Return the hash of `data`."""
        return self.kdf.hash(data)

    def ref_hash(self, label: str, value: bytes) -> bytes:
        """Return RefHash (section 5.2); `label` stands there as it is."""
        return self.kdf.hash(encode_opaque(label.encode()) + encode_opaque(value))

    def mac(self, key: Secret, data: bytes) -> bytes:
        """Return the authentication tag of `data`."""
        return self.kdf.mac(key.reveal(), data)

    def verify_mac(self, key: Secret, data: bytes, tag: bytes) -> None:
        """Raise MacError unless `tag` is by `key` over `data`."""
        if not hmac.compare_digest(self.kdf.mac(key.reveal(), data), tag):
            raise MacError

    def extract(self, salt: Secret, ikm: Secret) -> Secret:
        """Return KDF.Extract of both."""
        return Secret(self.kdf.extract(salt.reveal(), ikm.reveal()))

    def expand_with_label(
        self, secret: Secret, label: str, context: bytes, length: int
    ) -> Secret:
        """Return ExpandWithLabel (section 8); raise OutputTooLongError."""
        info = _kdf_label_start(label, length) + encode_opaque(context)
        return Secret(self.kdf.expand(secret.reveal(), info, length))

    def derive_secret(self, secret: Secret, label: str) -> Secret:
        """Return DeriveSecret (section 8)."""
        size = self.kdf.size
        info = _kdf_label_start(label, size) + _EMPTY_OPAQUE
        return Secret(self.kdf.expand(secret.reveal(), info, size))

    def derive_tree_secret(
        self, secret: Secret, label: str, generation: int, length: int
    ) -> Secret:
        """Return DeriveTreeSecret (section 9.1); raise OutputTooLongError."""
        context = generation.to_bytes(4, "big")
        return self.expand_with_label(secret, label, context, length)

    def sign_with_label(self, private: Secret, label: str, content: bytes) -> bytes:
        """Return SignWithLabel (section 5.1.2); raise InvalidKeyError."""
        return self.signature.sign(private, _labeled(label, content))

    def verify_with_label(
        self, public: bytes, label: str, content: bytes, signature: bytes
    ) -> None:
        """Raise SignatureError unless VerifyWithLabel holds (section 5.1.2).

        Raises InvalidKeyError if `public` is no key to trust.
        """
        self.signature.verify(public, _labeled(label, content), signature)

    def encrypt_with_label(
        self, public: bytes, label: str, context: bytes, plaintext: bytes, rng: Rng
    ) -> tuple[bytes, bytes]:
        """Return `kem_output` and `ciphertext` of EncryptWithLabel (section 5.1.3).

        Raises InvalidKeyError.
        """
        return self.hpke.seal(public, _labeled(label, context), b"", plaintext, rng)

    def encrypt_each_with_label(
        self,
        label: str,
        context: bytes,
        messages: Iterable[tuple[bytes, bytes]],
        rng: Rng,
    ) -> list[tuple[bytes, bytes]]:
        """Return EncryptWithLabel for each pair of a public key and a plaintext.

        The context is hashed once: that of a Welcome is as large as a whole tree.
        Raises InvalidKeyError.
        """
        return self.hpke.seal_each(_labeled(label, context), b"", messages, rng)

    def decrypt_with_label(
        self,
        private: Secret,
        label: str,
        context: bytes,
        kem_output: bytes,
        ciphertext: bytes,
    ) -> Secret:
        """Return DecryptWithLabel (section 5.1.3).

        Raises DecryptionError, and InvalidKeyError for a malformed `kem_output`.
        """
        info = _labeled(label, context)
        return Secret(self.hpke.open(private, kem_output, info, b"", ciphertext))

    def random(self, rng: Rng) -> Secret:
        """Return a fresh secret of the KDF's size."""
        return Secret(rng(self.kdf.size))

    def kem_derive_key_pair(self, secret: Secret) -> KeyPair:
        """Return the encryption key pair that `secret` stands for."""
        return self.hpke.kem.derive_key_pair(secret)

    def generate_kem_key_pair(self, rng: Rng) -> KeyPair:
        """Return a new encryption key pair."""
        return self.hpke.kem.generate(rng)

    def validate_kem_public_key(self, public: bytes) -> None:
        """Raise InvalidKeyError if `public` is malformed or gives no security."""
        self.hpke.kem.validate_public_key(public)

    def generate_signature_key_pair(self, rng: Rng) -> KeyPair:
        """Return a new signature key pair."""
        return self.signature.generate(rng)


def cipher_suite(suite: int) -> CipherSuite:
    """Return the suite of this number; raise UnsupportedSuiteError."""
    try:
        return CIPHER_SUITES[suite]
    except KeyError:
        raise UnsupportedSuiteError(suite) from None


def lacks_ml_kem(suite: int) -> bool:
    """Tell whether the suite of this number needs ML-KEM, and the library here has none.

    Whatever is done with its keys then raises NoMlKemError.
    """
    return suite == HYBRID_SUITE and not XWING.is_available


# Labels are public and few; only their encodings are kept, never what is derived.
@lru_cache(maxsize=256)
def _mls_label(label: str) -> bytes:
    return encode_opaque(b"MLS 1.0 " + label.encode())


@lru_cache(maxsize=256)
def _kdf_label_start(label: str, length: int) -> bytes:
    """Return `KDFLabel` up to its context, the part that repeats."""
    limit = 0xFFFF
    if length > limit:
        raise OutputTooLongError(length, limit)
    return length.to_bytes(2, "big") + _mls_label(label)


def _labeled(label: str, content: bytes) -> bytes:
    """Return `SignContent` or `EncryptContext`, which are written alike."""
    # Copied once: commits and trees take megabytes.
    return b"".join((_mls_label(label), encode_varint(len(content)), content))


def _row(
    number: int, name: str, hpke: HPKE, signature: SignatureScheme
) -> tuple[int, CipherSuite]:
    return number, CipherSuite(number, name, hpke, hpke.kdf, hpke.aead, signature)


CIPHER_SUITES: Mapping[int, CipherSuite] = MappingProxyType(
    dict(
        (
            _row(
                CLASSICAL_SUITE,
                "MLS_128_DHKEMX25519_AES128GCM_SHA256_Ed25519",
                HPKE(DHKEM_X25519, HKDF_SHA256, AES128GCM),
                ED25519,
            ),
            _row(
                0x0002,
                "MLS_128_DHKEMP256_AES128GCM_SHA256_P256",
                HPKE(DHKEM_P256, HKDF_SHA256, AES128GCM),
                ECDSA_P256,
            ),
            _row(
                0x0003,
                "MLS_128_DHKEMX25519_CHACHA20POLY1305_SHA256_Ed25519",
                HPKE(DHKEM_X25519, HKDF_SHA256, CHACHA20POLY1305),
                ED25519,
            ),
            _row(
                0x0004,
                "MLS_256_DHKEMX448_AES256GCM_SHA512_Ed448",
                HPKE(DHKEM_X448, HKDF_SHA512, AES256GCM),
                ED448,
            ),
            _row(
                0x0005,
                "MLS_256_DHKEMP521_AES256GCM_SHA512_P521",
                HPKE(DHKEM_P521, HKDF_SHA512, AES256GCM),
                ECDSA_P521,
            ),
            _row(
                0x0006,
                "MLS_256_DHKEMX448_CHACHA20POLY1305_SHA512_Ed448",
                HPKE(DHKEM_X448, HKDF_SHA512, CHACHA20POLY1305),
                ED448,
            ),
            _row(
                0x0007,
                "MLS_256_DHKEMP384_AES256GCM_SHA384_P384",
                HPKE(DHKEM_P384, HKDF_SHA384, AES256GCM),
                ECDSA_P384,
            ),
            # draft-ietf-mls-pq-ciphersuites-06 has no number for it yet; this one is
            # from the range for private use.
            _row(
                HYBRID_SUITE,
                "MLS_128_MLKEM768X25519_AES256GCM_SHA384_Ed25519",
                HPKE(XWING, HKDF_SHA384, AES256GCM),
                ED25519,
            ),
        )
    )
)
