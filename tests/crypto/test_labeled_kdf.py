import pytest

from tertulia.crypto import HKDF_SHA256, OutputTooLongError
from tertulia.crypto.labeled_kdf import LabeledKDF

KEY = bytes(range(32))
BOUND = LabeledKDF(HKDF_SHA256, b"KEM\x00\x20")


def test_extract_puts_version_suite_and_label_before_the_input() -> None:
    assert BOUND.extract(b"salt", b"label", b"ikm") == HKDF_SHA256.extract(
        b"salt", b"HPKE-v1KEM\x00\x20labelikm"
    )


def test_expand_puts_length_version_suite_and_label_before_the_info() -> None:
    assert BOUND.expand(KEY, b"label", b"info", 300) == HKDF_SHA256.expand(
        KEY, b"\x01\x2cHPKE-v1KEM\x00\x20labelinfo", 300
    )


def test_the_length_is_part_of_what_is_bound() -> None:
    longer = BOUND.expand(KEY, b"label", b"", 32)
    assert not longer.startswith(BOUND.expand(KEY, b"label", b"", 16))


def test_knows_the_size_of_its_keys() -> None:
    assert BOUND.size == len(BOUND.extract(b"", b"label", b"")) == 32


def test_has_the_limit_of_its_kdf() -> None:
    with pytest.raises(OutputTooLongError):
        BOUND.expand(KEY, b"label", b"", 255 * 32 + 1)
