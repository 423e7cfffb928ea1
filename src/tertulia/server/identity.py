"""Who a relay is: the Ed25519 key that clients pin, and the certificate TLS needs.

Both are made at the first start. The identity signs the hash of the certificate's key
in its hello, so a client that pins the identity needs no authority for the certificate.
"""

import ipaddress
import ssl
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Final

from tertulia.crypto import (
    ED25519,
    CertificateTerms,
    CryptoError,
    KeyPair,
    Rng,
    Secret,
    generate_certificate_key,
    make_certificate,
    public_key_hash,
)
from tertulia.server.errors import (
    BadCertificateError,
    FolderError,
    MissingIdentityError,
)
from tertulia.server.folder import DataFolder, read_secret_file, write_secret_file

# Clients pin the key, not the dates; a short life would only add a way to fail.
CERTIFICATE_LIFE: Final = timedelta(days=3650)
# A clock that is a little behind must not find the certificate "not yet valid".
CLOCK_ALLOWANCE: Final = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class TlsFiles:
    """A certificate, its key, and the hash of the key that the relay signs."""

    certificate: Path
    key: Path
    key_hash: bytes


def fingerprint(public: bytes) -> str:
    """Return how people and links name an identity: the SHA-256 of its key, in hex."""
    return sha256(public).hexdigest()


def load_identity(folder: DataFolder, rng: Rng) -> KeyPair:
    """Return the relay's identity, made at the first start; raise FolderError."""
    stored = read_secret_file(folder.identity_key)
    if stored is None:
        if folder.database.exists():
            raise MissingIdentityError(folder.identity_key)
        keys = ED25519.generate(rng)
        write_secret_file(
            folder.identity_key, keys.private.reveal().hex().encode() + b"\n"
        )
        return keys
    try:
        private = Secret(bytes.fromhex(stored.decode().strip()))
        return KeyPair(private, ED25519.public_key(private))
    except (ValueError, CryptoError):
        raise FolderError(folder.identity_key, "this is not an identity key") from None


def own_certificate(
    folder: DataFolder, names: tuple[str, ...], now: datetime, rng: Rng
) -> TlsFiles:
    """Return the self-signed certificate, made if it is missing; raise FolderError."""
    stored = read_secret_file(folder.certificate_key)
    key = generate_certificate_key(rng) if stored is None else Secret(stored)
    if stored is None:
        write_secret_file(folder.certificate_key, key.reveal())
    try:
        key_hash = public_key_hash(key)
        if not folder.certificate.exists():
            terms = CertificateTerms(
                names, now - CLOCK_ALLOWANCE, now + CERTIFICATE_LIFE
            )
            write_secret_file(folder.certificate, make_certificate(key, terms, rng))
    except CryptoError as error:
        raise FolderError(folder.certificate_key, str(error)) from error
    return TlsFiles(folder.certificate, folder.certificate_key, key_hash)


def given_certificate(certificate: Path, key: Path) -> TlsFiles:
    """Return the operator's certificate; raise BadCertificateError."""
    try:
        key_hash = public_key_hash(Secret(key.read_bytes()))
    except (OSError, CryptoError) as error:
        raise BadCertificateError(certificate, key, str(error)) from error
    return TlsFiles(certificate, key, key_hash)


def tls_context(files: TlsFiles) -> ssl.SSLContext:
    """Return what a listener needs; raise BadCertificateError.

    Every client that can show our pages or run our programs speaks TLS 1.3.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    context.set_alpn_protocols(["http/1.1"])
    context.options |= ssl.OP_NO_COMPRESSION
    try:
        context.load_cert_chain(files.certificate, files.key)
    except (OSError, ssl.SSLError) as error:
        raise BadCertificateError(files.certificate, files.key, str(error)) from error
    return context


def certificate_names(names: tuple[str, ...], addresses: list[str]) -> tuple[str, ...]:
    """Return what a new certificate names: where this relay may be reached."""
    wanted = ("localhost", "127.0.0.1", "::1", *names, *addresses)
    return tuple(dict.fromkeys(name for name in wanted if _fits(name)))


def _fits(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return name.isascii() and 0 < len(name) <= 253
    return True


def utc(milliseconds: int) -> datetime:
    """Return the relay's time as a date."""
    return datetime.fromtimestamp(milliseconds / 1000, UTC)
