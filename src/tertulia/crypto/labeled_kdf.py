"""LabeledExtract and LabeledExpand of RFC 9180, section 4.

Every derivation of a KEM, and every one of an HPKE suite, carries that party's id, so
that equal inputs in different places never give equal keys.
"""

from typing import Final

from tertulia.crypto.kdf import KDF


class LabeledKDF:
    """A KDF whose every use is bound to one `suite_id` and a label."""

    __slots__ = ("_kdf", "_prefix", "size")

    def __init__(self, kdf: KDF, suite_id: bytes) -> None:
        self._kdf: Final = kdf
        self._prefix: Final = b"HPKE-v1" + suite_id
        self.size: Final = kdf.size

    def extract(self, salt: bytes, label: bytes, ikm: bytes) -> bytes:
        """Return a uniform key of `size` bytes from `ikm`."""
        return self._kdf.extract(salt, self._prefix + label + ikm)

    def expand(self, prk: bytes, label: bytes, info: bytes, length: int) -> bytes:
        """Return `length` bytes bound to `label` and `info`.

        Raises OutputTooLongError past 255 blocks.
        """
        labeled_info = length.to_bytes(2, "big") + self._prefix + label + info
        return self._kdf.expand(prk, labeled_info, length)
