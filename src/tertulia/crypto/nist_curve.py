"""The curves P-256, P-384 and P-521: their keys, and Diffie-Hellman over them.

A private key is its scalar, big-endian; leading zeros may be missing, because encoders
of integers drop them. A public key is an uncompressed point. It is checked to lie on
the curve, and since the curves have prime order nothing else can be wrong with it.
"""

from dataclasses import dataclass
from typing import Final

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from tertulia.crypto.errors import InvalidKeyError
from tertulia.crypto.labeled_kdf import LabeledKDF
from tertulia.crypto.secret import Secret

_UNCOMPRESSED: Final = 0x04
_ECDH: Final = ec.ECDH()


@dataclass(frozen=True, slots=True)
class NistCurve:
    """One curve; `candidate_mask` cuts the first byte of a candidate to fit."""

    name: str
    private_size: int
    candidate_mask: int
    curve: ec.EllipticCurve

    @property
    def order(self) -> int:
        """The number of points, which is one more than the greatest private key."""
        return self.curve.group_order

    def derive_private(self, kdf: LabeledKDF, prk: bytes) -> Secret:
        """Return the first of the candidates that `prk` stands for to be a key.

        Raises InvalidKeyError if none of 256 is, which nobody will ever see.
        """
        for counter in range(256):
            candidate = bytearray(
                kdf.expand(prk, b"candidate", bytes([counter]), self.private_size)
            )
            candidate[0] &= self.candidate_mask
            if 0 < int.from_bytes(candidate, "big") < self.order:
                return Secret(bytes(candidate))
        raise self._invalid("private key", "none can be derived")

    def public_key(self, private: Secret) -> bytes:
        """Return the public key of `private`; raise InvalidKeyError."""
        return _public_bytes(self.load_private(private))

    def validate_public_key(self, public: bytes) -> None:
        """Raise InvalidKeyError unless `public` is an uncompressed point."""
        self.load_public(public)

    def agree(self, private: Secret, peer: bytes) -> tuple[bytes, bytes]:
        """Return what `private` shares with `peer`, and the public key of `private`.

        Raises InvalidKeyError.
        """
        ours, theirs = self.load_private(private), self.load_public(peer)
        return ours.exchange(_ECDH, theirs), _public_bytes(ours)

    def load_private(self, private: Secret) -> ec.EllipticCurvePrivateKey:
        """Return the library's key; raise InvalidKeyError."""
        if len(private) > self.private_size:
            raise self._invalid("private key", "its size is wrong")
        scalar = int.from_bytes(private.reveal(), "big")
        if not 0 < scalar < self.order:
            raise self._invalid("private key", "it is out of range")
        return ec.derive_private_key(scalar, self.curve)

    def load_public(self, public: bytes) -> ec.EllipticCurvePublicKey:
        """Return the library's key; raise InvalidKeyError."""
        # The library would take compressed points too, a second spelling of a key.
        if not public or public[0] != _UNCOMPRESSED:
            raise self._invalid("public key", "it is not an uncompressed point")
        try:
            return ec.EllipticCurvePublicKey.from_encoded_point(self.curve, public)
        except ValueError:
            raise self._invalid("public key", "it is not on the curve") from None

    def _invalid(self, part: str, reason: str) -> InvalidKeyError:
        return InvalidKeyError(f"{self.name} {part}", reason)


def _public_bytes(private: ec.EllipticCurvePrivateKey) -> bytes:
    return private.public_key().public_bytes(
        Encoding.X962, PublicFormat.UncompressedPoint
    )


P256 = NistCurve("P-256", 32, 0xFF, ec.SECP256R1())
P384 = NistCurve("P-384", 48, 0xFF, ec.SECP384R1())
P521 = NistCurve("P-521", 66, 0x01, ec.SECP521R1())
