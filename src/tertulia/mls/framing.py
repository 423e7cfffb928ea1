"""What MLS messages are made of (RFC 9420 section 6).

`FramedContent` is what somebody says, `AuthenticatedContent` adds the signature and,
for commits, the confirmation tag. How it travels is in `public_message` and
`private_message`. Everything here is unverified until `verify_signature` has seen it.
"""

from dataclasses import dataclass, replace
from enum import IntEnum
from typing import Annotated, TypeAlias, assert_never

from tertulia.codec import (
    Codec,
    Nested,
    Opaque,
    Reader,
    Struct,
    Variant,
    uint8,
    uint16,
    uint32,
    uint64,
)
from tertulia.crypto import CipherSuite, CryptoError, Secret
from tertulia.mls.commit import Commit
from tertulia.mls.errors import InvalidError, MisuseError
from tertulia.mls.group_context import GroupContext
from tertulia.mls.leaf_node import MLS10
from tertulia.mls.limits import (
    MAX_DIGEST,
    MAX_GROUP_ID,
    MAX_MESSAGE,
    MAX_SIGNATURE,
)
from tertulia.mls.proposal import PROPOSAL, Proposal
from tertulia.mls.rules import Rule
from tertulia.mls.unverified import Unverified

_LABEL = "FramedContentTBS"
_REFERENCE_LABEL = "MLS 1.0 Proposal Reference"


class WireFormat(IntEnum):
    """Section 17.2."""

    PUBLIC_MESSAGE = 1
    PRIVATE_MESSAGE = 2
    WELCOME = 3
    GROUP_INFO = 4
    KEY_PACKAGE = 5


class ContentType(IntEnum):
    """Section 6."""

    APPLICATION = 1
    PROPOSAL = 2
    COMMIT = 3


class SenderType(IntEnum):
    """Section 6."""

    MEMBER = 1
    EXTERNAL = 2
    NEW_MEMBER_PROPOSAL = 3
    NEW_MEMBER_COMMIT = 4


@dataclass(frozen=True, slots=True)
class MemberSender(Struct):
    """The member at a leaf."""

    leaf_index: Annotated[int, uint32]


@dataclass(frozen=True, slots=True)
class ExternalSenderIndex(Struct):
    """One of the group's external senders, by its place in that extension."""

    sender_index: Annotated[int, uint32]


@dataclass(frozen=True, slots=True)
class NewMemberProposal(Struct):
    """Somebody who proposes to be added."""


@dataclass(frozen=True, slots=True)
class NewMemberCommit(Struct):
    """Somebody who joins by an external commit."""


Sender: TypeAlias = (
    MemberSender | ExternalSenderIndex | NewMemberProposal | NewMemberCommit
)

SENDER: Codec[Sender] = Variant(
    uint8,
    {
        SenderType.MEMBER: (MemberSender, Nested(MemberSender)),
        SenderType.EXTERNAL: (ExternalSenderIndex, Nested(ExternalSenderIndex)),
        SenderType.NEW_MEMBER_PROPOSAL: (NewMemberProposal, Nested(NewMemberProposal)),
        SenderType.NEW_MEMBER_COMMIT: (NewMemberCommit, Nested(NewMemberCommit)),
    },
)


@dataclass(frozen=True, slots=True)
class ApplicationContent(Struct):
    """What the application says."""

    data: Annotated[bytes, Opaque(MAX_MESSAGE)]


@dataclass(frozen=True, slots=True)
class ProposalContent(Struct):
    """A proposal, to be committed later."""

    proposal: Annotated[Proposal, PROPOSAL]


@dataclass(frozen=True, slots=True)
class CommitContent(Struct):
    """A commit, which starts the next epoch."""

    commit: Commit


Content: TypeAlias = ApplicationContent | ProposalContent | CommitContent

CONTENT_TYPES: dict[ContentType, type[Content]] = {
    ContentType.APPLICATION: ApplicationContent,
    ContentType.PROPOSAL: ProposalContent,
    ContentType.COMMIT: CommitContent,
}

_CONTENT: Codec[Content] = Variant(
    uint8, {number: (kind, Nested(kind)) for number, kind in CONTENT_TYPES.items()}
)


