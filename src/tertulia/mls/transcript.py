"""Transcript hashes: every commit since the group began (RFC 9420 section 8.2)."""

from tertulia.codec import encode_opaque, uint16
from tertulia.crypto import CipherSuite, CryptoError, Secret
from tertulia.mls.errors import InvalidError
from tertulia.mls.framing import AuthenticatedContent
from tertulia.mls.rules import Rule


def confirmed_transcript_hash(
    suite: CipherSuite, interim: bytes, commit: AuthenticatedContent
) -> bytes:
    """Return the hash over all commits up to this one, without its tag."""
    out = bytearray(interim)
    out += uint16.encode(commit.wire_format)
    commit.content.write(out)
    out += encode_opaque(commit.auth.signature)
    return suite.hash(bytes(out))


def interim_transcript_hash(
    suite: CipherSuite, confirmed: bytes, confirmation_tag: bytes
) -> bytes:
    """Return the hash over all commits with their tags."""
    return suite.hash(confirmed + encode_opaque(confirmation_tag))


def confirmation_tag(
    suite: CipherSuite, confirmation_key: Secret, confirmed: bytes
) -> bytes:
    """Return the tag that proves a commit's sender derived the new epoch (6.1)."""
    return suite.mac(confirmation_key, confirmed)


def check_confirmation_tag(
    suite: CipherSuite, confirmation_key: Secret, confirmed: bytes, tag: bytes
) -> None:
    """Raise InvalidError unless `tag` is the confirmation tag (section 6.1)."""
    try:
        suite.verify_mac(confirmation_key, confirmed, tag)
    except CryptoError as error:
        raise InvalidError(Rule.CONFIRMATION_TAG) from error
