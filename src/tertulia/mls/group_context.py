"""GroupContext: what all members agree on in one epoch (RFC 9420 section 8.1)."""

from dataclasses import dataclass
from typing import Annotated

from tertulia.codec import EncodedOnce, Opaque, uint16, uint64
from tertulia.mls.extension import EXTENSIONS, Extensions
from tertulia.mls.limits import MAX_DIGEST, MAX_GROUP_ID


# To be referred to weakly: applications keep what they read in a context's extensions as
# long as the context.
@dataclass(frozen=True, slots=True, weakref_slot=True)
class GroupContext(EncodedOnce):
    """Input of the key schedule, and part of what members sign."""

    version: Annotated[int, uint16]
    cipher_suite: Annotated[int, uint16]
    group_id: Annotated[bytes, Opaque(MAX_GROUP_ID)]
    epoch: Annotated[int, uint64]
    tree_hash: Annotated[bytes, Opaque(MAX_DIGEST)]
    confirmed_transcript_hash: Annotated[bytes, Opaque(MAX_DIGEST)]
    extensions: Annotated[Extensions, EXTENSIONS]
