"""What is saved after a step is what is loaded again, and no more than changed."""

from dataclasses import replace

import msgspec
import pytest

from tertulia import mls
from tertulia.client import limits
from tertulia.client.commands import (
    CreateInvite,
    InviteMade,
    RevokeInvite,
    SendText,
)
from tertulia.client.effects import Asked
from tertulia.client.room import Live, Pending, Room, RoomState
from tertulia.client.room_rows import changes_of, load_room
from tertulia.client.rows import (
    ChangeKeys,
    DropEpoch,
    DropInvite,
    DropOutbox,
    DropPending,
    OutboxRow,
    PutEpoch,
    PutInvite,
    PutOutbox,
    PutPending,
    PutRoom,
    PutTree,
    RoomRow,
    StoredRoom,
)
from tertulia.client.views import RoomStatus
from tertulia.codec import encode_opaque
from tests.client.script import group_of, room_of, status
from tests.client.world import Device, World
from tests.mls.world import make
from tests.no_ml_kem import no_ml_kem

ID, RELAY = b"r" * 16, b"f" * 32
EMPTY = Room(ID, RoomState(RoomStatus.LEFT))


def circle() -> tuple[bytes, Device, Device]:
    room, (ana, luis) = World().circle("Ana", "Luis")
    return room, ana, luis


def kinds(before: Room | None, after: Room) -> list[type]:
    return [type(change) for change in changes_of(before, after, RELAY)]


def loaded(device: Device, room: bytes) -> Room:
    (stored,) = [each for each in device.disk.stored_rooms() if each.row.room == room]
    return load_room(stored)


def is_same(one: mls.Group | None, other: mls.Group | None) -> bool:
    """Tell whether two groups are the same down to every key."""
    assert one is not None
    assert other is not None
    return (
        mls.save_epoch(one.epoch) == mls.save_epoch(other.epoch)
        and one.tree == other.tree
        and mls.save_traffic(one.traffic) == mls.save_traffic(other.traffic)
    )


def test_a_room_is_loaded_as_it_was_saved() -> None:
    room, ana, luis = circle()
    ana.say(room, "hola")
    luis.say(room, "buenas")
    ana.get(CreateInvite(room))
    for device in (ana, luis):
        kept, again = room_of(device, room), loaded(device, room)
        assert is_same(kept.group, again.group)
        # Everything else can be compared as it is.
        assert again == replace(
            kept,
            live=Live(),
            group=again.group,
            hashes=again.hashes,
        )
        assert set(kept.hashes.items()) <= {
            *again.hashes.items(),
            *((place, each) for place, each in kept.hashes.items() if place == 0),
        }


def test_messages_that_wait_are_loaded_in_their_order() -> None:
    room, ana, _ = circle()
    ana.world.reachable = False
    ana.world.cut(ana)
    for text in ("one", "two", "three"):
        ana.get(SendText(room, text))
    again = loaded(ana, room)
    assert again.outbox == room_of(ana, room).outbox
    assert [message.number for message in again.outbox] == [2, 3, 4]
    shuffled = StoredRoom(
        ana.disk.rooms[room], outbox=tuple(reversed(list(ana.disk.outbox.values())))
    )
    assert load_room(shuffled).outbox == again.outbox


def test_a_handshake_on_its_way_is_loaded_with_the_epoch_it_starts() -> None:
    room, ana, luis = circle()
    after = group_of(luis, room)
    kept = replace(room_of(ana, room), pending=Pending(b"k" * 16, 3, b"h" * 32, after))
    (change,) = changes_of(room_of(ana, room), kept, RELAY)
    ana.disk.save((change,))
    again = loaded(ana, room).pending
    assert again is not None
    assert (again.key, again.handshake, again.blob_hash) == (b"k" * 16, 3, b"h" * 32)
    assert is_same(again.after, after)


