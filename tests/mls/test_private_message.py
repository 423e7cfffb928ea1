from collections.abc import Callable
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tertulia.codec import CodecError, encode_opaque
from tertulia.crypto import Secret
from tertulia.mls import (
    Commit,
    InvalidError,
    MemberSender,
    MisuseError,
    NewMemberCommit,
    PrivateMessage,
    Remove,
    Rule,
    Sender,
    WireFormat,
)
from tertulia.mls.framing import (
    ApplicationContent,
    AuthenticatedContent,
    CommitContent,
    Content,
    ContentType,
    FramedContent,
    ProposalContent,
    sign,
    with_confirmation_tag,
)
from tertulia.mls.private_message import (
    REUSE_GUARD_SIZE,
    PrivateMessageKeys,
    open_private_message,
    seal_private_message,
)
from tertulia.mls.secret_tree import RatchetKind, new_secret_tree
from tests.mls.world import (
    GROUP_ID,
    SUITE,
    context,
    identity,
    refused,
    seeded,
    unchanged,
)

ANA = identity("Ana").signature_key
KEYS = PrivateMessageKeys(
    Secret(b"sender data".ljust(32)),
    new_secret_tree(Secret(b"encryption".ljust(32)), 4),
)
LEAF_2 = MemberSender(2)
HELLO = ApplicationContent(b"hello")
CONTENTS: list[Content] = [
    HELLO,
    ProposalContent(Remove(3)),
    CommitContent(Commit((), None)),
]


def signed(content: Content = HELLO, sender: Sender = LEAF_2) -> AuthenticatedContent:
    framed = FramedContent(GROUP_ID, 0, sender, b"for all to read", content)
    whole = sign(SUITE, ANA.private, WireFormat.PRIVATE_MESSAGE, framed, context())
    is_commit = isinstance(content, CommitContent)
    return with_confirmation_tag(whole, b"tag") if is_commit else whole


def sealed(
    content: Content = HELLO, padding: int = 0, seed: str = "guard"
) -> PrivateMessage:
    return seal_private_message(SUITE, KEYS, signed(content), padding, seeded(seed))[1]


def opened(message: PrivateMessage) -> AuthenticatedContent:
    _, unverified = open_private_message(SUITE, KEYS, message)
    return unverified.take_for_checking()


def with_plaintext(plaintext: bytes) -> PrivateMessage:
    """Return a message of leaf 2 that holds these bytes, sealed as a member can."""
    guard = bytes(REUSE_GUARD_SIZE)
    _, generation, key = KEYS.secret_tree.next_key(SUITE, 2, RatchetKind.APPLICATION)
    head = encode_opaque(GROUP_ID) + bytes(8) + b"\1"
    ciphertext = SUITE.aead.seal(
        key.key, key.nonce.reveal(), head + encode_opaque(b""), plaintext
    )
    data = (2).to_bytes(4) + generation.to_bytes(4) + guard
    return with_sender_data(
        PrivateMessage(GROUP_ID, 0, ContentType.APPLICATION, b"", b"", ciphertext), data
    )


def with_sender_data(message: PrivateMessage, data: bytes) -> PrivateMessage:
    """Return the message with other sender data, as a member can make it."""
    sample = message.ciphertext[: SUITE.kdf.size]
    key = SUITE.expand_with_label(KEYS.sender_data_secret, "key", sample, 16)
    nonce = SUITE.expand_with_label(KEYS.sender_data_secret, "nonce", sample, 12)
    head = (
        encode_opaque(message.group_id)
        + message.epoch.to_bytes(8)
        + bytes((message.content_type,))
    )
    sealed = SUITE.aead.seal(key, nonce.reveal(), head, data)
    return replace(message, encrypted_sender_data=sealed)


@pytest.mark.parametrize("padding", [0, 1, 1000])
@pytest.mark.parametrize(
    "content", CONTENTS, ids=lambda content: type(content).__name__
)
def test_a_message_opens_to_what_was_sealed(content: Content, padding: int) -> None:
    message = PrivateMessage.decode(sealed(content, padding).encode())
    assert opened(message) == signed(content)


def test_group_epoch_kind_and_authenticated_data_stay_readable() -> None:
    message = sealed(CONTENTS[1])
    assert message.group_id == GROUP_ID
    assert message.epoch == 0
    assert message.content_type is ContentType.PROPOSAL
    assert message.authenticated_data == b"for all to read"


def test_padding_hides_the_size() -> None:
    def size(data: bytes, padding: int) -> int:
        return len(sealed(ApplicationContent(data), padding).ciphertext)

    assert size(b"x" * 10, 90) == size(b"x" * 40, 60) > size(b"x" * 40, 0)


