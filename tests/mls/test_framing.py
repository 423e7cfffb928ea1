from collections.abc import Callable
from dataclasses import replace
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tertulia.codec import CodecError, Reader, encode_opaque
from tertulia.mls import (
    Commit,
    ExternalSenderIndex,
    MemberSender,
    MisuseError,
    NewMemberCommit,
    NewMemberProposal,
    Remove,
    Rule,
    Sender,
    Unverified,
    WireFormat,
)
from tertulia.mls.framing import (
    CONTENT_TYPES,
    ApplicationContent,
    AuthenticatedContent,
    CommitContent,
    Content,
    ContentType,
    FramedContent,
    FramedContentAuthData,
    ProposalContent,
    sign,
    to_be_signed,
    verify_signature,
    with_confirmation_tag,
)
from tests.mls.world import GROUP_ID, SUITE, context, identity, refused

ANA = identity("Ana").signature_key
HELLO = ApplicationContent(b"hello")
CONTENTS: list[Content] = [
    HELLO,
    ProposalContent(Remove(3)),
    CommitContent(Commit((), None)),
]
SENDERS: list[Sender] = [
    MemberSender(2),
    ExternalSenderIndex(1),
    NewMemberProposal(),
    NewMemberCommit(),
]


def framed(content: Content = HELLO, sender: Sender = SENDERS[0]) -> FramedContent:
    return FramedContent(GROUP_ID, 5, sender, b"for all to read", content)


def signed(content: FramedContent) -> AuthenticatedContent:
    return sign(SUITE, ANA.private, WireFormat.PUBLIC_MESSAGE, content, context(5))


def test_the_fields_of_section_6_in_their_order() -> None:
    assert framed().encode() == (
        encode_opaque(GROUP_ID)
        + bytes(7) + b"\5"
        + b"\1" b"\0\0\0\2"
        + encode_opaque(b"for all to read")
        + b"\1" b"\5hello"
    )  # fmt: skip


@pytest.mark.parametrize("sender", SENDERS)
@pytest.mark.parametrize("content", CONTENTS)
def test_content_is_read_as_it_was_written(content: Content, sender: Sender) -> None:
    whole = framed(content, sender)
    assert FramedContent.decode(whole.encode()) == whole


@given(st.binary(max_size=60))
def test_any_bytes_are_content_or_a_codec_error(data: bytes) -> None:
    head = encode_opaque(GROUP_ID) + bytes(8)
    for candidate in (data, head + data):
        try:
            whole = FramedContent.decode(candidate)
        except CodecError:
            continue
        assert whole.encode() == candidate


def test_the_type_of_content_is_the_one_it_is_encoded_under() -> None:
    assert [framed(content).content_type for content in CONTENTS] == [
        ContentType.APPLICATION,
        ContentType.PROPOSAL,
        ContentType.COMMIT,
    ]
    assert set(CONTENT_TYPES.values()) == set(get_args(Content))


@pytest.mark.parametrize("content_type", ContentType)
def test_only_commits_have_a_confirmation_tag(content_type: ContentType) -> None:
    is_commit = content_type is ContentType.COMMIT
    auth = FramedContentAuthData(b"signature", b"tag" if is_commit else None)
    out = bytearray()
    auth.write(out)
    assert out == b"\x09signature" + (b"\3tag" if is_commit else b"")
    source = Reader(bytes(out))
    assert FramedContentAuthData.read(source, content_type) == auth
    source.finish()


@pytest.mark.parametrize("sender", SENDERS)
def test_members_and_joiners_sign_the_context_too(sender: Sender) -> None:
    data = to_be_signed(WireFormat.PUBLIC_MESSAGE, framed(sender=sender), context(5))
    # Version, wire format, content; and for these two the GroupContext.
    plain = b"\0\1\0\1" + framed(sender=sender).encode()
    if isinstance(sender, MemberSender | NewMemberCommit):
        assert data == plain + context(5).encode()
    else:
        assert data == plain


@pytest.mark.parametrize("sender", SENDERS)
def test_only_outsiders_who_propose_can_sign_without_the_context(
    sender: Sender,
) -> None:
    content = framed(CONTENTS[1], sender)
    if isinstance(sender, MemberSender | NewMemberCommit):
        with pytest.raises(MisuseError):
            sign(SUITE, ANA.private, WireFormat.PUBLIC_MESSAGE, content)
    else:
        assert sign(SUITE, ANA.private, WireFormat.PUBLIC_MESSAGE, content) == signed(
            content
        )


@pytest.mark.parametrize("sender", SENDERS)
def test_what_was_signed_verifies(sender: Sender) -> None:
    whole = signed(framed(sender=sender))
    assert whole.auth.confirmation_tag is None
    assert verify_signature(SUITE, Unverified(whole), ANA.public, context(5)) == whole


@pytest.mark.parametrize(
    "forge",
    [
        lambda whole: replace(whole, wire_format=WireFormat.PRIVATE_MESSAGE),
        lambda whole: replace(whole, content=replace(whole.content, epoch=6)),
        lambda whole: replace(whole, content=replace(whole.content, group_id=b"")),
        lambda whole: replace(
            whole, content=replace(whole.content, authenticated_data=b"")
        ),
        lambda whole: replace(
            whole, content=replace(whole.content, sender=MemberSender(3))
        ),
        lambda whole: replace(
            whole, content=replace(whole.content, content=ApplicationContent(b""))
        ),
        lambda whole: replace(whole, auth=FramedContentAuthData(b"")),
        lambda whole: replace(whole, auth=FramedContentAuthData(bytes(64))),
    ],
)
def test_whatever_is_altered_the_signature_shows_it(
    forge: Callable[[AuthenticatedContent], AuthenticatedContent],
) -> None:
    forged = Unverified(forge(signed(framed())))
    with refused(Rule.SIGNATURE):
        verify_signature(SUITE, forged, ANA.public, context(5))


def test_a_signature_counts_for_one_key_and_one_state_of_the_group() -> None:
    whole = Unverified(signed(framed()))
    with refused(Rule.SIGNATURE):
        verify_signature(SUITE, whole, identity("Eva").signature_key.public, context(5))
    with refused(Rule.SIGNATURE):
        verify_signature(SUITE, whole, b"no key", context(5))
    with refused(Rule.SIGNATURE):
        verify_signature(SUITE, whole, ANA.public, context(6))


def test_the_confirmation_tag_is_not_signed_for_it_comes_after() -> None:
    whole = with_confirmation_tag(signed(framed(CONTENTS[2])), b"tag")
    assert whole.auth.confirmation_tag == b"tag"
    verify_signature(SUITE, Unverified(whole), ANA.public, context(5))


def test_a_proposal_is_referred_to_by_the_hash_of_its_message() -> None:
    proposed = signed(framed(CONTENTS[1]))
    encoded = (
        b"\0\1" + proposed.content.encode() + encode_opaque(proposed.auth.signature)
    )
    assert proposed.encode() == encoded
    assert proposed.proposal_ref(SUITE) == SUITE.ref_hash(
        "MLS 1.0 Proposal Reference", encoded
    )
