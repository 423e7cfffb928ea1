"""Invites: everything that a link's secret gives.

A link carries 32 random bytes. Whoever has them derives the key that signs the entry,
the key under which the room's GroupInfo is wrapped, and the invite's id. The room's
policy lists the public halves, and the wrap key, for members wrap anew at each commit.
"""

from dataclasses import dataclass

from tertulia.client.derivation import derive
from tertulia.client.room_policy import ListedInvite, Role
from tertulia.crypto import ED25519, KeyPair, Rng, Secret

_KIND = "invite"


@dataclass(frozen=True, slots=True)
class InviteSecrets:
    """What a link's secret gives."""

    invite: bytes
    keys: KeyPair
    wrap_key: Secret


@dataclass(frozen=True, slots=True)
class InviteTerms:
    """What an invite grants, and what the relay holds it to.

    `expires` is in milliseconds since 1970. Without `uses` anybody may use the link.
    """

    role: Role = Role.MEMBER
    expires: int | None = None
    uses: int | None = None


def invite_secrets(secret: Secret) -> InviteSecrets:
    """Return what the secret of a link gives."""
    private = derive(secret, _KIND, "invite key")
    return InviteSecrets(
        derive(secret, _KIND, "invite id", 16).reveal(),
        KeyPair(private, ED25519.public_key(private)),
        derive(secret, _KIND, "wrap key"),
    )


def new_invite(
    creator: bytes, terms: InviteTerms, rng: Rng
) -> tuple[Secret, ListedInvite]:
    """Return a link's secret, and the invite for the policy; `creator` is an account key."""
    secret = Secret(rng(32))
    secrets = invite_secrets(secret)
    listed = ListedInvite(
        invite=secrets.invite,
        public_key=secrets.keys.public,
        wrap_key=secrets.wrap_key,
        role=terms.role,
        creator=creator,
        expires=terms.expires,
        uses=terms.uses,
    )
    return secret, listed
