"""The fuzz targets on their seeds, on cut seeds, and on inputs made to cost much."""

import tracemalloc
from collections.abc import Callable
from contextlib import suppress

import pytest

from fuzz import targets
from fuzz.room import Room, new_room
from fuzz.seeds import seeds
from tertulia.codec import CodecError, Reader, encode_opaque
from tertulia.crypto import cipher_suite
from tertulia.mls import InvalidError, StateError

ROOM = new_room(cipher_suite(1))
ROOMS = {"suite 1": ROOM, "hybrid": new_room(cipher_suite(0xF002))}
TARGETS: dict[str, Callable[[Room, bytes], None]] = {
    "decoding": targets.decoding,
    "receiving": targets.receiving,
    "cheating": targets.cheating,
    "joining": targets.joining,
}
SEEDS = {suite: seeds(room) for suite, room in ROOMS.items()}
# Costs grow with the input, not with its square: a quarter of a mebibyte tells enough.
LARGE = 1 << 18
LEAF = b"\1\1" + ROOM.ana.leaf.encode()


@pytest.mark.parametrize("suite", ROOMS)
@pytest.mark.parametrize("name", TARGETS)
def test_targets_behave_on_seeds_and_on_parts_of_them(name: str, suite: str) -> None:
    for seed in SEEDS[suite][name]:
        TARGETS[name](ROOMS[suite], seed)
        for part in (0, 1, len(seed) // 2, len(seed) - 1):
            TARGETS[name](ROOMS[suite], seed[:part])


@pytest.mark.parametrize("suite", ROOMS)
@pytest.mark.parametrize("name", TARGETS)
def test_targets_behave_on_altered_seeds(name: str, suite: str) -> None:
    for seed in SEEDS[suite][name][:40]:
        for position in range(0, len(seed), max(1, len(seed) // 16)):
            altered = bytearray(seed)
            altered[position] ^= 0x41
            TARGETS[name](ROOMS[suite], bytes(altered))


@pytest.mark.parametrize("suite", ROOMS)
def test_each_decoder_has_a_seed_that_it_takes(suite: str) -> None:
    taken = set()
    for seed in SEEDS[suite]["decoding"]:
        with suppress(CodecError, InvalidError, StateError):
            decoder = targets.chosen_decoder(seed)
            targets.DECODERS[decoder](ROOMS[suite], seed[1:])
            taken.add(decoder)
    assert taken == set(targets.DECODERS)


def test_a_target_lets_through_what_is_not_documented(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def break_down(_: bytes) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(targets, "decode_message", break_down)
    with pytest.raises(ZeroDivisionError):
        targets.receiving(ROOM, b"anything")


def _filled(element: bytes) -> bytes:
    """Return a large vector of one element."""
    return encode_opaque(element * ((LARGE - 8) // len(element)))


def _mostly_blank_tree() -> bytes:
    return encode_opaque(bytes((LARGE - len(LEAF)) // 2 * 2) + LEAF)


def _tree_of_parents() -> bytes:
    parent = b"\1\2" + encode_opaque(bytes(32)) + b"\0\0"
    tree = Reader(ROOM.ana.tree.encode())
    known = tree.take(tree.varint())
    count = (LARGE - len(known)) // (len(parent) + 1)
    return encode_opaque(known + (parent + b"\0") * (count // 2) + parent + LEAF)


COSTLY: dict[str, tuple[str, bytes]] = {
    "a tree of blank nodes": ("joining", _mostly_blank_tree()),
    "a tree of parents without children": ("joining", _tree_of_parents()),
    "empty references": ("cheating", b"\1" + _filled(b"\2\0") + b"\0"),
    "removes of one leaf": ("cheating", b"\1" + _filled(b"\1\0\3\0\0\0\2") + b"\0"),
    "empty extensions": ("cheating", b"\1\x01\x00\x07" + _filled(b"\0\1\0")),
    "unmerged leaves": (
        "joining",
        encode_opaque(LEAF + b"\1\2\x01k\0" + _filled(b"\0\0\0\1") + LEAF),
    ),
}


@pytest.mark.slow
@pytest.mark.parametrize("what", COSTLY)
def test_many_small_things_cost_bounded_memory(what: str) -> None:
    name, data = COSTLY[what]
    tracemalloc.start()
    try:
        TARGETS[name](ROOM, data)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 400 * LARGE
