from collections.abc import Callable
from dataclasses import replace

import pytest

from tertulia.codec import CodecError, Reader, TruncatedError
from tertulia.crypto import Secret
from tertulia.mls import (
    ExternalSenderIndex,
    MemberSender,
    MisuseError,
    PublicMessage,
    Remove,
    Rule,
    Sender,
    WireFormat,
)
from tertulia.mls.framing import (
    ApplicationContent,
    AuthenticatedContent,
    Content,
    FramedContent,
    ProposalContent,
    sign,
)
from tertulia.mls.public_message import make_public_message, open_public_message
from tests.mls.world import GROUP_ID, SUITE, context, identity, refused

ANA = identity("Ana").signature_key
KEY = Secret(b"membership key".ljust(32))
MEMBER = MemberSender(0)
PROPOSAL = ProposalContent(Remove(3))


def signed(
    sender: Sender = MEMBER, content: Content = PROPOSAL
) -> AuthenticatedContent:
    framed = FramedContent(GROUP_ID, 0, sender, b"", content)
    return sign(SUITE, ANA.private, WireFormat.PUBLIC_MESSAGE, framed, context())


def message(sender: Sender = MEMBER) -> PublicMessage:
    return make_public_message(SUITE, KEY, signed(sender), context())


def opened(message: PublicMessage) -> AuthenticatedContent:
    unverified = open_public_message(SUITE, KEY, message, context())
    return unverified.take_for_checking()


def encoded(message: PublicMessage) -> bytes:
    out = bytearray()
    message.write(out)
    return bytes(out)


def test_a_members_message_carries_a_tag_of_section_6_2() -> None:
    data = bytearray(b"\0\1\0\1" + signed().content.encode() + context().encode())
    signed().auth.write(data)
    assert message().membership_tag == SUITE.mac(KEY, bytes(data))


def test_outsiders_cannot_make_a_tag_and_need_none() -> None:
    outside = message(ExternalSenderIndex(0))
    assert outside.membership_tag is None
    assert opened(outside) == signed(ExternalSenderIndex(0))


@pytest.mark.parametrize("sender", [MemberSender(0), ExternalSenderIndex(0)])
def test_a_message_is_read_as_it_was_written_and_opens(sender: Sender) -> None:
    source = Reader(encoded(message(sender)))
    read = PublicMessage.read(source)
    source.finish()
    assert read == message(sender)
    assert opened(read) == signed(sender)


def test_a_members_message_is_not_complete_without_its_tag() -> None:
    with pytest.raises(TruncatedError):
        PublicMessage.read(Reader(encoded(replace(message(), membership_tag=None))))


def test_every_cut_is_noticed() -> None:
    whole = encoded(message())
    for size in range(len(whole)):
        with pytest.raises(CodecError):
            PublicMessage.read(Reader(whole[:size]))


@pytest.mark.parametrize(
    "forge",
    [
        lambda message: replace(message, membership_tag=bytes(32)),
        lambda message: replace(message, membership_tag=b""),
        lambda message: replace(message, membership_tag=None),
        lambda message: replace(
            message, content=replace(message.content, authenticated_data=b"x")
        ),
        lambda message: replace(message, auth=replace(message.auth, signature=b"x")),
    ],
    ids=["zeros", "empty", "none", "content", "signature"],
)
def test_whatever_is_altered_the_tag_shows_it(
    forge: Callable[[PublicMessage], PublicMessage],
) -> None:
    with refused(Rule.MEMBERSHIP_TAG):
        opened(forge(message()))


def test_the_tag_is_that_of_one_epoch() -> None:
    with refused(Rule.MEMBERSHIP_TAG):
        open_public_message(SUITE, KEY, message(), context(1))
    with refused(Rule.MEMBERSHIP_TAG):
        open_public_message(SUITE, Secret(bytes(32)), message(), context())


def test_application_data_never_travels_in_public() -> None:
    application = signed(content=ApplicationContent(b"secret"))
    with pytest.raises(MisuseError):
        make_public_message(SUITE, KEY, application, context())
    with refused(Rule.PUBLIC_APPLICATION):
        opened(PublicMessage(application.content, application.auth, bytes(32)))
