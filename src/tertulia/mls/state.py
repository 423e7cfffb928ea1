"""Groups as bytes, to be stored and taken up again.

An epoch is one record, written when a commit is applied, but for its tree: most of that
is as it was in the epoch before (`tree_patch`), so it is kept apart. What messages
change is many small rows under short keys, so that sending or receiving a text writes
the row of one ratchet and not the group. Every record starts with the version of its
form.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from enum import IntEnum
from typing import Annotated, TypeAlias, TypeVar

from tertulia.codec import (
    CodecError,
    Enumerated,
    Nested,
    Opaque,
    Optional,
    Reader,
    Struct,
    Vector,
    uint8,
    uint32,
    uint64,
)
from tertulia.crypto import KeyPair, Secret, UnsupportedSuiteError, cipher_suite
from tertulia.mls.errors import InvalidError, StateError
from tertulia.mls.framing import SENDER, Sender
from tertulia.mls.group import Epoch, Group, PendingProposal, Traffic
from tertulia.mls.group_context import GroupContext
from tertulia.mls.key_package import Identity, KeyPackage, KeyPackageSecrets
from tertulia.mls.key_schedule import EpochSecrets
from tertulia.mls.limits import MAX_DIGEST, MAX_KEY, MAX_TREE
from tertulia.mls.proposal import PROPOSAL, Proposal, ReInit
from tertulia.mls.proposal_list import SentProposal
from tertulia.mls.ratchet_tree import RatchetTree, decode_tree
from tertulia.mls.secret_field import SecretField
from tertulia.mls.secret_tree import MessageKey, Ratchet, RatchetKind, SecretTree
from tertulia.mls.treekem import PrivateKeys

VERSION = 1

# Row key to row; a row that is None is to be deleted.
Rows: TypeAlias = Mapping[bytes, bytes]
ChangedRows: TypeAlias = Mapping[bytes, bytes | None]

_PrivateKey = Annotated[Secret, SecretField(MAX_KEY)]
_Secret = Annotated[Secret, SecretField(MAX_DIGEST)]


class RowKind(IntEnum):
    """The first byte of a row's key."""

    NODE = 1  # then the node index: a secret of the secret tree
    RATCHET = 2  # then leaf index and kind: one ratchet
    PROPOSAL = 3  # then the reference: a pending proposal


_ROW_KIND = Enumerated(1, RowKind)
_RATCHET_KIND = Enumerated(1, RatchetKind)


@dataclass(frozen=True, slots=True)
class _NodeKey(Struct):
    node: Annotated[int, uint32]
    key: _PrivateKey


@dataclass(frozen=True, slots=True)
class _PastEpoch(Struct):
    epoch: Annotated[int, uint64]
    resumption_psk: _Secret


@dataclass(frozen=True, slots=True)
class _EpochRecord(Struct):
    version: Annotated[int, uint8]
    context: GroupContext
    tree: Annotated[bytes, Opaque(MAX_TREE)]  # empty, if it is kept apart
    secrets: EpochSecrets
    confirmation_tag: Annotated[bytes, Opaque(MAX_DIGEST)]
    leaf_index: Annotated[int, uint32]
    private_keys: Annotated[tuple[_NodeKey, ...], Vector(Nested(_NodeKey), MAX_TREE)]
    signature_key: _PrivateKey
    past: Annotated[tuple[_PastEpoch, ...], Vector(Nested(_PastEpoch), MAX_TREE)]
    reinit: Annotated[ReInit | None, Optional(Nested(ReInit))]


@dataclass(frozen=True, slots=True)
class _KeyPackageRecord(Struct):
    version: Annotated[int, uint8]
    key_package: KeyPackage
    init_key: _PrivateKey
    encryption_key: _PrivateKey
    signature_key: _PrivateKey


@dataclass(frozen=True, slots=True)
class _SkippedKey(Struct):
    generation: Annotated[int, uint32]
    key: _Secret
    nonce: _Secret


