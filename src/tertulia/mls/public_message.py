"""PublicMessage: signed, readable by everybody (RFC 9420 section 6.2)."""

from dataclasses import dataclass

from tertulia.codec import Nested, Opaque, Reader
from tertulia.crypto import CipherSuite, CryptoError, Secret
from tertulia.mls.errors import InvalidError, MisuseError
from tertulia.mls.framing import (
    ApplicationContent,
    AuthenticatedContent,
    FramedContent,
    FramedContentAuthData,
    MemberSender,
    WireFormat,
    to_be_signed,
)
from tertulia.mls.group_context import GroupContext
from tertulia.mls.limits import MAX_DIGEST
from tertulia.mls.rules import Rule
from tertulia.mls.unverified import Unverified

_CONTENT = Nested(FramedContent)
_TAG = Opaque(MAX_DIGEST)


@dataclass(frozen=True, slots=True)
class PublicMessage:
    """Content, its proof and, from members, a tag that only members can make.

    Nothing in it is verified; `open_public_message` and then `framing.verify_signature`
    turn it into content to act on.
    """

    content: FramedContent
    auth: FramedContentAuthData
    membership_tag: bytes | None = None

    def write(self, out: bytearray) -> None:
        """Append the encoding to `out`."""
        self.content.write(out)
        self.auth.write(out)
        if self.membership_tag is not None:
            _TAG.write(self.membership_tag, out)

    @classmethod
    def read(cls, source: Reader) -> "PublicMessage":
        """Read a message; raise CodecError."""
        content = _CONTENT.read(source)
        auth = FramedContentAuthData.read(source, content.content_type)
        is_member = isinstance(content.sender, MemberSender)
        return cls(content, auth, _TAG.read(source) if is_member else None)


def make_public_message(
    suite: CipherSuite,
    membership_key: Secret,
    signed: AuthenticatedContent,
    context: GroupContext,
) -> PublicMessage:
    """Return signed content as a PublicMessage; raise MisuseError for applications."""
    if isinstance(signed.content.content, ApplicationContent):
        raise MisuseError("application data must be sent as a PrivateMessage")
    tag = None
    if isinstance(signed.content.sender, MemberSender):
        tag = suite.mac(membership_key, _to_be_tagged(signed, context))
    return PublicMessage(signed.content, signed.auth, tag)


def open_public_message(
    suite: CipherSuite,
    membership_key: Secret,
    message: PublicMessage,
    context: GroupContext,
) -> Unverified[AuthenticatedContent]:
    """Return the content once its membership tag is verified; raise InvalidError."""
    if isinstance(message.content.content, ApplicationContent):
        raise InvalidError(Rule.PUBLIC_APPLICATION)
    claimed = AuthenticatedContent(
        WireFormat.PUBLIC_MESSAGE, message.content, message.auth
    )
    if isinstance(message.content.sender, MemberSender):
        data = _to_be_tagged(claimed, context)
        try:
            suite.verify_mac(membership_key, data, message.membership_tag or b"")
        except CryptoError as error:
            raise InvalidError(Rule.MEMBERSHIP_TAG) from error
    return Unverified(claimed)


def _to_be_tagged(signed: AuthenticatedContent, context: GroupContext) -> bytes:
    """Return `AuthenticatedContentTBM`."""
    out = bytearray(to_be_signed(signed.wire_format, signed.content, context))
    signed.auth.write(out)
    return bytes(out)
