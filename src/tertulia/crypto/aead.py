"""Authenticated encryption with associated data (RFC 5116).

Nonces are the caller's duty: under one key, never the same one twice.
"""

from collections.abc import Callable
from dataclasses import dataclass

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM, ChaCha20Poly1305

from tertulia.crypto.errors import DecryptionError, WrongSizeError
from tertulia.crypto.secret import Secret


@dataclass(frozen=True, slots=True)
class AEAD:
    """One AEAD; `id` is its number in RFC 9180, sizes are in bytes."""

    id: int
    key_size: int
    nonce_size: int
    tag_size: int
    _cipher: Callable[[bytes], AESGCM | ChaCha20Poly1305]

    def seal(self, key: Secret, nonce: bytes, aad: bytes, plaintext: bytes) -> bytes:
        """Return the ciphertext of `plaintext`, its tag at the end.

        Raises WrongSizeError for a key or nonce of another size.
        """
        return self._keyed(key, nonce).encrypt(nonce, plaintext, aad)

    def open(self, key: Secret, nonce: bytes, aad: bytes, ciphertext: bytes) -> bytes:
        """Return the plaintext of `ciphertext`.

        Raises DecryptionError if anything differs from what was sealed, and
        WrongSizeError for a key or nonce of another size.
        """
        try:
            return self._keyed(key, nonce).decrypt(nonce, ciphertext, aad)
        except InvalidTag:
            raise DecryptionError from None

    def _keyed(self, key: Secret, nonce: bytes) -> AESGCM | ChaCha20Poly1305:
        # AES-GCM would silently take keys and nonces of other sizes.
        if len(key) != self.key_size:
            raise WrongSizeError("key", len(key), self.key_size)
        if len(nonce) != self.nonce_size:
            raise WrongSizeError("nonce", len(nonce), self.nonce_size)
        return self._cipher(key.reveal())


AES128GCM = AEAD(0x0001, 16, 12, 16, AESGCM)
AES256GCM = AEAD(0x0002, 32, 12, 16, AESGCM)
CHACHA20POLY1305 = AEAD(0x0003, 32, 12, 16, ChaCha20Poly1305)
