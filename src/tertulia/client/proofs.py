"""Proving an invite to the relay, on this connection."""

from tertulia.client.invites import invite_secrets
from tertulia.client.turn import Turn
from tertulia.crypto import Secret
from tertulia.wire import InviteClaim, RoomInviteLink, ServerInviteLink, frames


def prove_invite(
    turn: Turn, link: RoomInviteLink | ServerInviteLink
) -> frames.InviteProof:
    """Return the proof that we know the secret of a link."""
    if isinstance(link, RoomInviteLink):
        secrets = invite_secrets(Secret(link.secret))
        invite, private, room = secrets.invite, secrets.keys.private, link.room
    else:
        invite, private, room = link.invite, Secret(link.secret), None
    claim = InviteClaim(
        turn.link.identity,
        turn.link.nonce,
        turn.link.relay_nonce,
        room or b"",
        invite,
        turn.session.profile.device,
    )
    return frames.InviteProof(invite, claim.sign(private), room)
