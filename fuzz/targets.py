"""What the fuzz targets do with their input; runs without atheris, too.

A target takes bytes and returns if the engine behaved: it took them, or it refused them
with a documented error. Anything else it lets through.
"""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from typing import Any

from fuzz.room import ANYONE, SUITE, Room, new_room, seeded_rng
from tertulia.codec import CodecError, Reader, Struct
from tertulia.crypto import Secret
from tertulia.mls import (
    MLS10,
    Add,
    ByValue,
    Commit,
    Extension,
    ExtensionType,
    GroupContext,
    GroupInfo,
    InvalidError,
    KeyPackage,
    LeafNode,
    MemberSender,
    NewMemberCommit,
    OutOfStepError,
    PrivateMessage,
    Proposal,
    PublicMessage,
    RatchetTree,
    UnknownPskError,
    Welcome,
    WireFormat,
    decode_message,
    decode_tree,
    encode_message,
    join,
    receive,
)
from tertulia.mls.errors import MisuseError, StateError
from tertulia.mls.framing import (
    CommitContent,
    Content,
    FramedContent,
    ProposalContent,
    sign,
    with_confirmation_tag,
)
from tertulia.mls.key_schedule import start_epoch
from tertulia.mls.leaf_node import NOWHERE
from tertulia.mls.public_message import make_public_message
from tertulia.mls.state import load_group, load_key_package, save_epoch
from tertulia.mls.transcript import confirmation_tag
from tertulia.mls.welcome import GroupSecrets, Newcomer, WelcomeKeys, make_welcome

ROOM: Room = new_room()
REFUSALS = (CodecError, InvalidError, OutOfStepError, UnknownPskError, MisuseError)

_STRUCTS: tuple[type[Struct], ...] = (
    KeyPackage,
    GroupInfo,
    GroupContext,
    LeafNode,
    Commit,
    Welcome,
    GroupSecrets,
    FramedContent,
)


def decoding(data: bytes) -> None:
    """Decode with the decoder that the first byte chooses; what decodes re-encodes."""
    with suppress(CodecError, InvalidError, StateError):
        number, encoded = data[:1], data[1:]
        _DECODERS[number[0] % len(_DECODERS) if number else 0](encoded)


def _decode_message(data: bytes) -> None:
    message: Any = decode_message(data)
    body = (
        message.take_for_checking()
        if hasattr(message, "take_for_checking")
        else message
    )
    _expect(encode_message(body), data)


def _decode_tree(data: bytes) -> None:
    _expect(decode_tree(data).encode(), data)


def _load_rows(data: bytes) -> None:
    """Load a group whose epoch is sound and whose rows are what the input says."""
    source = Reader(data)
    rows = {}
    while source.remaining:
        key = source.opaque(64)
        rows[key] = source.opaque(1 << 20)
    load_group(save_epoch(ROOM.ben.epoch), rows)


def _load_epoch(data: bytes) -> None:
    load_group(data, {})


def _load_key_package(data: bytes) -> None:
    load_key_package(data)


def _struct_decoder(struct: type[Struct]) -> Callable[[bytes], None]:
    def decode(data: bytes) -> None:
        _expect(struct.decode(data).encode(), data)

    return decode


_DECODERS: tuple[Callable[[bytes], None], ...] = (
    _decode_message,
    _decode_tree,
    _load_epoch,
    _load_rows,
    _load_key_package,
    *map(_struct_decoder, _STRUCTS),
)


def _expect(encoded: bytes, data: bytes) -> None:
    if encoded != data:
        raise ValueError("what was decoded is encoded otherwise")


def receiving(data: bytes) -> None:
    """Receive the input as Ben."""
    with suppress(*REFUSALS):
        message = decode_message(data)
        if isinstance(message, PublicMessage | PrivateMessage):
            receive(ROOM.ben, message, ANYONE)


def cheating(data: bytes) -> None:
    """Receive the input as Ben, after Ana signed and tagged it.

    The first byte chooses who is said to send, what is made right, and whether the
    rest is a proposal or a commit.
    """
    with suppress(*REFUSALS):
        flags = data[0] if data else 0
        kind: type[Content] = CommitContent if flags & 1 else ProposalContent
        content = (
            _made_right(kind.decode(data[1:])) if flags & 2 else kind.decode(data[1:])
        )
        sender = NewMemberCommit() if flags & 4 else MemberSender(ROOM.ana.leaf_index)
        context = ROOM.ana.context
        framed = FramedContent(context.group_id, context.epoch, sender, b"", content)
        signed = sign(
            SUITE,
            ROOM.ana.epoch.signature_key,
            WireFormat.PUBLIC_MESSAGE,
            framed,
            context,
        )
        if isinstance(content, CommitContent):
            signed = with_confirmation_tag(signed, bytes(32))
        key = ROOM.ana.epoch.secrets.membership_key
        receive(ROOM.ben, make_public_message(SUITE, key, signed, context), ANYONE)


def _made_right(content: Content) -> Content:
    """Return the content with leaves and key packages signed again, by Ana."""
    match content:
        case CommitContent(commit):
            proposals = tuple(
                ByValue(_resigned(item.proposal)) if isinstance(item, ByValue) else item
                for item in commit.proposals
            )
            path = commit.path
            if path is not None:
                path = replace(path, leaf_node=_resigned_leaf(path.leaf_node))
            return CommitContent(Commit(proposals, path))
        case ProposalContent(proposal):
            return ProposalContent(_resigned(proposal))
        case _:
            return content


def _resigned(proposal: Proposal) -> Proposal:
    if not isinstance(proposal, Add):
        return proposal
    key = seeded_rng("somebody to add")(32)
    public = SUITE.signature.public_key(Secret(key))
    leaf = replace(proposal.key_package.leaf_node, signature_key=public)
    leaf = leaf.sign(SUITE, Secret(key), NOWHERE)
    key_package = replace(proposal.key_package, leaf_node=leaf)
    signature = SUITE.sign_with_label(
        Secret(key), "KeyPackageTBS", key_package.encode_before("signature")
    )
    return Add(replace(key_package, signature=signature))


def _resigned_leaf(leaf: LeafNode) -> LeafNode:
    mine = replace(leaf, signature_key=ROOM.ana.leaf.signature_key)
    return mine.sign(SUITE, ROOM.ana.epoch.signature_key, ROOM.ana.place)


def joining(data: bytes) -> None:
    """Join as Ben, into a group whose tree is the input, made up by Ana."""
    with suppress(*REFUSALS):
        tree = decode_tree(data)
        join(_welcome_into(tree), ROOM.joining, ANYONE)


def _welcome_into(tree: RatchetTree) -> Welcome:
    zero = Secret(bytes(SUITE.kdf.size))
    context = GroupContext(
        version=MLS10,
        cipher_suite=SUITE.id,
        group_id=ROOM.ana.context.group_id,
        epoch=1,
        tree_hash=tree.tree_hash(SUITE),
        confirmed_transcript_hash=b"",
        extensions=(),
    )
    started = start_epoch(SUITE, zero, zero, context)
    tag = confirmation_tag(SUITE, started.secrets.confirmation_key, b"")
    shipped = Extension(ExtensionType.RATCHET_TREE, tree.encode())
    group_info = GroupInfo(context, (shipped,), tag, ROOM.ana.leaf_index, b"")
    signed = group_info.sign(SUITE, ROOM.ana.epoch.signature_key)
    keys = WelcomeKeys(started.joiner_secret, zero, ())
    newcomer = Newcomer(ROOM.joining.key_package, None)
    return make_welcome(SUITE, signed, keys, [newcomer], seeded_rng("welcome"))
