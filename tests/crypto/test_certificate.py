import ssl
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from random import Random

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ed25519
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)

from tertulia.crypto import (
    CertificateTerms,
    InvalidKeyError,
    Secret,
    certified_key_hash,
    generate_certificate_key,
    make_certificate,
    public_key_hash,
    read_certificate,
    system_rng,
)

TERMS = CertificateTerms(
    ("chat.example", "192.0.2.7", "2001:db8::7"),
    datetime(2026, 1, 1, tzinfo=UTC),
    datetime(2036, 1, 1, tzinfo=UTC),
)


def test_a_certificate_says_what_it_was_made_for() -> None:
    rng = Random(1).randbytes
    key = generate_certificate_key(rng)
    assert read_certificate(make_certificate(key, TERMS, rng)) == TERMS


def test_a_certificate_and_its_key_serve_tls(tmp_path: Path) -> None:
    rng = Random(2).randbytes
    key = generate_certificate_key(rng)
    (tmp_path / "key").write_bytes(key.reveal())
    (tmp_path / "certificate").write_bytes(make_certificate(key, TERMS, rng))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "certificate", tmp_path / "key")


def test_the_key_hash_is_that_of_the_subject_public_key_info() -> None:
    rng = Random(3).randbytes
    key = generate_certificate_key(rng)
    certificate = x509.load_pem_x509_certificate(make_certificate(key, TERMS, rng))
    info = certificate.public_key().public_bytes(
        Encoding.DER, PublicFormat.SubjectPublicKeyInfo
    )
    assert public_key_hash(key) == sha256(info).digest()


def test_a_new_certificate_for_the_same_key_keeps_the_hash() -> None:
    rng = Random(4).randbytes
    key = generate_certificate_key(rng)
    first, second = (make_certificate(key, TERMS, rng) for _ in range(2))
    assert first != second
    keys = {
        x509.load_pem_x509_certificate(pem)
        .public_key()
        .public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        for pem in (first, second)
    }
    assert len(keys) == 1


def test_a_certificate_may_sign_nothing_else() -> None:
    rng = Random(5).randbytes
    pem = make_certificate(generate_certificate_key(rng), TERMS, rng)
    constraints = x509.load_pem_x509_certificate(pem).extensions
    assert not constraints.get_extension_for_class(x509.BasicConstraints).value.ca


def test_a_certificate_without_names_has_none() -> None:
    rng = Random(6).randbytes
    key = generate_certificate_key(rng)
    bare = CertificateTerms((), TERMS.not_before, TERMS.not_after)
    assert read_certificate(make_certificate(key, bare, rng)).names == ()


@pytest.mark.parametrize("pem", [b"", b"x", b"-----BEGIN CERTIFICATE-----\n"])
def test_what_cannot_be_read_is_said(pem: bytes) -> None:
    with pytest.raises(InvalidKeyError):
        read_certificate(pem)
    with pytest.raises(InvalidKeyError):
        public_key_hash(Secret(pem))


def test_browsers_refuse_ed25519_so_we_do() -> None:
    key = ed25519.Ed25519PrivateKey.generate().private_bytes(
        Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()
    )
    with pytest.raises(InvalidKeyError):
        make_certificate(Secret(key), TERMS, Random(7).randbytes)


def test_a_certificate_is_read_as_strictly_as_it_is_written() -> None:
    key = generate_certificate_key(system_rng)
    der = ssl.PEM_cert_to_DER_cert(make_certificate(key, TERMS, system_rng).decode())
    assert certified_key_hash(der) == public_key_hash(key)
    header = 4 if der[1] == 0x82 else 3
    for loose in (b"", der[:-1], b"\x30\x80" + der[header:] + b"\0\0", bytes(50)):
        with pytest.raises(InvalidKeyError):
            certified_key_hash(loose)
