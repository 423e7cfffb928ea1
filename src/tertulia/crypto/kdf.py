"""Hash, HMAC and HKDF (RFC 5869) over one hash function.

Works on plain bytes: what is secret among them is known one floor up.
"""

import hashlib
import hmac
from dataclasses import dataclass

from tertulia.crypto.errors import OutputTooLongError


@dataclass(frozen=True, slots=True)
class KDF:
    """HKDF over one hash; `id` is its number in RFC 9180, `size` the RFC's Nh."""

    id: int
    hash_name: str
    size: int

    def hash(self, data: bytes) -> bytes:
        """Return the plain hash of `data`."""
        return hashlib.new(self.hash_name, data).digest()

    def mac(self, key: bytes, data: bytes) -> bytes:
        """Return the HMAC of `data` under `key`."""
        return hmac.digest(key, data, self.hash_name)

    def extract(self, salt: bytes, ikm: bytes) -> bytes:
        """Return a uniform key of `size` bytes from the keying material `ikm`."""
        return hmac.digest(salt, ikm, self.hash_name)

    def expand(self, prk: bytes, info: bytes, length: int) -> bytes:
        """Return `length` bytes bound to `info`.

        Raises OutputTooLongError past 255 blocks.
        """
        if length <= self.size:
            return hmac.digest(prk, info + b"\x01", self.hash_name)[:length]
        return self._expand_blocks(prk, info, length)

    def _expand_blocks(self, prk: bytes, info: bytes, length: int) -> bytes:
        limit = 255 * self.size
        if length > limit:
            raise OutputTooLongError(length, limit)
        output = block = b""
        for counter in range(1, -(-length // self.size) + 1):
            block = self.mac(prk, block + info + bytes([counter]))
            output += block
        return output[:length]


HKDF_SHA256 = KDF(0x0001, "sha256", 32)
HKDF_SHA384 = KDF(0x0002, "sha384", 48)
HKDF_SHA512 = KDF(0x0003, "sha512", 64)