@dataclass(frozen=True, slots=True)
class _RatchetRow(Struct):
    version: Annotated[int, uint8]
    secret: _Secret
    generation: Annotated[int, uint64]
    skipped: Annotated[tuple[_SkippedKey, ...], Vector(Nested(_SkippedKey), MAX_TREE)]


@dataclass(frozen=True, slots=True)
class _NodeRow(Struct):
    version: Annotated[int, uint8]
    secret: _Secret


@dataclass(frozen=True, slots=True)
class _ProposalRow(Struct):
    version: Annotated[int, uint8]
    sender: Annotated[Sender, SENDER]
    proposal: Annotated[Proposal, PROPOSAL]
    leaf_key: Annotated[Secret | None, Optional(SecretField(MAX_KEY))]


def save_epoch(epoch: Epoch) -> bytes:
    """Return the record of what changes with each commit, but for the tree.

    It holds private keys.
    """
    keys = sorted(epoch.private_keys.by_node.items())
    past = sorted(epoch.past_resumption.items())
    return _EpochRecord(
        version=VERSION,
        context=epoch.context,
        tree=b"",
        secrets=epoch.secrets,
        confirmation_tag=epoch.confirmation_tag,
        leaf_index=epoch.private_keys.leaf_index,
        private_keys=tuple(_NodeKey(node, key) for node, key in keys),
        signature_key=epoch.signature_key,
        past=tuple(_PastEpoch(number, secret) for number, secret in past),
        reinit=epoch.reinit,
    ).encode()


def save_traffic(traffic: Traffic) -> Rows:
    """Return the rows of what changes with each message. They hold message keys."""
    return {key: _encode_row(value) for key, value in _rows(traffic)}


def changed_rows(before: Traffic, after: Traffic) -> ChangedRows:
    """Return the rows that differ after an operation within one epoch."""
    old, new = before.secret_tree, after.secret_tree
    return {
        **_changed(old.nodes, new.nodes, _node_key),
        **_changed(old.ratchets, new.ratchets, _ratchet_key),
        **_changed(before.proposals, after.proposals, _proposal_key),
    }


def load_group(
    epoch_record: bytes, rows: Rows, tree: RatchetTree | None = None
) -> Group:
    """Return the group that was saved, of which `tree` was kept apart.

    Raises StateError if the bytes are damaged, or if there is no tree, neither given
    nor in the record. That the given tree is the epoch's is for the caller to know.
    """
    try:
        epoch = _load_epoch(epoch_record, tree)
        return Group(epoch, _load_traffic(epoch.tree.leaf_count, rows))
    except (CodecError, InvalidError, UnsupportedSuiteError) as error:
        raise StateError(str(error)) from error


def save_key_package(secrets: KeyPackageSecrets) -> bytes:
    """Return a key package with its private keys, to be kept until it is used."""
    return _KeyPackageRecord(
        VERSION,
        secrets.key_package,
        secrets.init_key,
        secrets.encryption_key,
        secrets.identity.signature_key.private,
    ).encode()


def load_key_package(data: bytes) -> KeyPackageSecrets:
    """Return the key package that was saved; raise StateError if it is damaged."""
    _check_version(data)
    try:
        record = _KeyPackageRecord.decode(data)
        suite = cipher_suite(record.key_package.cipher_suite)
    except (CodecError, UnsupportedSuiteError) as error:
        raise StateError(str(error)) from error
    leaf = record.key_package.leaf_node
    identity = Identity(
        suite,
        leaf.credential,
        KeyPair(record.signature_key, leaf.signature_key),
        leaf.capabilities,
        leaf.extensions,
    )
    return KeyPackageSecrets(
        record.key_package, identity, record.init_key, record.encryption_key
    )


_RowValue: TypeAlias = Secret | Ratchet | PendingProposal
_K = TypeVar("_K")


def _rows(traffic: Traffic) -> Iterator[tuple[bytes, _RowValue]]:
    for node, secret in traffic.secret_tree.nodes.items():
        yield _node_key(node), secret
    for sender, ratchet in traffic.secret_tree.ratchets.items():
        yield _ratchet_key(sender), ratchet
    for reference, pending in traffic.proposals.items():
        yield _proposal_key(reference), pending


