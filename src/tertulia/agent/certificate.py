"""Which key a TLS certificate is for: what a relay's identity signs (RFC 5280, 4.1).

The library's X.509 part takes longer to load than a whole client. All that is wanted
here is one field of a certificate that TLS has parsed already, so this walks to it.
"""

from hashlib import sha256
from typing import Final

from tertulia.agent.errors import BadCertificateError

_SEQUENCE: Final = 0x30
_VERSION: Final = 0xA0
# serialNumber, signature, issuer, validity, subject; then subjectPublicKeyInfo.
_FIELDS_BEFORE_KEY: Final = 5


def certificate_key_hash(certificate: bytes) -> bytes:
    """Return the SHA-256 of the SubjectPublicKeyInfo of a DER certificate.

    Raises BadCertificateError.
    """
    start, _end = _element(certificate, 0)  # Certificate
    position, end = _element(certificate, start)  # TBSCertificate
    if certificate[position : position + 1] == bytes([_VERSION]):
        position = _element(certificate, position)[1]
    for _field in range(_FIELDS_BEFORE_KEY):
        position = _element(certificate, position)[1]
    _start, after = _element(certificate, position)
    if certificate[position] != _SEQUENCE or after > end:
        raise BadCertificateError
    return sha256(certificate[position:after]).digest()


def _element(data: bytes, position: int) -> tuple[int, int]:
    """Return where the content of the element at `position` starts and ends."""
    if position + 2 > len(data):
        raise BadCertificateError
    length, start = data[position + 1], position + 2
    if length & 0x80:
        start += length & 0x7F
        length = int.from_bytes(data[position + 2 : start], "big")
    if start + length > len(data):
        raise BadCertificateError
    return start, start + length
