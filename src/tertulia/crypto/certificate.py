"""Self-signed X.509 certificates for TLS (RFC 5280), with ECDSA P-256 keys.

Browsers refuse Ed25519 certificates, hence a second key beside a relay's identity. Who
pins an identity compares the hash of the SubjectPublicKeyInfo, which a certificate made
anew for the same key keeps. The library's X.509 part takes longer to load than
everything else together, so only the functions that need it load it.
"""

import contextlib
import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import TYPE_CHECKING

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)

from tertulia.crypto.errors import InvalidKeyError
from tertulia.crypto.nist_curve import P256
from tertulia.crypto.rng import Rng
from tertulia.crypto.secret import Secret
from tertulia.crypto.signature import ECDSA_P256

if TYPE_CHECKING:
    from cryptography import x509


@dataclass(frozen=True, slots=True)
class CertificateTerms:
    """For which host names and addresses a certificate is, from when until when."""

    names: tuple[str, ...]
    not_before: datetime
    not_after: datetime


def generate_certificate_key(rng: Rng) -> Secret:
    """Return a new P-256 key as PEM (PKCS #8)."""
    private = P256.load_private(ECDSA_P256.generate(rng).private)
    return Secret(
        private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    )


def public_key_hash(key: Secret) -> bytes:
    """Return the SHA-256 of the SubjectPublicKeyInfo that belongs to a PEM key.

    Raises InvalidKeyError.
    """
    public = _load(key).public_key()
    return sha256(
        public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    ).digest()


def certified_key_hash(certificate: bytes) -> bytes:
    """Return the SHA-256 of the SubjectPublicKeyInfo that a DER certificate is for.

    Read strictly: TLS takes looser encodings, in which two readers may see two keys.
    Raises InvalidKeyError.
    """
    from cryptography import x509  # noqa: PLC0415 -- slow to load
    from cryptography.exceptions import UnsupportedAlgorithm  # noqa: PLC0415

    try:
        public = x509.load_der_x509_certificate(certificate).public_key()
    except (ValueError, UnsupportedAlgorithm):
        raise InvalidKeyError("certificate", "it cannot be read") from None
    return sha256(
        public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    ).digest()


def make_certificate(key: Secret, terms: CertificateTerms, rng: Rng) -> bytes:
    """Return a self-signed certificate as PEM; raise InvalidKeyError."""
    from cryptography import x509  # noqa: PLC0415 -- slow to load, rarely needed
    from cryptography.x509.oid import (  # noqa: PLC0415
        ExtendedKeyUsageOID,
        NameOID,
    )

    private = _load(key)
    if not isinstance(private, ec.EllipticCurvePrivateKey):
        raise InvalidKeyError("certificate key", "it is not an ECDSA key")
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Tertulia relay")])
    return (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(private.public_key())
        .serial_number(1 + int.from_bytes(rng(19), "big"))
        .not_valid_before(terms.not_before)
        .not_valid_after(terms.not_after)
        .add_extension(
            x509.SubjectAlternativeName(_general_names(terms.names)), critical=False
        )
        # The relay signs nothing but itself: a browser that trusts it trusts no more.
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(
            x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False
        )
        .sign(private, hashes.SHA256())
        .public_bytes(Encoding.PEM)
    )


def read_certificate(pem: bytes) -> CertificateTerms:
    """Return the terms of the first certificate in `pem`; raise InvalidKeyError."""
    from cryptography import x509  # noqa: PLC0415 -- slow to load, rarely needed

    try:
        certificate = x509.load_pem_x509_certificate(pem)
    except ValueError:
        raise InvalidKeyError("certificate", "it cannot be read") from None
    names: tuple[str, ...] = ()
    with contextlib.suppress(x509.ExtensionNotFound):
        listed = certificate.extensions.get_extension_for_class(
            x509.SubjectAlternativeName
        ).value
        names = (
            *listed.get_values_for_type(x509.DNSName),
            *map(str, listed.get_values_for_type(x509.IPAddress)),
        )
    return CertificateTerms(
        names, certificate.not_valid_before_utc, certificate.not_valid_after_utc
    )


def _general_names(names: Sequence[str]) -> list["x509.GeneralName"]:
    from cryptography import x509  # noqa: PLC0415 -- slow to load, rarely needed

    general: list[x509.GeneralName] = []
    for name in names:
        try:
            general.append(x509.IPAddress(ipaddress.ip_address(name)))
        except ValueError:
            general.append(x509.DNSName(name))
    return general


def _load(key: Secret) -> ec.EllipticCurvePrivateKey:
    try:
        # Other kinds than ECDSA, in a certificate the operator brings, have the same
        # methods as far as they are called here.
        return load_pem_private_key(key.reveal(), None)  # type: ignore[return-value]
    except (ValueError, TypeError):
        raise InvalidKeyError("certificate key", "it cannot be read") from None
