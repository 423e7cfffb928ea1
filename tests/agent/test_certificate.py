import contextlib
import ssl
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tertulia.agent.certificate import certificate_key_hash
from tertulia.agent.errors import BadCertificateError
from tertulia.crypto import (
    CertificateTerms,
    generate_certificate_key,
    make_certificate,
    public_key_hash,
    system_rng,
)

KEY = generate_certificate_key(system_rng)
TERMS = CertificateTerms(
    ("relay.example", "127.0.0.1", *(f"name{number}" for number in range(40))),
    datetime(2026, 1, 1, tzinfo=UTC),
    datetime(2036, 1, 1, tzinfo=UTC),
)
CERTIFICATE = ssl.PEM_cert_to_DER_cert(
    make_certificate(KEY, TERMS, system_rng).decode()
)


def test_it_is_the_hash_that_the_relay_signs() -> None:
    assert certificate_key_hash(CERTIFICATE) == public_key_hash(KEY)


def test_a_certificate_without_a_version_is_read_too() -> None:
    # Version 1 has no version field: as if [0] were left out.
    def element(tag: int, content: bytes) -> bytes:
        return bytes([tag, len(content)]) + content

    fields = [element(0x02, b"\x01"), *(element(0x30, b"") for _ in range(4))]
    key = element(0x30, b"key")
    v1 = element(0x30, element(0x30, b"".join([*fields, key])))
    with_version = element(0xA0, b"\x02\x01\x02")
    v3 = element(0x30, element(0x30, b"".join([with_version, *fields, key])))
    assert certificate_key_hash(v1) == certificate_key_hash(v3)


@given(st.integers(0, len(CERTIFICATE) - 1))
def test_what_is_cut_off_is_no_certificate(length: int) -> None:
    with pytest.raises(BadCertificateError):
        certificate_key_hash(CERTIFICATE[:length])


@given(st.binary(max_size=80))
def test_any_bytes_give_a_hash_or_the_one_error(data: bytes) -> None:
    with contextlib.suppress(BadCertificateError):
        assert len(certificate_key_hash(data)) == 32