def _changed(
    old: Mapping[_K, _RowValue],
    new: Mapping[_K, _RowValue],
    row_key: Callable[[_K], bytes],
) -> ChangedRows:
    """Return the rows of one kind that differ.

    Looks at each value once and makes keys and rows only of those that changed: a room
    of a thousand has some thousand ratchets, and a message changes one.
    """
    if old is new:
        return {}
    changed = {key: value for key, value in new.items() if old.get(key) is not value}
    kept = len(new) - sum(key not in old for key in changed)
    gone = old.keys() - new.keys() if kept < len(old) else ()
    return {
        **{row_key(key): None for key in gone},
        **{row_key(key): _encode_row(value) for key, value in changed.items()},
    }


def _node_key(node: int) -> bytes:
    return bytes((RowKind.NODE,)) + uint32.encode(node)


def _ratchet_key(sender: tuple[int, RatchetKind]) -> bytes:
    leaf, kind = sender
    return bytes((RowKind.RATCHET,)) + uint32.encode(leaf) + bytes((kind,))


def _proposal_key(reference: bytes) -> bytes:
    return bytes((RowKind.PROPOSAL,)) + reference


def _encode_row(value: _RowValue) -> bytes:
    match value:
        case Secret():
            return _NodeRow(VERSION, value).encode()
        case Ratchet(secret, generation, skipped):
            kept = tuple(
                _SkippedKey(number, key.key, key.nonce)
                for number, key in sorted(skipped.items())
            )
            return _RatchetRow(VERSION, secret, generation, kept).encode()
        case PendingProposal(sent, leaf_key):
            row = _ProposalRow(VERSION, sent.sender, sent.proposal, leaf_key)
            return row.encode()


def _check_version(data: bytes) -> None:
    if data[:1] != bytes((VERSION,)):
        raise StateError(f"version {data[:1].hex() or 'none'} is not known here")


def _load_epoch(data: bytes, tree: RatchetTree | None) -> Epoch:
    _check_version(data)
    record = _EpochRecord.decode(data)
    if record.tree:
        tree = decode_tree(record.tree)
    if tree is None:
        raise StateError("an epoch without its tree")
    return Epoch(
        suite=cipher_suite(record.context.cipher_suite),
        context=record.context,
        tree=tree,
        secrets=record.secrets,
        confirmation_tag=record.confirmation_tag,
        private_keys=PrivateKeys(
            record.leaf_index, {item.node: item.key for item in record.private_keys}
        ),
        signature_key=record.signature_key,
        past_resumption={item.epoch: item.resumption_psk for item in record.past},
        reinit=record.reinit,
    )


def _load_traffic(leaf_count: int, rows: Rows) -> Traffic:
    nodes: dict[int, Secret] = {}
    ratchets: dict[tuple[int, RatchetKind], Ratchet] = {}
    proposals: dict[bytes, PendingProposal] = {}
    for key, data in rows.items():
        _check_version(data)
        source = Reader(key)
        match _ROW_KIND.read(source):
            case RowKind.NODE:
                nodes[uint32.read(source)] = _NodeRow.decode(data).secret
            case RowKind.RATCHET:
                leaf, kind = uint32.read(source), _RATCHET_KIND.read(source)
                ratchets[leaf, kind] = _load_ratchet(data)
            case RowKind.PROPOSAL:
                reference = source.rest()
                proposals[reference] = _load_proposal(reference, data)
        source.finish()
    return Traffic(SecretTree(leaf_count, nodes, ratchets), proposals)


def _load_ratchet(data: bytes) -> Ratchet:
    row = _RatchetRow.decode(data)
    skipped = {
        item.generation: MessageKey(item.key, item.nonce) for item in row.skipped
    }
    return Ratchet(row.secret, row.generation, skipped)


def _load_proposal(reference: bytes, data: bytes) -> PendingProposal:
    row = _ProposalRow.decode(data)
    return PendingProposal(
        SentProposal(row.proposal, row.sender, reference), row.leaf_key
    )