def test_a_handshake_on_its_way_is_saved_with_what_it_changes() -> None:
    room, ana, _ = circle()
    kept = room_of(ana, room)
    assert kept.group is not None
    made = make(kept.group)
    assert made.after.context.epoch % limits.WHOLE_TREE_EPOCHS
    waits = replace(kept, pending=Pending(b"k" * 16, 3, b"h" * 32, made.after))
    changes = changes_of(kept, waits, RELAY)
    ana.disk.save(changes)
    again = loaded(ana, room).pending
    assert again is not None
    assert is_same(again.after, made.after)
    # It is a patch of a tree: when that is another one, it is saved anew.
    moved = replace(waits, group=make(made.after).after)
    assert kinds(waits, moved) == [PutTree, PutEpoch, PutPending]
    assert kinds(waits, replace(waits, group=kept.group)) == []


def test_a_tree_inside_the_epoch_s_record_is_put_beside_the_next() -> None:
    room, ana, luis = circle()
    kept = room_of(ana, room)
    group = kept.group
    assert group is not None
    record, context = mls.save_epoch(group.epoch), group.context.encode()
    tree = encode_opaque(group.tree.encode())
    older = record[:1] + context + tree + record[len(context) + 2 :]
    pending = msgspec.msgpack.encode([b"k" * 16, 3, b"h" * 32, older, {}])
    (now,) = [each for each in ana.disk.stored_rooms() if each.row.room == room]
    again = load_room(replace(now, epoch=older, tree=(), pending=pending))
    assert is_same(again.group, group)
    assert again.pending is not None
    assert again.pending.after.tree == group.tree
    assert not again.tree_apart
    luis.get(CreateInvite(room))
    change, *_ = changes_of(
        again, replace(again, group=group_of(ana, room), pending=None), RELAY
    )
    assert isinstance(change, PutTree)
    assert not change.follows


def test_a_tree_of_another_epoch_is_refused() -> None:
    room, ana, _ = circle()
    (now,) = [each for each in ana.disk.stored_rooms() if each.row.room == room]
    (first, *_) = now.tree
    whole = group_of(ana, room).tree.encode()
    with pytest.raises(mls.StateError, match="another epoch"):
        load_room(replace(now, tree=(replace(first, epoch=77, tree=whole),)))


def test_what_did_not_change_is_not_saved() -> None:
    room, ana, _ = circle()
    kept = room_of(ana, room)
    assert changes_of(kept, kept.with_live(paused=9), RELAY) == []
    same = replace(kept, links=dict(kept.links))
    assert changes_of(kept, same, RELAY) == []
    group = group_of(ana, room)
    again = replace(kept, group=mls.Group(group.epoch, group.traffic))
    assert changes_of(kept, again, RELAY) == []


def test_a_text_saves_its_state_one_key_and_itself() -> None:
    room, ana, _ = circle()
    before = room_of(ana, room)
    ana.feed(Asked(99, SendText(room, "hola")))
    after = room_of(ana, room)
    changes = changes_of(before, after, RELAY)
    assert [type(change) for change in changes] == [PutRoom, ChangeKeys, PutOutbox]
    (keys,) = [change for change in changes if isinstance(change, ChangeKeys)]
    assert len(keys.keys) <= 4


def test_a_new_epoch_saves_all_its_keys() -> None:
    room, ana, luis = circle()
    before = room_of(ana, room)
    luis.get(CreateInvite(room))
    assert kinds(before, room_of(ana, room)) == [PutRoom, PutTree, PutEpoch]


def test_the_first_save_has_everything_there_is() -> None:
    room, ana, _ = circle()
    kept = room_of(ana, room)
    assert kinds(None, kept) == [PutRoom, PutTree, PutEpoch, PutInvite]
    assert kinds(None, EMPTY) == [PutRoom]
    (change,) = changes_of(None, EMPTY, RELAY)
    assert isinstance(change, PutRoom)
    assert (change.row.room, change.row.relay) == (ID, RELAY)


