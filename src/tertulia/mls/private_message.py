"""PrivateMessage: signed, then encrypted to the members (RFC 9420 section 6.3).

Opening goes in steps that can each fail: sender data, the sender's key of that
generation, the content, the padding. Only then is there content, still unverified: its
signature is for `framing.verify_signature` to check.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, TypeAlias

from tertulia.codec import (
    Enumerated,
    Opaque,
    Reader,
    Struct,
    encode_opaque,
    uint8,
    uint32,
    uint64,
)
from tertulia.crypto import CipherSuite, CryptoError, Rng, Secret
from tertulia.mls.errors import InvalidError, MisuseError
from tertulia.mls.framing import (
    CONTENT_TYPES,
    AuthenticatedContent,
    ContentType,
    FramedContent,
    FramedContentAuthData,
    MemberSender,
    WireFormat,
)
from tertulia.mls.limits import MAX_GROUP_ID, MAX_MESSAGE
from tertulia.mls.rules import Rule
from tertulia.mls.secret_tree import MessageKey, RatchetKind, SecretTree
from tertulia.mls.unverified import Unverified

REUSE_GUARD_SIZE = 4


@dataclass(frozen=True, slots=True)
class PrivateMessage(Struct):
    """A message of a member that only members can open."""

    group_id: Annotated[bytes, Opaque(MAX_GROUP_ID)]
    epoch: Annotated[int, uint64]
    content_type: Annotated[ContentType, Enumerated(1, ContentType)]
    authenticated_data: Annotated[bytes, Opaque(MAX_MESSAGE)]
    encrypted_sender_data: Annotated[bytes, Opaque(MAX_MESSAGE)]
    ciphertext: Annotated[bytes, Opaque(MAX_MESSAGE)]


@dataclass(frozen=True, slots=True)
class _SenderData(Struct):
    leaf_index: Annotated[int, uint32]
    generation: Annotated[int, uint32]
    reuse_guard: Annotated[int, uint32]


# How many zero bytes hide the size of a plaintext, or the rule that says it for a size.
Padding: TypeAlias = int | Callable[[int], int]


@dataclass(frozen=True, slots=True)
class PrivateMessageKeys:
    """What the members of an epoch encrypt messages with."""

    sender_data_secret: Secret
    secret_tree: SecretTree


def seal_private_message(
    suite: CipherSuite,
    keys: PrivateMessageKeys,
    signed: AuthenticatedContent,
    padding: Padding,
    rng: Rng,
) -> tuple[SecretTree, PrivateMessage]:
    """Return a member's signed content as a PrivateMessage, and the tree after it."""
    content = signed.content
    if signed.wire_format is not WireFormat.PRIVATE_MESSAGE:
        raise MisuseError("what is signed for another wire format is sent in that")
    if not isinstance(content.sender, MemberSender):
        raise MisuseError("only members send PrivateMessages")
    leaf_index = content.sender.leaf_index
    tree, generation, key = keys.secret_tree.next_key(
        suite, leaf_index, _ratchet_kind(content.content_type)
    )
    guard = rng(REUSE_GUARD_SIZE)
    plaintext = bytearray()
    content.content.write(plaintext)
    signed.auth.write(plaintext)
    plaintext += bytes(padding if isinstance(padding, int) else padding(len(plaintext)))
    head = _head(content.group_id, content.epoch, content.content_type)
    ciphertext = suite.aead.seal(
        key.key,
        _guarded(key.nonce, guard),
        head + encode_opaque(content.authenticated_data),
        bytes(plaintext),
    )
    sender_key = _sender_data_key(suite, keys.sender_data_secret, ciphertext)
    sender_data = _SenderData(leaf_index, generation, int.from_bytes(guard))
    encrypted_sender_data = suite.aead.seal(
        sender_key.key, sender_key.nonce.reveal(), head, sender_data.encode()
    )
    return tree, PrivateMessage(
        content.group_id,
        content.epoch,
        content.content_type,
        content.authenticated_data,
        encrypted_sender_data,
        ciphertext,
    )