def test_handshakes_and_application_data_take_keys_of_different_ratchets() -> None:
    tree, _ = open_private_message(SUITE, KEYS, sealed(CONTENTS[1]))
    assert tree.ratchets[2, RatchetKind.HANDSHAKE].generation == 1
    assert tree.ratchets[2, RatchetKind.APPLICATION].generation == 0
    tree, _ = open_private_message(SUITE, KEYS, sealed(HELLO))
    assert tree.ratchets[2, RatchetKind.HANDSHAKE].generation == 0
    assert tree.ratchets[2, RatchetKind.APPLICATION].generation == 1


def test_a_message_opens_once() -> None:
    message = sealed()
    tree, _ = open_private_message(SUITE, KEYS, message)
    with refused(Rule.GENERATION):
        open_private_message(SUITE, replace(KEYS, secret_tree=tree), message)


def test_sealing_and_opening_leave_the_keys_as_they_were() -> None:
    with unchanged(KEYS):
        opened(sealed())


def test_the_reuse_guard_keeps_a_restored_sender_from_using_a_nonce_twice() -> None:
    # The same key for the same content: only the guard differs.
    one, other = sealed(seed="one"), sealed(seed="other")
    assert one.ciphertext != other.ciphertext
    assert opened(one) == opened(other)
    assert sealed(seed="one") == one


def test_only_members_send_private_messages() -> None:
    outside = signed(CONTENTS[2], NewMemberCommit())
    with pytest.raises(MisuseError):
        seal_private_message(SUITE, KEYS, outside, 0, seeded("guard"))


def test_what_is_signed_to_travel_in_public_is_not_sealed() -> None:
    public = replace(signed(), wire_format=WireFormat.PUBLIC_MESSAGE)
    with pytest.raises(MisuseError):
        seal_private_message(SUITE, KEYS, public, 0, seeded("guard"))


@pytest.mark.parametrize(
    "forge",
    [
        lambda message: replace(message, group_id=b"other"),
        lambda message: replace(message, epoch=1),
        lambda message: replace(message, content_type=ContentType.COMMIT),
        lambda message: replace(message, authenticated_data=b"other"),
        lambda message: replace(message, encrypted_sender_data=b""),
        lambda message: replace(message, encrypted_sender_data=bytes(28)),
        lambda message: replace(message, ciphertext=b""),
        lambda message: replace(message, ciphertext=message.ciphertext + b"x"),
        lambda message: replace(message, ciphertext=message.ciphertext[:-1] + b"\0"),
        lambda message: replace(message, ciphertext=b"\0" + message.ciphertext[1:]),
    ],
)
def test_whatever_is_altered_the_message_does_not_open(
    forge: Callable[[PrivateMessage], PrivateMessage],
) -> None:
    forged = forge(sealed())
    assert forged != sealed()
    with refused(Rule.CIPHERTEXT):
        opened(forged)


def test_sender_data_moved_to_another_message_does_not_open() -> None:
    one, other = sealed(seed="one"), sealed(seed="other")
    with refused(Rule.CIPHERTEXT):
        opened(replace(one, encrypted_sender_data=other.encrypted_sender_data))


@pytest.mark.parametrize("leaf_index", [4, 2**32 - 1])
def test_a_sender_beyond_the_tree_is_refused(leaf_index: int) -> None:
    data = leaf_index.to_bytes(4) + bytes(8)
    with refused(Rule.SENDER_LEAF):
        opened(with_sender_data(sealed(), data))


def test_a_generation_far_ahead_is_refused() -> None:
    data = (2).to_bytes(4) + b"\xff" * 4 + bytes(4)
    with refused(Rule.GENERATION):
        opened(with_sender_data(sealed(), data))


@pytest.mark.parametrize("data", [b"", bytes(11), bytes(13)])
def test_malformed_sender_data_is_refused(data: bytes) -> None:
    with pytest.raises(CodecError):
        opened(with_sender_data(sealed(), data))


def test_padding_is_zero_bytes_only() -> None:
    content = b"\5hello" + encode_opaque(b"signature")
    assert opened(with_plaintext(content + bytes(9))).content.content == HELLO
    for padding in (b"\1", bytes(9) + b"\1", b"\1" + bytes(9)):
        with refused(Rule.PADDING):
            opened(with_plaintext(content + padding))


@given(st.binary(max_size=40))
def test_any_plaintext_is_content_or_refused(plaintext: bytes) -> None:
    try:
        whole = opened(with_plaintext(plaintext))
    except (CodecError, InvalidError):
        return
    assert isinstance(whole.content.content, ApplicationContent)
