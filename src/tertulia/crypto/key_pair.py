"""A private key and the public key that belongs to it, as bytes."""

from dataclasses import dataclass

from tertulia.crypto.secret import Secret


@dataclass(frozen=True, slots=True)
class KeyPair:
    """Both halves of a key, in the form their scheme serialises them."""

    private: Secret
    public: bytes