def open_private_message(
    suite: CipherSuite, keys: PrivateMessageKeys, message: PrivateMessage
) -> tuple[SecretTree, Unverified[AuthenticatedContent]]:
    """Return what a PrivateMessage holds, and the tree without the key it took.

    Raises InvalidError, and CodecError if the plaintext is malformed.
    """
    head = _head(message.group_id, message.epoch, message.content_type)
    sender = _open_sender_data(suite, keys.sender_data_secret, message, head)
    if sender.leaf_index >= keys.secret_tree.leaf_count:
        raise InvalidError(Rule.SENDER_LEAF, f"no leaf {sender.leaf_index}")
    tree, key = keys.secret_tree.key_of(
        suite,
        sender.leaf_index,
        _ratchet_kind(message.content_type),
        sender.generation,
    )
    try:
        plaintext = suite.aead.open(
            key.key,
            _guarded(key.nonce, sender.reuse_guard.to_bytes(REUSE_GUARD_SIZE)),
            head + encode_opaque(message.authenticated_data),
            message.ciphertext,
        )
    except CryptoError as error:
        raise InvalidError(Rule.CIPHERTEXT, "the content does not open") from error
    return tree, Unverified(_parse(message, sender.leaf_index, plaintext))


def _parse(
    message: PrivateMessage, leaf_index: int, plaintext: bytes
) -> AuthenticatedContent:
    """Read `PrivateMessageContent`: content, proof, zero bytes."""
    source = Reader(plaintext)
    content = CONTENT_TYPES[message.content_type].read(source)
    auth = FramedContentAuthData.read(source, message.content_type)
    if any(source.rest()):
        raise InvalidError(Rule.PADDING)
    framed = FramedContent(
        message.group_id,
        message.epoch,
        MemberSender(leaf_index),
        message.authenticated_data,
        content,
    )
    return AuthenticatedContent(WireFormat.PRIVATE_MESSAGE, framed, auth)


def _open_sender_data(
    suite: CipherSuite, sender_data_secret: Secret, message: PrivateMessage, head: bytes
) -> _SenderData:
    key = _sender_data_key(suite, sender_data_secret, message.ciphertext)
    try:
        data = suite.aead.open(
            key.key, key.nonce.reveal(), head, message.encrypted_sender_data
        )
    except CryptoError as error:
        raise InvalidError(Rule.CIPHERTEXT, "the sender data does not open") from error
    return _SenderData.decode(data)


def _sender_data_key(
    suite: CipherSuite, sender_data_secret: Secret, ciphertext: bytes
) -> MessageKey:
    """Derive the sender data's key from a sample of the ciphertext (section 6.3.2)."""
    sample = ciphertext[: suite.kdf.size]

    def derive(label: str, length: int) -> Secret:
        return suite.expand_with_label(sender_data_secret, label, sample, length)

    return MessageKey(
        derive("key", suite.aead.key_size), derive("nonce", suite.aead.nonce_size)
    )


def _ratchet_kind(content_type: ContentType) -> RatchetKind:
    if content_type is ContentType.APPLICATION:
        return RatchetKind.APPLICATION
    return RatchetKind.HANDSHAKE


def _head(group_id: bytes, epoch: int, content_type: ContentType) -> bytes:
    """Return `SenderDataAAD`, with which `PrivateContentAAD` begins."""
    return encode_opaque(group_id) + uint64.encode(epoch) + uint8.encode(content_type)


def _guarded(nonce: Secret, guard: bytes) -> bytes:
    """Return the nonce with the reuse guard over its first bytes (section 6.3.1)."""
    whole = nonce.reveal()
    first = int.from_bytes(whole[:REUSE_GUARD_SIZE]) ^ int.from_bytes(guard)
    return first.to_bytes(REUSE_GUARD_SIZE) + whole[REUSE_GUARD_SIZE:]
