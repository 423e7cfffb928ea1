"""Signed heads: whose word they are, and which two of them cannot both be true."""

from msgspec.structs import replace

from tertulia.client.heads import contradict, is_genuine
from tertulia.crypto import ED25519
from tertulia.wire import Head, frames, sign_heads
from tests.client.society import seeded

RELAY = ED25519.generate(seeded("relay"))
ROOM = b"r" * 16


def head(place: int = 7, running: bytes = b"h" * 32) -> frames.SignedHead:
    others = [Head(b"o" * 16, b"i" * 16, place, running)] * 2
    said = Head(ROOM, b"i" * 16, place, running)
    return sign_heads(RELAY.private, [*others, said])[-1]


def test_a_head_is_genuine_if_the_relay_signed_all_of_it() -> None:
    genuine = head()
    assert is_genuine(RELAY.public, ROOM, genuine)
    assert not is_genuine(RELAY.public, b"o" * 16, genuine)
    assert not is_genuine(ED25519.generate(seeded("other")).public, ROOM, genuine)
    for altered in (
        replace(genuine, incarnation=b"x" * 16),
        replace(genuine, place=8),
        replace(genuine, hash=b"x" * 32),
        replace(genuine, signature=bytes(64)),
        replace(genuine, path=()),
        replace(genuine, path=(bytes(32),)),
    ):
        assert not is_genuine(RELAY.public, ROOM, altered)


def test_before_the_relay_proved_itself_no_head_is_genuine() -> None:
    assert not is_genuine(b"", ROOM, head())


def test_two_hashes_of_one_place_contradict_each_other() -> None:
    one, other = head(), head(running=b"x" * 32)
    assert contradict(one, other)
    assert not contradict(one, one)
    assert not contradict(one, replace(other, place=8))
    assert not contradict(one, replace(other, incarnation=b"x" * 16))
