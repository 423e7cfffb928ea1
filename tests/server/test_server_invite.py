from random import Random

from tertulia.crypto import ED25519, Secret
from tertulia.server.server_invite import Terms, link_of, new_invite
from tertulia.wire import MAX_LINK_ADDRESSES, parse_link


def test_a_link_carries_the_secret_and_who_the_server_is() -> None:
    terms = Terms(uses=3, expires=9, makes_owner=True)
    invite, secret = new_invite(Random(1).randbytes, 5, terms)
    assert ED25519.public_key(Secret(secret)) == invite.public_key
    assert (invite.uses, invite.expires, invite.makes_owner) == (3, 9, True)
    assert (invite.created, invite.used) == (5, 0)
    link = link_of(invite, secret, bytes(32), ("chat.example:8000",))
    parsed = parse_link(link.url("https://192.0.2.1:8000"))
    assert parsed.link == link
    assert (link.invite, link.secret) == (invite.invite, secret)
    assert (link.fingerprint, link.addresses) == (bytes(32), (b"chat.example:8000",))


def test_a_link_names_a_few_addresses() -> None:
    invite, secret = new_invite(Random(1).randbytes, 5, Terms())
    others = tuple(f"host{number}:8000" for number in range(20))
    link = link_of(invite, secret, bytes(32), others)
    assert [each.decode() for each in link.addresses] == list(
        others[:MAX_LINK_ADDRESSES]
    )
