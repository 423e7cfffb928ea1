"""What every MLS message of ours says besides its content: its `authenticated_data`.

The message's signature covers it. It binds the message to its entry's key and to the
last entry that its sender had seen, and carries what entitles a commit: proof of an
invite, proof of being the one who is replaced, statements of those who left.
"""

from dataclasses import dataclass
from hashlib import sha256
from typing import Annotated, ClassVar, TypeAlias

from tertulia.client import limits
from tertulia.client.fields import HASH, ID, SIGNATURE, Between, Versioned
from tertulia.client.identity import credential_in
from tertulia.codec import (
    Codec,
    Nested,
    Opaque,
    Struct,
    Variant,
    Vector,
    uint8,
    uint32,
    uint64,
)
from tertulia.mls import LeafNode
from tertulia.wire import Signable


@dataclass(frozen=True, slots=True)
class NoClaim(Struct):
    """Nothing but what a member may do anyway."""


@dataclass(frozen=True, slots=True)
class InviteClaim(Struct):
    """A joiner's proof of an invite: a signature of its JoinAuthorization."""

    invite: Annotated[bytes, ID]
    signature: Annotated[bytes, SIGNATURE]


@dataclass(frozen=True, slots=True)
class RejoinClaim(Struct):
    """Proof of who replaces an own leaf: a signature of its RejoinAuthorization.

    By the replaced leaf's device key (`by_account` 0) or by the account key (1).
    """

    by_account: Annotated[int, Between(uint8, 0, 1)]
    signature: Annotated[bytes, SIGNATURE]


@dataclass(frozen=True, slots=True)
class LeftLeaf(Struct):
    """A leaf that goes, and its owner's signature of the LeavingStatement."""

    leaf: Annotated[int, uint32]
    signature: Annotated[bytes, SIGNATURE]


@dataclass(frozen=True, slots=True)
class LeavingClaims(Struct):
    """That leaves which this commit removes are of those who said that they leave."""

    statements: Annotated[
        tuple[LeftLeaf, ...], Vector(Nested(LeftLeaf), limits.LEAVING_CLAIMS)
    ]


Claim: TypeAlias = NoClaim | InviteClaim | RejoinClaim | LeavingClaims

CLAIM: Codec[Claim] = Variant(
    uint8,
    {
        0: (NoClaim, Nested(NoClaim)),
        1: (InviteClaim, Nested(InviteClaim)),
        2: (RejoinClaim, Nested(RejoinClaim)),
        3: (LeavingClaims, Nested(LeavingClaims)),
    },
)


@dataclass(frozen=True, slots=True)
class Annotation(Versioned):
    """`key` is the entry's; `place` and `hash` are of the last entry seen before.

    At the start of a room place is 0 and hash its first one.
    """

    key: Annotated[bytes, ID]
    place: Annotated[int, uint64]
    hash: Annotated[bytes, HASH]
    claim: Annotated[Claim, CLAIM] = NoClaim()


@dataclass(frozen=True, slots=True)
class JoinAuthorization(Signable):
    """Entry by invite; signed with the invite's key.

    `kem_output` and the joiner's signed leaf are of this one commit: the signature
    lets nobody else in, and nobody twice.
    """

    label: ClassVar[str] = "Tertulia 1 join"
    group_id: Annotated[bytes, ID]
    epoch: Annotated[int, uint64]
    kem_output: Annotated[bytes, Opaque(limits.KEM_OUTPUT)]
    leaf: Annotated[bytes, Opaque(limits.LEAF)]


@dataclass(frozen=True, slots=True)
class RejoinAuthorization(Signable):
    """Return in place of an own leaf; signed with its device key or the account key."""

    label: ClassVar[str] = "Tertulia 1 rejoin"
    group_id: Annotated[bytes, ID]
    epoch: Annotated[int, uint64]
    kem_output: Annotated[bytes, Opaque(limits.KEM_OUTPUT)]
    leaf: Annotated[bytes, Opaque(limits.LEAF)]
    replaced: Annotated[int, uint32]


@dataclass(frozen=True, slots=True)
class LeavingStatement(Signable):
    """That a device leaves a room; signed with its key.

    It names the leaf by its hash, too: whoever comes back later with the same device,
    perhaps at the same place, is not put out by an old statement.
    """

    label: ClassVar[str] = "Tertulia 1 leave"
    group_id: Annotated[bytes, ID]
    leaf: Annotated[int, uint32]
    device: Annotated[bytes, ID]
    leaf_hash: Annotated[bytes, HASH]


def leaving_statement(group_id: bytes, leaf: int, node: LeafNode) -> LeavingStatement:
    """Return what the owner of `node`, at leaf index `leaf`, signs in order to leave.

    Raises CodecError if the leaf names no device.
    """
    leaf_hash = sha256(node.encode()).digest()
    return LeavingStatement(group_id, leaf, credential_in(node).device, leaf_hash)
