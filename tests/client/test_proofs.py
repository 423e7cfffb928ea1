"""Proofs of invites hold for one connection, one device and one link."""

from dataclasses import replace

import pytest

from tertulia.client.invites import invite_secrets
from tertulia.client.proofs import prove_invite
from tertulia.client.rows import RelayRow
from tertulia.client.state import Link, Session
from tertulia.client.turn import Turn
from tertulia.crypto import ED25519, CryptoError, Secret
from tertulia.wire import InviteClaim, RoomInviteLink, ServerInviteLink, frames
from tests.client.society import NOW, person, seeded

ANA = person("Ana")
LINK = Link(identity=b"i" * 32, nonce=b"n" * 32, relay_nonce=b"r" * 32)
SESSION = Session(ANA, RelayRow(bytes(32), (), 0), seeded("proofs"), link=LINK)
ROOM_LINK = RoomInviteLink(
    bytes(32), b"room of someone ", 1, bytes(32), 0, 0, bytes(32), b"s" * 32, ()
)
SECRETS = invite_secrets(Secret(ROOM_LINK.secret))


def claim(invite: bytes, room: bytes) -> InviteClaim:
    return InviteClaim(
        LINK.identity, LINK.nonce, LINK.relay_nonce, room, invite, ANA.device
    )


def test_a_link_to_a_room_is_proved_with_the_key_that_its_secret_gives() -> None:
    proof = prove_invite(Turn(SESSION, NOW), ROOM_LINK)
    assert (proof.invite, proof.room) == (SECRETS.invite, ROOM_LINK.room)
    said = claim(SECRETS.invite, ROOM_LINK.room)
    said.verify(SECRETS.keys.public, proof.signature)


def test_a_link_to_a_server_is_proved_with_the_key_that_it_carries() -> None:
    keys = ED25519.generate(seeded("server invite"))
    link = ServerInviteLink(bytes(32), b"v" * 16, keys.private.reveal(), ())
    proof = prove_invite(Turn(SESSION, NOW), link)
    assert proof == frames.InviteProof(b"v" * 16, proof.signature, None)
    claim(b"v" * 16, b"").verify(keys.public, proof.signature)


@pytest.mark.parametrize(
    "link",
    [
        replace(LINK, identity=b"x" * 32),
        replace(LINK, nonce=b"x" * 32),
        replace(LINK, relay_nonce=b"x" * 32),
    ],
    ids=["identity", "nonce", "relay_nonce"],
)
def test_a_proof_is_worth_nothing_on_another_connection(link: Link) -> None:
    other = replace(SESSION, link=link)
    proof = prove_invite(Turn(other, NOW), ROOM_LINK)
    said = claim(SECRETS.invite, ROOM_LINK.room)
    with pytest.raises(CryptoError):
        said.verify(SECRETS.keys.public, proof.signature)
