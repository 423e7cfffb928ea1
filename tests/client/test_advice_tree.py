"""The tree for joiners: whole, or a patch after the one of the epoch before."""

from dataclasses import replace
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tertulia.client.advice_tree import (
    MAX_LEAVES,
    KnownTree,
    epoch_key,
    known_tree,
    open_tree,
    seal_patch,
    seal_tree,
)
from tertulia.client.invites import InviteTerms, new_invite
from tertulia.client.padding import pad, padded_size
from tertulia.client.sealing import seal
from tertulia.client.value_errors import SealError
from tertulia.codec import CodecError
from tertulia.crypto import Secret
from tertulia.mls import Group, InvalidError, RatchetTree
from tertulia.wire import KeptPatches, frames, limits
from tests.client.society import (
    ROOM,
    Manner,
    Room,
    add,
    attempt,
    by_invite,
    changed,
    enter,
    identity_of,
    person,
    policy_in,
    remove,
    renewed,
    room_of,
    seeded,
)

RNG = seeded("trees")
SECRET, INVITE = new_invite(person("Ana").account_public, InviteTerms(), seeded("one"))


def group_in(room: Room) -> Group:
    return next(iter(room.values()))


def known(room: Room) -> KnownTree:
    group = group_in(room)
    return known_tree(epoch_key(group), group.tree)


class Shelf:
    """What a relay keeps of one room's tree, and by its rules."""

    def __init__(self, room: Room) -> None:
        self.patches: tuple[bytes, ...] = ()
        self.put_whole(known(room))

    def put_whole(self, tree: KnownTree) -> None:
        self.name, self.patches = tree.name, ()
        self.tree = seal_tree(tree, ROOM, RNG)

    def put(self, before: KnownTree, after: KnownTree) -> bool:
        """Follow a commit; tell whether that took the whole tree."""
        patch = seal_patch(before, after, ROOM, RNG)
        kept = KeptPatches(
            len(self.tree), len(self.patches), sum(map(len, self.patches))
        )
        if patch is None or not kept.has_room_for(len(patch.blob)):
            self.put_whole(after)
            return True
        assert patch.after == self.name
        self.name, self.patches = after.name, (*self.patches, patch.blob)
        return False

    def open(self, room: Room) -> KnownTree:
        return open_tree(epoch_key(group_in(room)), ROOM, self.tree, self.patches)


def rooms_and_shelf(*steps: str) -> tuple[list[Room], Shelf]:
    """Return a room after each commit by these people, and what the relay has."""
    rooms: list[Room] = [room_of("Ana", "Luis", "Eva")]
    shelf = Shelf(rooms[0])
    for who in steps:
        rooms.append(attempt(rooms[-1], who))
        assert not shelf.put(known(rooms[-2]), known(rooms[-1]))
    return rooms, shelf


@settings(max_examples=25)
@given(st.integers(0, 2**32), st.integers(1, 12))
def test_whole_tree_and_patches_are_the_tree_whatever_happens(
    seed: int, steps: int
) -> None:
    random = Random(seed)
    room: Room = room_of("Ana", "Luis", invites=(INVITE,))
    shelf = Shelf(room)
    for number in range(steps):
        before, others = room, [name for name in room if name != "Ana"]
        move = random.choice(("refresh", "enter", "enter", "enter", "add", "remove"))
        who = random.choice(list(room))
        if move == "enter" and policy_in(room).invites:
            epoch = group_in(room).context.epoch
            authorize = by_invite(SECRET, epoch=epoch)
            room = enter(room, person(f"joiner {number}"), authorize)
        elif move == "remove" and others:
            gone = random.choice(others)
            change = changed(room, secret=Secret(random.randbytes(32)), invites=())
            room = attempt(room, "Ana", remove(room, gone), change)
        elif move == "add":
            room = attempt(room, who, add(person(f"added {number}")))
        elif not policy_in(room).invites:
            room = attempt(room, "Ana", changed(room, invites=(INVITE,)))
        else:
            room = attempt(room, who)
        was_whole = shelf.put(known(before), known(room))
        opened = shelf.open(room)
        assert opened.tree == group_in(room).tree
        assert (opened.name, opened.key) == (known(room).name, known(room).key)
        assert was_whole == (not shelf.patches)
        assert was_whole or move != "remove" or not others
        if not was_whole:
            with pytest.raises(SealError):
                shelf.open(before)  # an older key opens nothing newer


def test_a_patch_is_one_path_and_little_more() -> None:
    rooms, shelf = rooms_and_shelf("Luis", "Ana")
    assert len(shelf.patches) == 2
    assert sum(map(len, shelf.patches)) < 2 * len(shelf.tree)
    for blob in (shelf.tree, *shelf.patches):
        size = len(blob) - 28
        assert padded_size(size) == size
    assert shelf.open(rooms[-1]).kept == KeptPatches(
        len(shelf.tree), 2, sum(map(len, shelf.patches))
    )


