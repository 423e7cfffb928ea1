"""What the fuzz targets do with their input; runs without atheris, too.

A target takes the room it attacks, and bytes; it returns if the engine behaved: it took
them, or it refused them with a documented error. Anything else it lets through.
"""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from typing import Any

from fuzz.room import ANYONE, Room, seeded_rng
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
    TreePatch,
    UnknownPskError,
    Welcome,
    WireFormat,
    decode_message,
    decode_tree,
    encode_message,
    join,
    patched_tree,
    receive,
    tree_difference,
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


def decoding(room: Room, data: bytes) -> None:
    """Decode with the decoder that the first byte chooses; what decodes re-encodes."""
    with suppress(CodecError, InvalidError, StateError):
        DECODERS[chosen_decoder(data)](room, data[1:])


def chosen_decoder(data: bytes) -> str:
    """Return the name of the decoder that the first byte chooses."""
    return _NAMES[data[0] % len(_NAMES) if data else 0]


def _decode_message(_: Room, data: bytes) -> None:
    message: Any = decode_message(data)
    body = (
        message.take_for_checking()
        if hasattr(message, "take_for_checking")
        else message
    )
    _expect(encode_message(body), data)


def _decode_tree(_: Room, data: bytes) -> None:
    _expect(decode_tree(data).encode(), data)


def _patch_tree(room: Room, data: bytes) -> None:
    """Patch the room's tree; what differs from it then makes the same tree again."""
    patch = TreePatch.decode(data)
    _expect(patch.encode(), data)
    patched = patched_tree(room.ana.tree, patch)
    difference = tree_difference(room.ana.tree, patched)
    _expect(patched_tree(room.ana.tree, difference).encode(), patched.encode())


def _load_rows(room: Room, data: bytes) -> None:
    """Load a group whose epoch is sound and whose rows are what the input says."""
    source = Reader(data)
    rows = {}
    while source.remaining:
        key = source.opaque(64)
        rows[key] = source.opaque(1 << 20)
    load_group(save_epoch(room.ben.epoch), rows, room.ben.tree)


def _load_epoch(room: Room, data: bytes) -> None:
    load_group(data, {}, room.ben.tree)


def _load_key_package(_: Room, data: bytes) -> None:
    load_key_package(data)


def _struct_decoder(struct: type[Struct]) -> Callable[[Room, bytes], None]:
    def decode(_: Room, data: bytes) -> None:
        _expect(struct.decode(data).encode(), data)

    return decode


DECODERS: dict[str, Callable[[Room, bytes], None]] = {
    "message": _decode_message,
    "tree": _decode_tree,
    "saved-epoch": _load_epoch,
    "saved-rows": _load_rows,
    "saved-key-package": _load_key_package,
    **{struct.__name__: _struct_decoder(struct) for struct in _STRUCTS},
    "tree-patch": _patch_tree,
}
_NAMES = tuple(DECODERS)


def _expect(encoded: bytes, data: bytes) -> None:
    if encoded != data:
        raise ValueError("what was decoded is encoded otherwise")


def receiving(room: Room, data: bytes) -> None:
    """Receive the input as Ben."""
    with suppress(*REFUSALS):
        message = decode_message(data)
        if isinstance(message, PublicMessage | PrivateMessage):
            receive(room.ben, message, ANYONE)


def cheating(room: Room, data: bytes) -> None:
    """Receive the input as Ben, after Ana signed and tagged it.

    The first byte chooses who is said to send, what is made right, and whether the
    rest is a proposal or a commit.
    """
    with suppress(*REFUSALS):
        flags = data[0] if data else 0
        kind: type[Content] = CommitContent if flags & 1 else ProposalContent
        content = kind.decode(data[1:])
        if flags & 2:
            content = _made_right(room, content)
        ana = room.ana
        sender = NewMemberCommit() if flags & 4 else MemberSender(ana.leaf_index)
        context = ana.context
        framed = FramedContent(context.group_id, context.epoch, sender, b"", content)
        key = ana.epoch.signature_key
        signed = sign(room.suite, key, WireFormat.PUBLIC_MESSAGE, framed, context)
        if isinstance(content, CommitContent):
            signed = with_confirmation_tag(signed, bytes(32))
        key = ana.epoch.secrets.membership_key
        message = make_public_message(room.suite, key, signed, context)
        receive(room.ben, message, ANYONE)


def _made_right(room: Room, content: Content) -> Content:
    """Return the content with leaves and key packages signed again, by Ana."""
    match content:
        case CommitContent(commit):
            proposals = tuple(
                ByValue(_resigned(room, item.proposal))
                if isinstance(item, ByValue)
                else item
                for item in commit.proposals
            )
            path = commit.path
            if path is not None:
                path = replace(path, leaf_node=_resigned_leaf(room, path.leaf_node))
            return CommitContent(Commit(proposals, path))
        case ProposalContent(proposal):
            return ProposalContent(_resigned(room, proposal))
        case _:
            return content


def _resigned(room: Room, proposal: Proposal) -> Proposal:
    if not isinstance(proposal, Add):
        return proposal
    suite = room.suite
    key = Secret(seeded_rng("somebody to add")(32))
    public = suite.signature.public_key(key)
    leaf = replace(proposal.key_package.leaf_node, signature_key=public)
    leaf = leaf.sign(suite, key, NOWHERE)
    key_package = replace(proposal.key_package, leaf_node=leaf)
    signature = suite.sign_with_label(
        key, "KeyPackageTBS", key_package.encode_before("signature")
    )
    return Add(replace(key_package, signature=signature))


def _resigned_leaf(room: Room, leaf: LeafNode) -> LeafNode:
    mine = replace(leaf, signature_key=room.ana.leaf.signature_key)
    return mine.sign(room.suite, room.ana.epoch.signature_key, room.ana.place)


def joining(room: Room, data: bytes) -> None:
    """Join as Ben, into a group whose tree is the input, made up by Ana."""
    with suppress(*REFUSALS):
        tree = decode_tree(data)
        join(_welcome_into(room, tree), room.joining, ANYONE)


def _welcome_into(room: Room, tree: RatchetTree) -> Welcome:
    suite, ana = room.suite, room.ana
    zero = Secret(bytes(suite.kdf.size))
    context = GroupContext(
        version=MLS10,
        cipher_suite=suite.id,
        group_id=ana.context.group_id,
        epoch=1,
        tree_hash=tree.tree_hash(suite),
        confirmed_transcript_hash=b"",
        extensions=(),
    )
    started = start_epoch(suite, zero, zero, context)
    tag = confirmation_tag(suite, started.secrets.confirmation_key, b"")
    shipped = Extension(ExtensionType.RATCHET_TREE, tree.encode())
    group_info = GroupInfo(context, (shipped,), tag, ana.leaf_index, b"")
    signed = group_info.sign(suite, ana.epoch.signature_key)
    keys = WelcomeKeys(started.joiner_secret, zero, ())
    newcomer = Newcomer(room.joining.key_package, None)
    return make_welcome(suite, signed, keys, [newcomer], seeded_rng("welcome"))
