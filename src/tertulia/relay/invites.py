"""Proofs of invites: who holds the secret of a link may say so, and little else.

The relay knows an invite's public key, not its secret. A proof is a signature over this
very connection's nonces and device. Unknown, expired, used up and unproven are one
answer, after the same work, so that nobody finds rooms or invites by trying.
"""

from typing import Final

from tertulia.crypto import CryptoError
from tertulia.relay.append import is_valid
from tertulia.relay.enrolment import is_unspent
from tertulia.relay.node import Node
from tertulia.relay.refusal import Refusal
from tertulia.relay.session import Session
from tertulia.wire import ErrorCode, InviteClaim, frames, limits

# A valid public key that belongs to nobody: proofs of unknown invites are checked
# against it, to take as long as others. It is the base point of the curve.
_NOBODY: Final = bytes.fromhex("58" + 31 * "66")


async def require_proof(
    node: Node,
    session: Session,
    proof: frames.InviteProof,
    device: bytes,
    now: int,
) -> None:
    """Raise INVITE_INVALID unless the proof is right and the invite still counts."""
    node.buckets.check(limits.PROOFS, session.place, now)
    public_key = await _public_key(node, proof, now)
    claim = InviteClaim(
        node.identity.public,
        session.client_nonce,
        session.relay_nonce,
        proof.room or b"",
        proof.invite,
        device,
    )
    try:
        claim.verify(public_key or _NOBODY, proof.signature)
    except CryptoError:
        public_key = None
    if public_key is None:
        node.buckets.take(limits.PROOFS, session.place, now)
        # Before authentication the connection has no other purpose.
        raise Refusal(ErrorCode.INVITE_INVALID, fatal=session.device is None)


async def _public_key(node: Node, proof: frames.InviteProof, now: int) -> bytes | None:
    if proof.room is None:
        invite = await node.engine.server_invite(proof.invite)
        return invite.public_key if invite and is_unspent(invite, now) else None
    known = await node.engine.room_invite(proof.room, proof.invite)
    return known.invite.public_key if known and is_valid(known, now) else None
