"""Which query carries out which change."""

from typing import assert_never

import apsw

from tertulia.client import (
    ChangeKeys,
    DropEpoch,
    DropInvite,
    DropMessage,
    DropOutbox,
    DropPending,
    DropRoom,
    PutEntry,
    PutEpoch,
    PutEvidence,
    PutInvite,
    PutMessage,
    PutOutbox,
    PutPending,
    PutProfile,
    PutRelay,
    PutRoom,
    PutTree,
    RowChange,
)
from tertulia.vault import entries, evidence, messages, profiles, rooms


def apply(database: apsw.Connection, change: RowChange) -> None:
    """Carry out one change."""
    match change:
        case PutEntry(row):
            entries.put_entry(database, row)
        case PutMessage(row):
            messages.put_message(database, row)
        case DropMessage(room, message):
            messages.drop_message(database, room, message)
        case PutRoom(row):
            rooms.put_room(database, row)
        case DropRoom(room):
            rooms.drop_room(database, room)
        case PutEpoch(room, epoch, keys):
            rooms.put_epoch(database, room, epoch, keys)
        case PutTree(row, follows):
            rooms.put_tree(database, row, follows=follows)
        case ChangeKeys(room, changed):
            rooms.change_keys(database, room, changed)
        case DropEpoch(room):
            rooms.drop_epoch(database, room)
        case PutPending(room, pending):
            rooms.put_pending(database, room, pending)
        case DropPending(room):
            rooms.drop_pending(database, room)
        case PutOutbox(row):
            rooms.put_outbox(database, row)
        case DropOutbox(room, key):
            rooms.drop_outbox(database, room, key)
        case PutInvite(row):
            rooms.put_invite(database, row)
        case DropInvite(room, invite):
            rooms.drop_invite(database, room, invite)
        case PutEvidence(row):
            evidence.put_evidence(database, row)
        case PutRelay(row):
            profiles.put_relay(database, row)
        case PutProfile(row):
            profiles.put_profile(database, row)
        case _:
            assert_never(change)
