"""Each change of a room, beside a room that must stay as it is."""

from collections.abc import Iterator
from dataclasses import replace

import pytest

from tertulia.client import (
    ChangeKeys,
    DropEpoch,
    DropInvite,
    DropOutbox,
    DropPending,
    DropRoom,
    EvidenceRow,
    InviteRow,
    OutboxRow,
    PutEpoch,
    PutEvidence,
    PutInvite,
    PutOutbox,
    PutPending,
    PutRoom,
    PutTree,
    RoomRow,
    RowChange,
    StoredRoom,
    TreeRow,
)
from tertulia.vault import Vault
from tests.vault.samples import OTHER, RELAY, ROOM, all_of_a_room, as_stored

BEFORE = as_stored(ROOM)


@pytest.fixture(autouse=True)
def _beside_another(vault: Vault) -> Iterator[None]:
    vault.save([*all_of_a_room(ROOM), *all_of_a_room(OTHER)])
    yield
    assert as_stored(OTHER) in vault.rooms(RELAY)
    assert vault.count_messages(OTHER) == 1


def after(vault: Vault, *changes: RowChange) -> StoredRoom:
    vault.save(changes)
    (found,) = [room for room in vault.rooms(RELAY) if room.row.room == ROOM]
    return found


def test_a_room_comes_back_with_all_its_rows(vault: Vault) -> None:
    assert after(vault) == BEFORE


def test_rooms_are_a_relay_s_and_keep_their_order(vault: Vault) -> None:
    alone = RoomRow(b"alone", b"another relay", b"new")
    changed = RoomRow(ROOM, RELAY, b"changed")
    assert after(vault, PutRoom(alone), PutRoom(changed)).row == changed
    assert [room.row.room for room in vault.rooms(RELAY)] == [ROOM, OTHER]
    assert vault.rooms(b"another relay") == [StoredRoom(alone)]
    assert vault.rooms(b"no relay") == []


def test_an_epoch_replaces_all_keys(vault: Vault) -> None:
    found = after(vault, PutEpoch(ROOM, b"next", {b"b": b"3", b"c": b"4"}))
    assert found == replace(BEFORE, epoch=b"next", keys={b"b": b"3", b"c": b"4"})


def test_keys_are_replaced_added_and_deleted_one_by_one(vault: Vault) -> None:
    found = after(vault, ChangeKeys(ROOM, {b"a": None, b"b": b"5", b"c": b"6"}))
    assert found == replace(BEFORE, keys={b"b": b"5", b"c": b"6"})
    assert after(vault, ChangeKeys(ROOM, {})) == found


def test_a_dropped_epoch_leaves_no_key(vault: Vault) -> None:
    found = after(vault, DropEpoch(ROOM))
    assert found == replace(BEFORE, epoch=None, tree=(), keys={})


def test_patches_follow_a_tree_and_go_with_it(vault: Vault) -> None:
    patch = TreeRow(ROOM, 9, b"another")
    found = after(vault, PutTree(patch, follows=True))
    assert found == replace(BEFORE, tree=(*BEFORE.tree, patch))
    whole = TreeRow(ROOM, 10, b"whole")
    assert after(vault, PutTree(whole)) == replace(BEFORE, tree=(whole,))


def test_there_is_one_pending_handshake(vault: Vault) -> None:
    found = after(vault, PutPending(ROOM, b"another"))
    assert found == replace(BEFORE, pending=b"another")
    assert after(vault, DropPending(ROOM)) == replace(BEFORE, pending=None)


def test_the_outbox_is_in_order_of_numbers(vault: Vault) -> None:
    rows = [
        OutboxRow(ROOM, number, key, b"text") for number, key in ((3, b"y"), (2, b"z"))
    ]
    found = after(vault, *map(PutOutbox, rows))
    assert found == replace(BEFORE, outbox=(*BEFORE.outbox, rows[1], rows[0]))
    resent = OutboxRow(ROOM, 2, b"z", b"sent")
    found = after(vault, PutOutbox(resent), DropOutbox(ROOM, b"key"))
    assert found == replace(BEFORE, outbox=(resent, rows[0]))


def test_invites_are_kept_until_they_are_dropped(vault: Vault) -> None:
    another = InviteRow(ROOM, b"another", "second link")
    found = after(vault, PutInvite(another))
    assert found == replace(BEFORE, invites=(*BEFORE.invites, another))
    assert after(vault, DropInvite(ROOM, b"another")) == BEFORE


def test_a_dropped_room_leaves_nothing_but_proofs(vault: Vault) -> None:
    proof = EvidenceRow(ROOM, 1, "code", b"proof")
    vault.save([PutEvidence(proof), DropRoom(ROOM)])
    assert [room.row.room for room in vault.rooms(RELAY)] == [OTHER]
    assert vault.messages(ROOM, 0, 10) == []
    assert vault.entries(ROOM, 0, 10) == []
    assert vault.evidence() == [proof]
    # Nothing of it waits for a room of the same id.
    empty = StoredRoom(BEFORE.row)
    assert after(vault, PutRoom(BEFORE.row)) == empty


def test_what_is_not_there_can_be_dropped(vault: Vault) -> None:
    for room in (ROOM, b"no such room"):
        vault.save([DropPending(room), DropOutbox(room, b"?"), DropInvite(room, b"?")])
    vault.save([DropRoom(b"no such room"), DropEpoch(b"no such room")])
    assert after(vault) == replace(BEFORE, pending=None)