def test_patches_must_be_all_there_and_in_order() -> None:
    rooms, shelf = rooms_and_shelf("Luis", "Ana", "Eva")
    key = epoch_key(group_in(rooms[-1]))
    first, second, third = shelf.patches
    for patches in (
        (),
        (first, second),
        (second, third),
        (first, third),
        (second, first, third),
        (first, second, third, third),
        (first, second, third[:-1]),
        (first, second, b""),
    ):
        with pytest.raises(SealError):
            open_tree(key, ROOM, shelf.tree, patches)
    for tree in (b"", shelf.tree[:-1], first, seal_tree(known(rooms[1]), ROOM, RNG)):
        with pytest.raises(SealError):
            open_tree(key, ROOM, tree, shelf.patches)
    with pytest.raises(SealError):
        open_tree(key, bytes(16), shelf.tree, shelf.patches)


def test_whoever_has_an_older_key_opens_what_was_there_then() -> None:
    rooms, shelf = rooms_and_shelf("Luis", "Ana")
    key = epoch_key(group_in(rooms[1]))
    opened = open_tree(key, ROOM, shelf.tree, shelf.patches[:1])
    assert opened.tree == group_in(rooms[1]).tree


def test_what_takes_somebody_out_is_followed_by_the_whole_tree() -> None:
    room = room_of("Ana", "Luis", "Eva", "Juan", "Mia")
    for name in ("Luis", "Mia"):  # the last one's place goes with half of the tree
        after = attempt(room, "Ana", remove(room, name), renewed(room))
        assert seal_patch(known(room), known(after), ROOM, RNG) is None


def test_who_takes_a_place_that_somebody_left_in_the_same_commit_is_seen() -> None:
    room = room_of("Ana", "Luis", "Eva")
    proposals = (remove(room, "Luis"), add(person("Juan")), renewed(room))
    after = attempt(room, "Ana", *proposals)
    assert len(list(group_in(after).tree.members())) == 3
    assert seal_patch(known(room), known(after), ROOM, RNG) is None


def test_a_new_name_takes_nobody_out() -> None:
    room = room_of("Ana", "Luis")
    renamed = replace(person("Luis"), name="Luisa")
    after = attempt(room, "Luis", manner=Manner(identity=identity_of(renamed)))
    patch = seal_patch(known(room), known(after), ROOM, RNG)
    assert isinstance(patch, frames.TreePatch)


def test_a_patch_that_is_too_large_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    room = room_of("Ana", "Luis")
    before, after = known(room), known(attempt(room, "Ana"))
    patch = seal_patch(before, after, ROOM, RNG)
    assert patch is not None
    size = len(patch.blob)
    monkeypatch.setattr(limits, "TREE_PATCH", size)
    assert seal_patch(before, after, ROOM, RNG) is not None
    monkeypatch.setattr(limits, "TREE_PATCH", size - 1)
    assert seal_patch(before, after, ROOM, RNG) is None


def test_where_the_relay_has_many_patches_the_next_is_none() -> None:
    room = room_of("Ana", "Luis")
    after = known(attempt(room, "Ana"))
    for kept, fits in (
        (KeptPatches(1_000, 3, 3_000), True),
        (KeptPatches(1_000, 3, limits.SMALL_TREE_PATCHES), False),
    ):
        before = replace(known(room), kept=kept)
        assert (seal_patch(before, after, ROOM, RNG) is not None) is fits


def test_what_opens_must_be_a_patch_of_a_tree() -> None:
    rooms, shelf = rooms_and_shelf("Luis")
    key, tree_key = epoch_key(group_in(rooms[1])), known(rooms[1]).key

    def opens(patch: bytes, sealed_by: Secret = tree_key) -> None:
        blob = seal(sealed_by, "tree patch", ROOM, pad(patch), RNG)
        open_tree(key, ROOM, shelf.tree, (blob,))

    before = b"\x20" + known(rooms[0]).key.reveal()
    opens(b"\1" + before + b"\0\0\0\4" + b"\0")
    for patch in (b"", b"\2" + before + b"\0\0\0\4\0", b"\1" + before + b"\0\0\0\4"):
        with pytest.raises(CodecError):
            opens(patch)
    with pytest.raises(InvalidError):
        opens(b"\1" + before + b"\0\0\0\3" + b"\0")
    with pytest.raises(SealError):
        opens(b"\1" + before + b"\0\0\0\4" + b"\0", Secret(bytes(32)))


def test_a_tree_larger_than_any_room_is_refused() -> None:
    group = group_in(room_of("Ana"))
    count = 1 << MAX_LEAVES.bit_length()
    blanks = [None] * (2 * count - 3)
    tree = RatchetTree([group.tree.nodes[0], *blanks, group.tree.nodes[0]])
    blob = seal_tree(known_tree(epoch_key(group), tree), ROOM, RNG)
    with pytest.raises(InvalidError, match=f"a tree of {count} leaves"):
        open_tree(epoch_key(group), ROOM, blob, ())
