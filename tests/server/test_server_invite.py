from random import Random

import pytest

from tertulia.codec import CodecError
from tertulia.crypto import ED25519, Secret
from tertulia.server.server_invite import (
    KIND_SERVER,
    VERSION,
    ServerInviteLink,
    Terms,
    link_of,
    new_invite,
)


def test_a_link_carries_the_secret_and_who_the_server_is() -> None:
    terms = Terms(uses=3, expires=9, makes_owner=True)
    invite, secret = new_invite(Random(1).randbytes, 5, terms)
    assert ED25519.public_key(Secret(secret)) == invite.public_key
    assert (invite.uses, invite.expires, invite.makes_owner) == (3, 9, True)
    link = link_of(invite, secret, bytes(32), ("chat.example:8000",))
    url = link.url("https://192.0.2.1:8000")
    assert url.startswith("https://192.0.2.1:8000/i#")
    assert ServerInviteLink.parse(url) == link
    assert (link.invite, link.secret) == (invite.invite, secret)


@pytest.mark.parametrize(
    "url", ["", "https://x/i", "https://x/i#!", "https://x/i#AAAA"]
)
def test_what_is_no_link_is_said(url: str) -> None:
    with pytest.raises(CodecError):
        ServerInviteLink.parse(url)


def test_a_link_of_another_version_is_said() -> None:
    link = ServerInviteLink(9, 0, bytes(32), bytes(16), bytes(32), ())
    with pytest.raises(CodecError, match="version 9"):
        ServerInviteLink.parse(link.url("https://x"))


@pytest.mark.parametrize("part", ["fingerprint", "invite", "secret"])
def test_a_link_with_a_part_cut_short_is_no_link(part: str) -> None:
    whole = {"fingerprint": bytes(32), "invite": bytes(16), "secret": bytes(32)}
    short = ServerInviteLink(VERSION, KIND_SERVER, **{**whole, part: b""}, addresses=())
    sound = ServerInviteLink(VERSION, KIND_SERVER, **whole, addresses=())
    assert ServerInviteLink.parse(sound.url("https://h")) == sound
    with pytest.raises(CodecError, match="too short"):
        ServerInviteLink.parse(short.url("https://h"))
