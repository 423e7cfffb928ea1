"""Proposals (RFC 9420 section 12.1)."""

from dataclasses import dataclass
from enum import IntEnum
from typing import Annotated, TypeAlias

from tertulia.codec import Codec, Nested, Opaque, Struct, Variant, uint16, uint32
from tertulia.mls.extension import EXTENSIONS, Extensions
from tertulia.mls.key_package import KeyPackage
from tertulia.mls.leaf_node import LeafNode
from tertulia.mls.limits import MAX_GROUP_ID, MAX_KEY
from tertulia.mls.psk import PreSharedKeyID


class ProposalType(IntEnum):
    """Section 17.4."""

    ADD = 1
    UPDATE = 2
    REMOVE = 3
    PSK = 4
    REINIT = 5
    EXTERNAL_INIT = 6
    GROUP_CONTEXT_EXTENSIONS = 7


@dataclass(frozen=True, slots=True)
class Add(Struct):
    """Add the client of a key package (section 12.1.1)."""

    key_package: KeyPackage


@dataclass(frozen=True, slots=True)
class Update(Struct):
    """Replace the sender's leaf (section 12.1.2)."""

    leaf_node: LeafNode


@dataclass(frozen=True, slots=True)
class Remove(Struct):
    """Remove the member at a leaf index (section 12.1.3)."""

    removed: Annotated[int, uint32]


@dataclass(frozen=True, slots=True)
class PreSharedKey(Struct):
    """Mix a pre-shared key into the next epoch (section 12.1.4)."""

    psk: PreSharedKeyID


@dataclass(frozen=True, slots=True)
class ReInit(Struct):
    """End this group so that another can take its place (section 12.1.5)."""

    group_id: Annotated[bytes, Opaque(MAX_GROUP_ID)]
    version: Annotated[int, uint16]
    cipher_suite: Annotated[int, uint16]
    extensions: Annotated[Extensions, EXTENSIONS]


@dataclass(frozen=True, slots=True)
class ExternalInit(Struct):
    """The init secret of an external commit (section 12.1.6)."""

    kem_output: Annotated[bytes, Opaque(MAX_KEY)]


@dataclass(frozen=True, slots=True)
class GroupContextExtensions(Struct):
    """Replace the extensions of the GroupContext (section 12.1.7)."""

    extensions: Annotated[Extensions, EXTENSIONS]


Proposal: TypeAlias = (
    Add
    | Update
    | Remove
    | PreSharedKey
    | ReInit
    | ExternalInit
    | GroupContextExtensions
)

PROPOSAL: Codec[Proposal] = Variant(
    uint16,
    {
        ProposalType.ADD: (Add, Nested(Add)),
        ProposalType.UPDATE: (Update, Nested(Update)),
        ProposalType.REMOVE: (Remove, Nested(Remove)),
        ProposalType.PSK: (PreSharedKey, Nested(PreSharedKey)),
        ProposalType.REINIT: (ReInit, Nested(ReInit)),
        ProposalType.EXTERNAL_INIT: (ExternalInit, Nested(ExternalInit)),
        ProposalType.GROUP_CONTEXT_EXTENSIONS: (
            GroupContextExtensions,
            Nested(GroupContextExtensions),
        ),
    },
)
