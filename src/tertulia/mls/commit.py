"""Commits (RFC 9420 section 12.4)."""

from dataclasses import dataclass
from enum import IntEnum
from typing import Annotated, TypeAlias

from tertulia.codec import (
    Codec,
    EncodedOnce,
    Nested,
    Opaque,
    Optional,
    Struct,
    Variant,
    Vector,
    uint8,
)
from tertulia.mls.limits import MAX_DIGEST, MAX_MESSAGE
from tertulia.mls.proposal import PROPOSAL, Proposal
from tertulia.mls.treekem import UpdatePath


class ProposalOrRefType(IntEnum):
    """How a commit names a proposal."""

    PROPOSAL = 1
    REFERENCE = 2


@dataclass(frozen=True, slots=True)
class ByValue(Struct):
    """A proposal of the committer itself."""

    proposal: Annotated[Proposal, PROPOSAL]


@dataclass(frozen=True, slots=True)
class ByReference(Struct):
    """A proposal that was sent before, by the hash of its message (section 5.2)."""

    reference: Annotated[bytes, Opaque(MAX_DIGEST)]


ProposalOrRef: TypeAlias = ByValue | ByReference

_PROPOSAL_OR_REF: Codec[ProposalOrRef] = Variant(
    uint8,
    {
        ProposalOrRefType.PROPOSAL: (ByValue, Nested(ByValue)),
        ProposalOrRefType.REFERENCE: (ByReference, Nested(ByReference)),
    },
)


@dataclass(frozen=True, slots=True)
class Commit(EncodedOnce):
    """Proposals that take effect, and perhaps fresh keys for the committer's path."""

    proposals: Annotated[
        tuple[ProposalOrRef, ...], Vector(_PROPOSAL_OR_REF, MAX_MESSAGE)
    ]
    path: Annotated[UpdatePath | None, Optional(Nested(UpdatePath))]