def test_neither_keys_nor_links_nor_words_show_in_a_repr() -> None:
    room, ana, _ = circle()
    made = ana.get(CreateInvite(room))
    assert isinstance(made, InviteMade)
    ana.world.reachable = False
    ana.world.cut(ana)
    ana.get(SendText(room, "a word of mine"))
    kept = room_of(ana, room)
    group = kept.group
    assert group is not None
    kept = replace(kept, pending=Pending(b"k" * 16, 3, b"h" * 32, group))
    changes = changes_of(None, kept, RELAY)
    assert {PutRoom, PutEpoch, PutPending, PutOutbox, PutInvite} <= {
        type(change) for change in changes
    }
    keys = ChangeKeys(room, mls.save_traffic(group.traffic))
    (stored,) = ana.disk.stored_rooms()
    shown = repr((*changes, keys, stored))
    secret = group.epoch.secrets.init_secret.reveal()
    assert repr(secret)[2:-1] not in shown
    for row in mls.save_traffic(group.traffic).values():
        assert repr(row)[2:-1] not in shown
    assert made.link not in shown
    assert "a word of mine" not in shown


def test_what_is_given_up_is_deleted() -> None:
    room, ana, _ = circle()
    ana.feed(Asked(99, SendText(room, "hola")))
    kept = room_of(ana, room)
    full = replace(kept, pending=Pending(b"k" * 16, 3, b"h" * 32, group_of(ana, room)))
    empty = replace(full, group=None, pending=None, outbox=(), links={})
    assert kinds(full, empty) == [DropEpoch, DropPending, DropOutbox, DropInvite]
    assert kinds(kept, full) == [PutPending]


def test_only_links_that_changed_are_saved() -> None:
    room, ana, _ = circle()
    before = room_of(ana, room)
    made = ana.get(CreateInvite(room))
    after = room_of(ana, room)
    changes = [
        change
        for change in changes_of(before, after, RELAY)
        if isinstance(change, PutInvite)
    ]
    assert [change.row.invite for change in changes] == [made.invite]
    ana.get(RevokeInvite(room, made.invite))
    assert DropInvite in kinds(after, room_of(ana, room))


def stored(
    state: bytes, *outbox: OutboxRow, pending: bytes | None = None
) -> StoredRoom:
    return StoredRoom(RoomRow(ID, RELAY, state), pending=pending, outbox=outbox)


def test_a_room_that_was_too_new_is_looked_at_again() -> None:
    room = load_room(stored(b"\x91\xa8outdated"))
    assert room.state.status is RoomStatus.MEMBER


@pytest.mark.parametrize(
    "damaged",
    [
        stored(b"garbage"),
        stored(b"\x91\xa7nowhere"),
        stored(b"\x91\xa4left", OutboxRow(ID, 1, b"k" * 16, b"garbage")),
        stored(b"\x91\xa4left", pending=b"garbage"),
        replace(stored(b"\x91\xa4left"), epoch=b"garbage"),
    ],
    ids=["state", "status", "outbox", "pending", "epoch"],
)
def test_damaged_rows_are_reported_as_such(damaged: StoredRoom) -> None:
    with pytest.raises(mls.StateError):
        load_room(damaged)


def test_without_ml_kem_a_hybrid_room_stands_still_and_loses_nothing() -> None:
    world = World()
    room, (ana, luis) = world.circle("Ana", "Luis")
    large, _ = world.room(ana, large=True)
    ana.crash()
    with no_ml_kem():
        ana.start()
    luis.get(CreateInvite(room))
    luis.say(room, "hola")
    assert status(ana, room) is RoomStatus.OUTDATED
    assert status(ana, large) is RoomStatus.MEMBER
    assert ana.texts(room) == []
    ana.crash()
    ana.start()
    world.settle()
    assert status(ana, room) is RoomStatus.MEMBER
    assert ana.texts(room) == ["hola"]