@dataclass(frozen=True, slots=True)
class FramedContent(Struct):
    """Who says what, in which group and epoch."""

    group_id: Annotated[bytes, Opaque(MAX_GROUP_ID)]
    epoch: Annotated[int, uint64]
    sender: Annotated[Sender, SENDER]
    authenticated_data: Annotated[bytes, Opaque(MAX_MESSAGE)]
    content: Annotated[Content, _CONTENT]

    @property
    def content_type(self) -> ContentType:
        """The type under which the content is encoded."""
        match self.content:
            case ApplicationContent():
                return ContentType.APPLICATION
            case ProposalContent():
                return ContentType.PROPOSAL
            case CommitContent():
                return ContentType.COMMIT
            case _:
                assert_never(self.content)


@dataclass(frozen=True, slots=True)
class FramedContentAuthData:
    """The signature, and the confirmation tag that only commits have.

    Whether there is a tag is not encoded: the content tells.
    """

    signature: bytes
    confirmation_tag: bytes | None = None

    def write(self, out: bytearray) -> None:
        """Append the encoding to `out`."""
        _SIGNATURE.write(self.signature, out)
        if self.confirmation_tag is not None:
            _TAG.write(self.confirmation_tag, out)

    @classmethod
    def read(cls, source: Reader, content_type: ContentType) -> "FramedContentAuthData":
        """Read what goes with content of this type."""
        signature = _SIGNATURE.read(source)
        is_commit = content_type is ContentType.COMMIT
        return cls(signature, _TAG.read(source) if is_commit else None)


_SIGNATURE = Opaque(MAX_SIGNATURE)
_TAG = Opaque(MAX_DIGEST)


@dataclass(frozen=True, slots=True)
class AuthenticatedContent:
    """Content with its proof, and the way it travels, which the proof covers."""

    wire_format: WireFormat
    content: FramedContent
    auth: FramedContentAuthData

    def encode(self) -> bytes:
        """Return the encoding, over which proposals are referred to."""
        out = bytearray(uint16.encode(self.wire_format))
        self.content.write(out)
        self.auth.write(out)
        return bytes(out)

    def proposal_ref(self, suite: CipherSuite) -> bytes:
        """Return the ProposalRef (section 5.2) of this proposal."""
        return suite.ref_hash(_REFERENCE_LABEL, self.encode())


def to_be_signed(
    wire_format: WireFormat, content: FramedContent, context: GroupContext | None
) -> bytes:
    """Return `FramedContentTBS` (section 6.1); raise MisuseError without a context.

    Outsiders who propose need no context, for they do not know it.
    """
    out = bytearray(uint16.encode(MLS10) + uint16.encode(wire_format))
    content.write(out)
    if isinstance(content.sender, MemberSender | NewMemberCommit):
        if context is None:
            raise MisuseError("members and joiners sign the GroupContext, too")
        context.write(out)
    return bytes(out)


def sign(
    suite: CipherSuite,
    key: Secret,
    wire_format: WireFormat,
    content: FramedContent,
    context: GroupContext | None = None,
) -> AuthenticatedContent:
    """Return `content` signed by `key`, yet without a confirmation tag."""
    data = to_be_signed(wire_format, content, context)
    signature = suite.sign_with_label(key, _LABEL, data)
    return AuthenticatedContent(wire_format, content, FramedContentAuthData(signature))


def with_confirmation_tag(
    signed: AuthenticatedContent, tag: bytes
) -> AuthenticatedContent:
    """Return a signed commit with its confirmation tag."""
    return replace(signed, auth=replace(signed.auth, confirmation_tag=tag))


def verify_signature(
    suite: CipherSuite,
    unverified: Unverified[AuthenticatedContent],
    key: bytes,
    context: GroupContext,
) -> AuthenticatedContent:
    """Return the content if it is signed by `key`; raise InvalidError."""
    claimed = unverified.take_for_checking()
    data = to_be_signed(claimed.wire_format, claimed.content, context)
    try:
        suite.verify_with_label(key, _LABEL, data, claimed.auth.signature)
    except CryptoError as error:
        raise InvalidError(Rule.SIGNATURE, str(error)) from error
    return claimed
