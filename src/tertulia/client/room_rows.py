"""A room as rows: what to save after a step, and how to load it again."""

from collections.abc import Mapping

import msgspec
from msgspec import Struct
from msgspec.structs import replace as changed

from tertulia import mls
from tertulia.client.room import Live, OutboxMessage, Pending, Room, RoomState
from tertulia.client.rows import (
    ChangeKeys,
    DropEpoch,
    DropInvite,
    DropOutbox,
    DropPending,
    InviteRow,
    OutboxRow,
    PutEpoch,
    PutInvite,
    PutOutbox,
    PutPending,
    PutRoom,
    RoomRow,
    RowChange,
    StoredRoom,
)
from tertulia.client.tree_rows import (
    changed_tree,
    decoded_tree,
    load_tree,
    tree_change,
)
from tertulia.client.views import RoomStatus
from tertulia.crypto import lacks_ml_kem


class _PendingRecord(Struct, frozen=True, array_like=True):
    key: bytes
    handshake: int
    blob_hash: bytes
    epoch: bytes
    keys: dict[bytes, bytes]
    tree: bytes = b""  # inside `epoch` in records of older vaults
    follows: bool = False  # it is a patch of the tree of the room's epoch


def changes_of(before: Room | None, after: Room, relay: bytes) -> list[RowChange]:
    """Return what to save so that `after` can be loaded, given that `before` can."""
    changes: list[RowChange] = []
    if before is None or before.state != after.state:
        state = msgspec.msgpack.encode(after.state)
        changes.append(PutRoom(RoomRow(after.id, relay, state)))
    changes += _group_changes(None if before is None else before.group, after)
    changes += _pending_changes(before, after)
    changes += _outbox_changes(() if before is None else before.outbox, after)
    changes += _invite_changes({} if before is None else before.links, after)
    return changes


def _group_changes(before: mls.Group | None, after: Room) -> list[RowChange]:
    group = after.group
    if group is before:
        return []
    if group is None:
        return [DropEpoch(after.id)]
    if before is None or before.epoch is not group.epoch:
        epoch, keys = mls.save_epoch(group.epoch), mls.save_traffic(group.traffic)
        saved = before if after.tree_apart else None
        tree = tree_change(after.id, saved, group)
        return [tree, PutEpoch(after.id, epoch, keys)]
    keys_changed = mls.changed_rows(before.traffic, group.traffic)
    return [ChangeKeys(after.id, keys_changed)] if keys_changed else []


def _pending_changes(before: Room | None, after: Room) -> list[RowChange]:
    pending, old = after.pending, None if before is None else before.pending
    if pending is None:
        return [] if old is None else [DropPending(after.id)]
    if pending is old and before is not None and _tree(before) is _tree(after):
        return []
    tree = tree_change(after.id, after.group, pending.after)
    record = _PendingRecord(
        pending.key,
        pending.handshake,
        pending.blob_hash,
        mls.save_epoch(pending.after.epoch),
        dict(mls.save_traffic(pending.after.traffic)),
        tree.row.tree,
        tree.follows,
    )
    return [PutPending(after.id, msgspec.msgpack.encode(record))]


def _tree(room: Room) -> mls.RatchetTree | None:
    return None if room.group is None else room.group.tree


def _outbox_changes(before: tuple[OutboxMessage, ...], after: Room) -> list[RowChange]:
    if before is after.outbox:
        return []
    old = {message.key: message for message in before}
    new = {message.key: message for message in after.outbox}
    changes: list[RowChange] = [
        DropOutbox(after.id, key) for key in old if key not in new
    ]
    for key, message in new.items():
        if old.get(key) is not message:
            state = msgspec.msgpack.encode(message)
            changes.append(PutOutbox(OutboxRow(after.id, message.number, key, state)))
    return changes


def _invite_changes(before: Mapping[bytes, str], after: Room) -> list[RowChange]:
    if before is after.links:
        return []
    changes: list[RowChange] = [
        DropInvite(after.id, invite) for invite in before if invite not in after.links
    ]
    changes += [
        PutInvite(InviteRow(after.id, invite, link))
        for invite, link in after.links.items()
        if before.get(invite) != link
    ]
    return changes


def load_room(stored: StoredRoom) -> Room:
    """Return a room as it was saved; raise StateError if the rows are damaged."""
    try:
        state = msgspec.msgpack.decode(stored.row.state, type=RoomState)
        outbox = tuple(
            msgspec.msgpack.decode(row.state, type=OutboxMessage)
            for row in stored.outbox
        )
    except msgspec.DecodeError as error:
        raise mls.StateError(str(error)) from error
    if state.status is RoomStatus.OUTDATED:
        # Perhaps the program was updated since: look at the entry again.
        state = changed(state, status=RoomStatus.MEMBER)
    group = _load_group(stored)
    is_member = state.status is RoomStatus.MEMBER
    if is_member and group is not None and lacks_ml_kem(group.suite.id):
        # Changes of the group are out of reach, as those of newer rules are.
        state = changed(state, status=RoomStatus.OUTDATED)
    return Room(
        stored.row.room,
        state,
        group,
        _load_pending(stored.pending, group),
        tuple(sorted(outbox, key=lambda message: message.number)),
        {row.invite: row.link for row in stored.invites},
        {place: hash_ for place, hash_ in stored.entries if place <= state.place},
        Live(),
        tree_apart=stored.epoch is None or bool(stored.tree),
    )


def _load_group(stored: StoredRoom) -> mls.Group | None:
    if stored.epoch is None:
        return None
    group = mls.load_group(stored.epoch, stored.keys, load_tree(stored.tree))
    if stored.tree and stored.tree[-1].epoch != group.context.epoch:
        raise mls.StateError("the tree is of another epoch")
    return group


def _load_pending(data: bytes | None, before: mls.Group | None) -> Pending | None:
    if data is None:
        return None
    try:
        record = msgspec.msgpack.decode(data, type=_PendingRecord)
    except msgspec.DecodeError as error:
        raise mls.StateError(str(error)) from error
    tree = None
    if record.follows and before is not None:
        tree = changed_tree(before.tree, record.tree)
    elif record.tree:
        tree = decoded_tree(record.tree)
    group = mls.load_group(record.epoch, record.keys, tree)
    return Pending(record.key, record.handshake, record.blob_hash, group)
