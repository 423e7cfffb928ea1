"""RFC 9420 vectors: PublicMessage and PrivateMessage, opened and made.

The group has two leaves; everything is sent by the second.
"""

from random import Random
from typing import NamedTuple

import pytest

from tertulia.codec import CodecError
from tertulia.mls.commit import Commit
from tertulia.mls.errors import InvalidError, MisuseError
from tertulia.mls.framing import (
    ApplicationContent,
    AuthenticatedContent,
    CommitContent,
    Content,
    FramedContent,
    MemberSender,
    ProposalContent,
    WireFormat,
    sign,
    verify_signature,
    with_confirmation_tag,
)
from tertulia.mls.group_context import GroupContext
from tertulia.mls.leaf_node import MLS10
from tertulia.mls.message import decode_message, encode_message
from tertulia.mls.private_message import (
    PrivateMessage,
    PrivateMessageKeys,
    open_private_message,
    seal_private_message,
)
from tertulia.mls.proposal import PROPOSAL
from tertulia.mls.public_message import (
    PublicMessage,
    _to_be_tagged,
    make_public_message,
    open_public_message,
)
from tertulia.mls.secret_tree import new_secret_tree
from tests.mls.vectors.cases import Case, every_case, octets, secret
from tests.mls.vectors.tally import Tally

pytestmark = every_case("message-protection")

SENDER = MemberSender(1)
PADDINGS = (0, 1, 200)


class Member(NamedTuple):
    """A member of the group that a case describes."""

    case: Case
    context: GroupContext
    keys: PrivateMessageKeys

    def open(self, message: PublicMessage | PrivateMessage) -> AuthenticatedContent:
        """Return what a message holds, verified."""
        suite = self.case.suite
        if isinstance(message, PublicMessage):
            opened = open_public_message(
                suite, secret(self.case.vector, "membership_key"), message, self.context
            )
        else:
            _, opened = open_private_message(suite, self.keys, message)
        key = octets(self.case.vector, "signature_pub")
        return verify_signature(suite, opened, key, self.context)

    def sign(self, wire_format: WireFormat, content: Content) -> AuthenticatedContent:
        """Return `content` as the sender of the case says it."""
        framed = FramedContent(
            self.context.group_id, self.context.epoch, SENDER, b"readable", content
        )
        key = secret(self.case.vector, "signature_priv")
        signed = sign(self.case.suite, key, wire_format, framed, self.context)
        if isinstance(content, CommitContent):
            tag = bytes(self.case.suite.kdf.size)
            return with_confirmation_tag(signed, tag)
        return signed

    def publish(self, signed: AuthenticatedContent) -> PublicMessage:
        """Return signed content as a PublicMessage."""
        key = secret(self.case.vector, "membership_key")
        return make_public_message(self.case.suite, key, signed, self.context)


@pytest.fixture
def member(case: Case) -> Member:
    vector = case.vector
    context = GroupContext(
        version=MLS10,
        cipher_suite=case.suite.id,
        group_id=octets(vector, "group_id"),
        epoch=vector["epoch"],
        tree_hash=octets(vector, "tree_hash"),
        confirmed_transcript_hash=octets(vector, "confirmed_transcript_hash"),
        extensions=(),
    )
    secret_tree = new_secret_tree(secret(vector, "encryption_secret"), 2)
    keys = PrivateMessageKeys(secret(vector, "sender_data_secret"), secret_tree)
    return Member(case, context, keys)


def _content(case: Case, kind: str) -> Content:
    data = octets(case.vector, kind)
    match kind:
        case "proposal":
            return ProposalContent(PROPOSAL.decode(data))
        case "commit":
            return CommitContent(Commit.decode(data))
        case _:
            return ApplicationContent(data)


def _message(case: Case, name: str) -> PublicMessage | PrivateMessage:
    message = decode_message(octets(case.vector, name))
    assert isinstance(message, PublicMessage | PrivateMessage)
    return message


@pytest.mark.parametrize(
    ("name", "wire_format"),
    [
        ("proposal_pub", WireFormat.PUBLIC_MESSAGE),
        ("proposal_priv", WireFormat.PRIVATE_MESSAGE),
        ("commit_pub", WireFormat.PUBLIC_MESSAGE),
        ("commit_priv", WireFormat.PRIVATE_MESSAGE),
        ("application_priv", WireFormat.PRIVATE_MESSAGE),
    ],
)
def test_given_messages_open(
    case: Case, member: Member, name: str, wire_format: WireFormat, tally: Tally
) -> None:
    message = _message(case, name)
    opened = member.open(message)
    tally.equal(opened.wire_format, wire_format)
    tally.equal(opened.content.sender, SENDER)
    tally.equal(opened.content.content, _content(case, name.split("_", maxsplit=1)[0]))
    tally.equal(encode_message(message), octets(case.vector, name))


@pytest.mark.parametrize(
    "name",
    ["proposal_pub", "proposal_priv", "commit_pub", "commit_priv", "application_priv"],
)
def test_altered_messages_are_refused(
    case: Case, member: Member, name: str, tally: Tally
) -> None:
    whole = octets(case.vector, name)
    # The first four bytes tell the version and the kind of message.
    for position in Random(1).sample(range(4, len(whole)), 25):
        altered = bytearray(whole)
        altered[position] ^= 1
        with tally.refuses(CodecError, InvalidError):
            message = decode_message(bytes(altered))
            assert isinstance(message, PublicMessage | PrivateMessage)
            member.open(message)


@pytest.mark.parametrize("kind", ["proposal", "commit"])
def test_public_messages_made_here_open(
    case: Case, member: Member, kind: str, tally: Tally
) -> None:
    content = _content(case, kind)
    signed = member.sign(WireFormat.PUBLIC_MESSAGE, content)
    tally.equal(member.open(member.publish(signed)), signed)


@pytest.mark.parametrize("padding", PADDINGS)
@pytest.mark.parametrize("kind", ["proposal", "commit", "application"])
def test_private_messages_made_here_open(
    case: Case, member: Member, kind: str, padding: int, tally: Tally
) -> None:
    signed = member.sign(WireFormat.PRIVATE_MESSAGE, _content(case, kind))
    tree, message = seal_private_message(
        case.suite, member.keys, signed, padding, Random(1).randbytes
    )
    tally.equal(member.open(message), signed)
    sent_all = member._replace(
        keys=PrivateMessageKeys(member.keys.sender_data_secret, tree)
    )
    with tally.refuses(InvalidError):
        sent_all.open(message)


def test_application_data_is_not_published(
    case: Case, member: Member, tally: Tally
) -> None:
    content = _content(case, "application")
    signed = member.sign(WireFormat.PUBLIC_MESSAGE, content)
    with tally.refuses(MisuseError):
        member.publish(signed)
    tag = case.suite.mac(
        secret(case.vector, "membership_key"), _to_be_tagged(signed, member.context)
    )
    with tally.refuses(InvalidError):
        member.open(PublicMessage(signed.content, signed.auth, tag))
