"""X-Wing: ML-KEM-768 and X25519 as one KEM, safe while either of them is.

MLKEM768-X25519 of draft-ietf-hpke-pq-05, the X-Wing of draft-connolly-cfrg-xwing-kem-10
but for `derive_key_pair`. A private key is a seed of 32 bytes; a public key is that of
ML-KEM followed by that of X25519, and so is what carries a secret. The library expands
an ML-KEM seed as slowly as it encapsulates four times, hence private keys remember what
they expand to (`Secret.loaded`).

In one thing this is stricter than the draft: an X25519 part of low order is refused, in
keys and in what carries a secret, as RFC 9180, section 7.1.4, has it for DHKEM. Nobody
makes one by chance, and the draft is as safe without.

The library takes no randomness for ML-KEM's encapsulation: unlike elsewhere in this
package, `encap` gives other results each time, whatever `rng` gives. A library built with
an OpenSSL older than 3.5 has no ML-KEM at all: then all of it raises NoMlKemError.
"""

from dataclasses import dataclass
from hashlib import sha3_256, shake_256
from typing import Final

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.mlkem import (
    MLKEM768PrivateKey,
    MLKEM768PublicKey,
)

from tertulia.crypto.errors import InvalidKeyError, NoMlKemError
from tertulia.crypto.key_pair import KeyPair
from tertulia.crypto.montgomery import X25519, LoadedPrivateKey
from tertulia.crypto.rng import Rng
from tertulia.crypto.secret import Secret

_ID: Final = 0x647A
_LABEL: Final = b"\\.//^\\"
_SEED_SIZE: Final = 32
# FIPS 203, section 8, and what X25519 puts after it.
_MLKEM_SEED_SIZE: Final = 64
_MLKEM_PUBLIC_SIZE: Final = 1184
_MLKEM_CIPHERTEXT_SIZE: Final = 1088
_X25519_SIZE: Final = 32


@dataclass(frozen=True, slots=True)
class _Keys:
    """What a seed expands to, in the library's form."""

    mlkem: MLKEM768PrivateKey
    x25519: LoadedPrivateKey
    x25519_public: bytes


class XWing:
    """The hybrid KEM; bad keys raise InvalidKeyError."""

    __slots__ = ()

    @property
    def id(self) -> int:
        """Its number in the registry of RFC 9180, section 7.1."""
        return _ID

    @property
    def is_available(self) -> bool:
        """Whether the library here can do it."""
        try:
            _expand_seed(bytes(_SEED_SIZE))
        except NoMlKemError:
            return False
        return True

    def generate(self, rng: Rng) -> KeyPair:
        """Return a new key pair."""
        return _key_pair(Secret(rng(_SEED_SIZE)))

    def derive_key_pair(self, ikm: Secret) -> KeyPair:
        """Return the key pair that `ikm` stands for (draft-ietf-hpke-pq, section 4)."""
        seed = _labeled_derive(ikm.reveal(), b"DeriveKeyPair", _SEED_SIZE)
        return _key_pair(Secret(seed))

    def public_key(self, private: Secret) -> bytes:
        """Return the public key of `private`; raise InvalidKeyError."""
        return _public_bytes(_expand(private))

    def validate_public_key(self, public: bytes) -> None:
        """Raise InvalidKeyError if one of its parts is malformed or gives no security."""
        _load_mlkem_public(public)
        X25519.validate_public_key(public[_MLKEM_PUBLIC_SIZE:])

    def encap(self, public: bytes, rng: Rng) -> tuple[Secret, bytes]:
        """Return a fresh shared secret and what carries it to the owner of `public`.

        Raises InvalidKeyError.
        """
        mlkem_shared, mlkem_carrier = _load_mlkem_public(public).encapsulate()
        theirs = public[_MLKEM_PUBLIC_SIZE:]
        x25519_shared, ephemeral = X25519.agree(Secret(rng(_X25519_SIZE)), theirs)
        shared = _combine(mlkem_shared, x25519_shared, ephemeral, theirs)
        return shared, mlkem_carrier + ephemeral

    def decap(self, private: Secret, enc: bytes) -> Secret:
        """Return the shared secret that `enc` carries; raise InvalidKeyError.

        An `enc` for another key, or altered in its ML-KEM part, gives another secret.
        """
        keys = _expand(private)
        if len(enc) != _MLKEM_CIPHERTEXT_SIZE + _X25519_SIZE:
            raise _invalid("encapsulated key", "its size is wrong")
        ephemeral = enc[_MLKEM_CIPHERTEXT_SIZE:]
        mlkem_shared = keys.mlkem.decapsulate(enc[:_MLKEM_CIPHERTEXT_SIZE])
        x25519_shared = X25519.agree_loaded(keys.x25519, ephemeral)
        return _combine(mlkem_shared, x25519_shared, ephemeral, keys.x25519_public)


def _labeled_derive(ikm: bytes, label: bytes, length: int) -> bytes:
    """Return SHAKE256.LabeledDerive without context (draft-ietf-hpke-hpke, section 4)."""
    start = ikm + b"HPKE-v1" + b"KEM" + _ID.to_bytes(2, "big")
    labeled = len(label).to_bytes(2, "big") + label + length.to_bytes(2, "big")
    return shake_256(start + labeled).digest(length)


def _combine(
    mlkem_shared: bytes, x25519_shared: bytes, ephemeral: bytes, public: bytes
) -> Secret:
    """Return the secret of both; ML-KEM's carrier is bound by ML-KEM itself."""
    parts = mlkem_shared + x25519_shared + ephemeral + public + _LABEL
    return Secret(sha3_256(parts).digest())


def _key_pair(private: Secret) -> KeyPair:
    return KeyPair(private, _public_bytes(_expand(private)))


def _expand(private: Secret) -> _Keys:
    if len(private) != _SEED_SIZE:
        raise _invalid("private key", "its size is wrong")
    return private.loaded(_expand_seed)


def _expand_seed(seed: bytes) -> _Keys:
    expanded = shake_256(seed).digest(_MLKEM_SEED_SIZE + _X25519_SIZE)
    try:
        mlkem = MLKEM768PrivateKey.from_seed_bytes(expanded[:_MLKEM_SEED_SIZE])
    except UnsupportedAlgorithm:
        raise NoMlKemError from None
    x25519 = X25519.load_private(Secret(expanded[_MLKEM_SEED_SIZE:]))
    return _Keys(mlkem, x25519, x25519.public_key().public_bytes_raw())


def _public_bytes(keys: _Keys) -> bytes:
    return keys.mlkem.public_key().public_bytes_raw() + keys.x25519_public


def _load_mlkem_public(public: bytes) -> MLKEM768PublicKey:
    if len(public) != _MLKEM_PUBLIC_SIZE + _X25519_SIZE:
        raise _invalid("public key", "its size is wrong")
    try:
        return MLKEM768PublicKey.from_public_bytes(public[:_MLKEM_PUBLIC_SIZE])
    except UnsupportedAlgorithm:
        raise NoMlKemError from None
    except ValueError:
        # The modulus check of FIPS 203, section 7.2.
        raise _invalid("public key", "it is not in canonical form") from None


def _invalid(part: str, reason: str) -> InvalidKeyError:
    return InvalidKeyError(f"X-Wing {part}", reason)


XWING: Final = XWing()
