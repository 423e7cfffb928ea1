from tertulia.crypto import (
    CryptoError,
    DecryptionError,
    InvalidKeyError,
    MacError,
    MessageLimitError,
    NoMlKemError,
    OutputTooLongError,
    SignatureError,
    UnsupportedSuiteError,
    WrongSizeError,
)
from tertulia.errors import PeerError, TertuliaError, UsageError

PEER_FAULTS: list[CryptoError] = [
    DecryptionError(),
    SignatureError(),
    MacError(),
    InvalidKeyError("X25519 public key", "its order is low"),
]
OWN_FAULTS: list[UsageError] = [
    UnsupportedSuiteError(9),
    NoMlKemError(),
    WrongSizeError("nonce", 8, 12),
    OutputTooLongError(70_000, 65_535),
    MessageLimitError(),
]
ALL: list[TertuliaError] = [*PEER_FAULTS, *OWN_FAULTS]


def test_what_was_received_is_the_peer_s_fault() -> None:
    assert all(isinstance(error, PeerError) for error in PEER_FAULTS)


def test_codes_are_all_different() -> None:
    assert len({error.code for error in [CryptoError(), *ALL]}) == len(ALL) + 1


def test_every_error_has_a_sentence_with_its_facts() -> None:
    assert [str(error) for error in ALL] == [
        "the ciphertext is altered or meant for another key",
        "the signature is not by this key over this content",
        "the tag is not by this key over this content",
        "the X25519 public key cannot be used: its order is low",
        "cipher suite 9 is not supported",
        "the library `cryptography` here cannot do ML-KEM",
        "the nonce has 8 bytes instead of 12",
        "70000 bytes wanted, at most 65535 can be derived",
        "this encryption context has no nonce left",
    ]


def test_facts_are_attributes() -> None:
    key = InvalidKeyError("P-256 public key", "it is not on the curve")
    assert (key.what, key.reason) == ("P-256 public key", "it is not on the curve")
    assert UnsupportedSuiteError(9).suite == 9
    size = WrongSizeError("nonce", 8, 12)
    assert (size.what, size.size, size.expected) == ("nonce", 8, 12)
    output = OutputTooLongError(2, 1)
    assert (output.length, output.limit) == (2, 1)
