"""PrivateMessages with one thing wrong, made after RFC 9420 section 6.3 step by step."""

from collections.abc import Callable
from dataclasses import dataclass

from tertulia.codec import encode_opaque, uint8, uint32, uint64
from tertulia.crypto import Secret
from tertulia.mls import Group, PrivateMessage, encode_message
from tertulia.mls.framing import AuthenticatedContent, ContentType
from tertulia.mls.secret_tree import MessageKey, RatchetKind
from tools.mls_negative.cheating import as_it_is


@dataclass(frozen=True, slots=True)
class SealFlaw:
    """Where sealing goes wrong; each field changes what its name says."""

    plaintext: Callable[[bytes], bytes] = as_it_is
    content_aad: Callable[[bytes], bytes] = as_it_is
    sender_data_aad: Callable[[bytes], bytes] = as_it_is
    applied_guard: Callable[[bytes], bytes] = as_it_is
    sample: Callable[[bytes], bytes] = as_it_is
    sender_data: Callable[[bytes], bytes] = as_it_is
    leaf_index: Callable[[int], int] = as_it_is
    ciphertext: Callable[[bytes], bytes] = as_it_is
    encrypted_sender_data: Callable[[bytes], bytes] = as_it_is


NO_SEAL_FLAW = SealFlaw()
_GUARD = bytes.fromhex("a1b2c3d4")


def seal(
    group: Group,
    signed: AuthenticatedContent,
    flaw: SealFlaw = NO_SEAL_FLAW,
    skip: int = 0,
) -> bytes:
    """Return the group's next PrivateMessage, `skip` generations ahead."""
    suite, content = group.suite, signed.content
    key, generation = _message_key(group, content.content_type, skip)
    plaintext = bytearray()
    content.content.write(plaintext)
    signed.auth.write(plaintext)
    head = (
        encode_opaque(content.group_id)
        + uint64.encode(content.epoch)
        + uint8.encode(content.content_type)
    )
    ciphertext = suite.aead.seal(
        key.key,
        _guarded(key.nonce.reveal(), flaw.applied_guard(_GUARD)),
        flaw.content_aad(head + encode_opaque(content.authenticated_data)),
        flaw.plaintext(bytes(plaintext)),
    )
    sample = flaw.sample(ciphertext[: suite.kdf.size])
    secret = group.epoch.secrets.sender_data_secret

    def derive(label: str, length: int) -> Secret:
        return suite.expand_with_label(secret, label, sample, length)

    sender_data = uint32.encode(flaw.leaf_index(group.leaf_index))
    sender_data += uint32.encode(generation) + _GUARD
    encrypted_sender_data = suite.aead.seal(
        derive("key", suite.aead.key_size),
        derive("nonce", suite.aead.nonce_size).reveal(),
        flaw.sender_data_aad(head),
        flaw.sender_data(sender_data),
    )
    return encode_message(
        PrivateMessage(
            content.group_id,
            content.epoch,
            content.content_type,
            content.authenticated_data,
            flaw.encrypted_sender_data(encrypted_sender_data),
            flaw.ciphertext(ciphertext),
        )
    )


def _message_key(
    group: Group, content_type: ContentType, skip: int
) -> tuple[MessageKey, int]:
    kind = RatchetKind.HANDSHAKE
    if content_type is ContentType.APPLICATION:
        kind = RatchetKind.APPLICATION
    tree = group.traffic.secret_tree
    for _ in range(skip):
        tree, _, _ = tree.next_key(group.suite, group.leaf_index, kind)
    _, generation, key = tree.next_key(group.suite, group.leaf_index, kind)
    return key, generation


def _guarded(nonce: bytes, guard: bytes) -> bytes:
    mixed = bytes(left ^ right for left, right in zip(nonce, guard, strict=False))
    return mixed + nonce[len(guard) :]
