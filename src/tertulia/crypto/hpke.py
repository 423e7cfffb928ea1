"""Hybrid public key encryption in base mode (RFC 9180, sections 5 and 6).

One message a key is the usual case: `seal` and `open`. A `Context` encrypts several,
and exports secrets. It is a value: each use returns the context for the next message,
and going back to an older one would use a nonce twice.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Final

from tertulia.crypto.aead import AEAD
from tertulia.crypto.errors import MessageLimitError
from tertulia.crypto.kdf import KDF
from tertulia.crypto.kem import KEM
from tertulia.crypto.labeled_kdf import LabeledKDF
from tertulia.crypto.rng import Rng
from tertulia.crypto.secret import Secret

_BASE_MODE: Final = b"\x00"


@dataclass(frozen=True, slots=True)
class Context:
    """One direction of encryption: keys, and the number of the next message."""

    aead: AEAD
    kdf: LabeledKDF
    key: Secret
    base_nonce: bytes
    exporter_secret: Secret
    sequence: int = 0

    def seal(self, aad: bytes, plaintext: bytes) -> tuple["Context", bytes]:
        """Return the next context and the ciphertext; raise MessageLimitError."""
        ciphertext = self.aead.seal(self.key, self.nonce(), aad, plaintext)
        return self._next(), ciphertext

    def open(self, aad: bytes, ciphertext: bytes) -> tuple["Context", bytes]:
        """Return the next context and the plaintext.

        Raises DecryptionError and MessageLimitError.
        """
        plaintext = self.aead.open(self.key, self.nonce(), aad, ciphertext)
        return self._next(), plaintext

    def export(self, exporter_context: bytes, length: int) -> Secret:
        """Return a secret of `length` bytes bound to `exporter_context`.

        Raises OutputTooLongError.
        """
        exporter = self.exporter_secret.reveal()
        return Secret(self.kdf.expand(exporter, b"sec", exporter_context, length))

    def nonce(self) -> bytes:
        """Return the nonce of the next message; raise MessageLimitError."""
        size = self.aead.nonce_size
        # The last number would leave none for the context after it.
        if self.sequence >= (1 << 8 * size) - 1:
            raise MessageLimitError
        nonce = int.from_bytes(self.base_nonce, "big") ^ self.sequence
        return nonce.to_bytes(size, "big")

    def _next(self) -> "Context":
        return replace(self, sequence=self.sequence + 1)


class HPKE:
    """One combination of KEM, KDF and AEAD."""

    __slots__ = ("_kdf", "_psk_id_hash", "aead", "kdf", "kem")

    def __init__(self, kem: KEM, kdf: KDF, aead: AEAD) -> None:
        self.kem: Final = kem
        self.kdf: Final = kdf
        self.aead: Final = aead
        ids = (kem.id, kdf.id, aead.id)
        suite_id = b"HPKE" + b"".join(number.to_bytes(2, "big") for number in ids)
        self._kdf: Final = LabeledKDF(kdf, suite_id)
        self._psk_id_hash: Final = self._kdf.extract(b"", b"psk_id_hash", b"")

    def seal(
        self, public: bytes, info: bytes, aad: bytes, plaintext: bytes, rng: Rng
    ) -> tuple[bytes, bytes]:
        """Return the encapsulated key and the ciphertext of one message.

        Raises InvalidKeyError.
        """
        return self._seal(public, self._schedule_context(info), aad, plaintext, rng)

    def seal_each(
        self, info: bytes, aad: bytes, messages: Iterable[tuple[bytes, bytes]], rng: Rng
    ) -> list[tuple[bytes, bytes]]:
        """Return the same as `seal` for each pair of a public key and a plaintext.

        The `info` is hashed once. Raises InvalidKeyError.
        """
        schedule = self._schedule_context(info)
        return [
            self._seal(public, schedule, aad, plaintext, rng)
            for public, plaintext in messages
        ]

    def open(
        self, private: Secret, enc: bytes, info: bytes, aad: bytes, ciphertext: bytes
    ) -> bytes:
        """Return the plaintext of one message.

        Raises DecryptionError, and InvalidKeyError for a malformed `enc`.
        """
        secret = self._secret(self.kem.decap(private, enc))
        key, nonce = self._message_key(secret, self._schedule_context(info))
        return self.aead.open(key, nonce, aad, ciphertext)

    def send_export(
        self, public: bytes, info: bytes, exporter_context: bytes, length: int, rng: Rng
    ) -> tuple[bytes, Secret]:
        """Return the encapsulated key and a secret that its receiver can derive.

        Raises InvalidKeyError and OutputTooLongError.
        """
        enc, context = self.send_context(public, info, rng)
        return enc, context.export(exporter_context, length)

    def receive_export(
        self,
        private: Secret,
        enc: bytes,
        info: bytes,
        exporter_context: bytes,
        length: int,
    ) -> Secret:
        """Return the secret that the sender of `enc` derived.

        Raises InvalidKeyError and OutputTooLongError.
        """
        context = self.receive_context(private, enc, info)
        return context.export(exporter_context, length)

    def send_context(
        self, public: bytes, info: bytes, rng: Rng
    ) -> tuple[bytes, Context]:
        """Return the encapsulated key and a context to encrypt several messages with.

        Raises InvalidKeyError.
        """
        shared, enc = self.kem.encap(public, rng)
        return enc, self._context(shared, info)

    def receive_context(self, private: Secret, enc: bytes, info: bytes) -> Context:
        """Return the context of the sender of `enc`; raise InvalidKeyError."""
        return self._context(self.kem.decap(private, enc), info)

    def _context(self, shared: Secret, info: bytes) -> Context:
        secret, schedule = self._secret(shared), self._schedule_context(info)
        key, base_nonce = self._message_key(secret, schedule)
        exporter = self._kdf.expand(secret, b"exp", schedule, self.kdf.size)
        return Context(self.aead, self._kdf, key, base_nonce, Secret(exporter))

    def _seal(
        self, public: bytes, schedule: bytes, aad: bytes, plaintext: bytes, rng: Rng
    ) -> tuple[bytes, bytes]:
        shared, enc = self.kem.encap(public, rng)
        key, nonce = self._message_key(self._secret(shared), schedule)
        return enc, self.aead.seal(key, nonce, aad, plaintext)

    def _secret(self, shared: Secret) -> bytes:
        """Return `secret` of RFC 9180, section 5.1."""
        return self._kdf.extract(shared.reveal(), b"secret", b"")

    def _schedule_context(self, info: bytes) -> bytes:
        """Return `key_schedule_context` of RFC 9180, section 5.1."""
        info_hash = self._kdf.extract(b"", b"info_hash", info)
        return _BASE_MODE + self._psk_id_hash + info_hash

    def _message_key(self, secret: bytes, schedule: bytes) -> tuple[Secret, bytes]:
        key = self._kdf.expand(secret, b"key", schedule, self.aead.key_size)
        nonce = self._kdf.expand(secret, b"base_nonce", schedule, self.aead.nonce_size)
        return Secret(key), nonce
