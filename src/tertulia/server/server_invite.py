"""Server invites: the right to make an account here, given away as a link."""

from dataclasses import dataclass

from tertulia.crypto import ED25519, Rng, Secret
from tertulia.relay import ServerInvite
from tertulia.wire import MAX_LINK_ADDRESSES, ServerInviteLink


@dataclass(frozen=True, slots=True)
class Terms:
    """How long and how often an invite counts, and what it makes of who comes."""

    uses: int | None = 1
    expires: int | None = None
    makes_owner: bool = False


def new_invite(rng: Rng, now: int, terms: Terms) -> tuple[ServerInvite, bytes]:
    """Return an invite as the relay stores it, and the secret it does not keep."""
    secret = rng(32)
    invite = ServerInvite(
        rng(16),
        ED25519.public_key(Secret(secret)),
        now,
        terms.expires,
        terms.uses,
        makes_owner=terms.makes_owner,
    )
    return invite, secret


def link_of(
    invite: ServerInvite, secret: bytes, fingerprint: bytes, others: tuple[str, ...]
) -> ServerInviteLink:
    """Return the link of an invite; `others` are further `HOST:PORT` of the server."""
    addresses = tuple(other.encode() for other in others[:MAX_LINK_ADDRESSES])
    return ServerInviteLink(fingerprint, invite.invite, secret, addresses)
