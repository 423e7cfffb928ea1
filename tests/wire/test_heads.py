"""Signed heads: one signature for many rooms, and each stands alone."""

from hashlib import sha256
from random import Random

import pytest
from msgspec.structs import replace

from tertulia.crypto import ED25519, CryptoError
from tertulia.wire import Head, HeadRoot, limits, sign_heads, verify_head

KEY = ED25519.generate(Random(1).randbytes)


def heads(count: int) -> list[Head]:
    rng = Random(count).randbytes
    return [Head(rng(16), b"i" * 16, place, rng(32)) for place in range(1, count + 1)]


def test_a_head_is_hashed_byte_by_byte_as_documented() -> None:
    head = Head(b"r" * 16, b"i" * 16, 258, b"h" * 32)
    place = bytes([0, 0, 0, 0, 0, 0, 1, 2])
    hashed = b"Tertulia 1 head" + b"r" * 16 + b"i" * 16 + place + b"h" * 32
    assert head.leaf() == sha256(hashed).digest()


def test_a_head_alone_is_its_own_root() -> None:
    (head,) = heads(1)
    (signed,) = sign_heads(KEY.private, [head])
    assert signed.path == ()
    HeadRoot(head.leaf()).verify(KEY.public, signed.signature)


def test_two_heads_have_each_other_on_their_path() -> None:
    one, other = heads(2)
    first, second = sign_heads(KEY.private, [one, other])
    assert (first.path, second.path) == ((other.leaf(),), (one.leaf(),))
    root = sha256(b"Tertulia 1 node" + b"".join(sorted([one.leaf(), other.leaf()])))
    HeadRoot(root.digest()).verify(KEY.public, first.signature)


@pytest.mark.parametrize("count", [0, 1, 2, 3, 5, 8, 13, 64, 100])
def test_every_head_is_verified_by_itself(count: int) -> None:
    said = heads(count)
    signed = sign_heads(KEY.private, said)
    assert len({each.signature for each in signed}) == min(count, 1)
    assert [(each.place, each.hash) for each in signed] == [
        (each.place, each.hash) for each in said
    ]
    for head, each in zip(said, signed, strict=True):
        assert len(each.path) <= (count - 1).bit_length() <= limits.HEAD_PATH
        verify_head(KEY.public, head.room, each)
        other = replace(each, hash=bytes(32))
        for wrong in (other, replace(each, place=0), replace(each, path=each.path[1:])):
            if wrong != each:
                with pytest.raises(CryptoError):
                    verify_head(KEY.public, head.room, wrong)
        with pytest.raises(CryptoError):
            verify_head(KEY.public, bytes(16), each)


def test_a_node_is_no_head() -> None:
    """What is hashed for a parent is never what is hashed for a head."""
    one, other = heads(2)
    (signed, _) = sign_heads(KEY.private, [one, other])
    children = b"".join(sorted([one.leaf(), other.leaf()]))
    assert len(children) < 16 + 16 + 8 + 32
    with pytest.raises(CryptoError):
        verify_head(
            KEY.public, one.room, replace(signed, path=(*signed.path, bytes(32)))
        )
