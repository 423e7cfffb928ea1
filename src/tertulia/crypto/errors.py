"""What can go wrong in cryptography, by whose fault.

A `CryptoError` is the other side's: what it sent does not verify, open or parse. The
`UsageError`s here are our own caller's. None of them says more about a secret than
that it did not fit.
"""

from typing import ClassVar

from tertulia.errors import PeerError, UsageError


class CryptoError(PeerError):
    """Something received does not stand up to a cryptographic check."""

    code: ClassVar[str] = "crypto"


class DecryptionError(CryptoError):
    """A ciphertext does not open under this key, nonce and associated data."""

    code: ClassVar[str] = "decryption"
    sentence: ClassVar[str] = "the ciphertext is altered or meant for another key"


class SignatureError(CryptoError):
    """A signature is not by this key over this content."""

    code: ClassVar[str] = "signature"
    sentence: ClassVar[str] = "the signature is not by this key over this content"


class MacError(CryptoError):
    """An authentication tag is not by this key over this content."""

    code: ClassVar[str] = "mac"
    sentence: ClassVar[str] = "the tag is not by this key over this content"


class InvalidKeyError(CryptoError):
    """A public or private key is malformed, or one that gives no security."""

    code: ClassVar[str] = "invalid_key"
    sentence: ClassVar[str] = "the {what} cannot be used: {reason}"

    def __init__(self, what: str, reason: str) -> None:
        super().__init__(what, reason)
        self.what = what
        self.reason = reason


class UnsupportedSuiteError(UsageError):
    """No cipher suite with this number is implemented."""

    code: ClassVar[str] = "unsupported_suite"
    sentence: ClassVar[str] = "cipher suite {suite} is not supported"

    def __init__(self, suite: int) -> None:
        super().__init__(suite)
        self.suite = suite


class NoMlKemError(UsageError):
    """The library here was built with an OpenSSL older than 3.5."""

    code: ClassVar[str] = "no_ml_kem"
    sentence: ClassVar[str] = "the library `cryptography` here cannot do ML-KEM"


class WrongSizeError(UsageError):
    """A key or nonce for an AEAD does not have the one size it takes."""

    code: ClassVar[str] = "wrong_size"
    sentence: ClassVar[str] = "the {what} has {size} bytes instead of {expected}"

    def __init__(self, what: str, size: int, expected: int) -> None:
        super().__init__(what, size, expected)
        self.what = what
        self.size = size
        self.expected = expected


class OutputTooLongError(UsageError):
    """A key derivation function was asked for more bytes than it can give."""

    code: ClassVar[str] = "output_too_long"
    sentence: ClassVar[str] = "{length} bytes wanted, at most {limit} can be derived"

    def __init__(self, length: int, limit: int) -> None:
        super().__init__(length, limit)
        self.length = length
        self.limit = limit


class MessageLimitError(UsageError):
    """An HPKE context has used up its nonces."""

    code: ClassVar[str] = "message_limit"
    sentence: ClassVar[str] = "this encryption context has no nonce left"
