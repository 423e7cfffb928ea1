"""Changes of rooms: the writer's memory of where rooms stand, and its SQL.

Rooms that get entries are held in memory between batches. Entries that come together
are looked up in one query and stored by few statements (`entry_table.py`). What changed
is written back once per batch, in its transaction. If a batch fails, everything held is
forgotten and read anew.
"""

import sqlite3
from collections.abc import Sequence
from typing import Final

import msgspec
from msgspec.structs import replace

from tertulia.relay import (
    Change,
    Cut,
    Delivery,
    Denied,
    Outcome,
    Placed,
    Placement,
    Proposal,
    RepairProposal,
    RoomState,
    decide,
    decide_repair,
    empty_room,
    kept_advice,
    state_after,
)
from tertulia.server.engines.sqlite import blobs, mailboxes, rooms, rows
from tertulia.server.engines.sqlite.entry_table import EntryTable
from tertulia.server.engines.sqlite.held_room import HeldRoom
from tertulia.wire import ErrorCode, encode, frames, limits

# Rooms and their routes in memory, counted together: about 300 bytes each.
MAX_HELD: Final = 100_000

_NO_BUNDLE: Final = frames.Bundle()


class Ledger:
    """All changes of rooms; runs on the writer's thread."""

    def __init__(self, database: sqlite3.Connection) -> None:
        self._database = database
        self._entries = EntryTable(database)
        self._held: dict[bytes, HeldRoom] = {}
        self._size = 0
        self._changed: dict[bytes, _Collected] = {}

    # A batch's end

    def finish(self) -> Sequence[Change]:
        """Write where rooms stand now; return what each got."""
        changes = []
        for room, collected in self._changed.items():
            held = self._held[room]
            held.write()
            changes.append(collected.change(held.now))
            self._release(room)
            self._keep(held)
        self._changed.clear()
        while self._size > MAX_HELD and len(self._held) > 1:
            self._release(next(iter(self._held)))
        return changes

    def abandon(self) -> None:
        """Forget everything, since some of it was not committed."""
        self._entries.forget()
        self._held.clear()
        self._changed.clear()
        self._size = 0

    def _keep(self, held: HeldRoom) -> None:
        """Hold the room, as the one last used."""
        held.weight = held.size()
        self._size += held.weight
        self._held[held.now.room] = held

    def _release(self, room: bytes) -> None:
        held = self._held.pop(room, None)
        if held is not None:
            self._size -= held.weight

    def _hold(self, room: bytes) -> HeldRoom | None:
        held = self._held.get(room)
        if held is None:
            state = rooms.state(self._database, room)
            if state is None:
                return None
            number = rooms.number_of(self._database, room)
            held = HeldRoom(self._database, self._entries, number, state)
            self._keep(held)
        return held

    def _collect(self, room: HeldRoom) -> "_Collected":
        collected = self._changed.get(room.now.room)
        if collected is None:
            collected = self._changed[room.now.room] = _Collected(room.now.hash)
        return collected

    # Changes

    def create_room(self, room: bytes, device: bytes, now: int) -> ErrorCode | None:
        """Make an empty room with the device in it."""
        if rooms.number_of(self._database, room):
            return ErrorCode.EXISTS
        counted = self._database.execute(
            "UPDATE account SET rooms = rooms + 1 WHERE rooms < ?"
            " AND account = (SELECT account FROM device WHERE device = ?)",
            (limits.ROOMS_PER_ACCOUNT, device),
        )
        if counted.rowcount == 0:
            return ErrorCode.TOO_MANY
        state = empty_room(room, now)
        self._database.execute(
            "INSERT INTO room (room, place, hash, handshake, time, size)"
            " VALUES (?, ?, ?, ?, ?, ?)",
            (room, state.place, state.hash, state.handshake, now, state.size),
        )
        held = self._hold(room)
        if held is not None:
            held.add_route(device, 0)
        return None

    def remove_room(self, room: bytes) -> Sequence[bytes] | None:
        """Remove the room and all it stores; return its blobs, whose files remain.

        None if there is none.
        """
        number = rooms.number_of(self._database, room)
        past = blobs.blobs_of(self._database, room)
        for blob in past:
            blobs.remove(self._database, blob)
        self._release(room)
        self._changed.pop(room, None)
        self._database.execute(
            "DELETE FROM entry WHERE id > ? AND id < ?",
            (rows.entry_id(number, 0), rows.entry_id(number + 1, 0)),
        )
        for table in ("route", "room_invite", "marker", "tree_patch"):
            self._database.execute(f"DELETE FROM {table} WHERE room = ?", (number,))  # noqa: S608
        removed = self._database.execute("DELETE FROM room WHERE room = ?", (room,))
        return past if removed.rowcount == 1 else None

    def append(self, proposals: Sequence[Proposal]) -> Sequence[Outcome]:
        """Decide on each proposal in turn, and give it a place together with its bundle."""
        held = [self._hold(proposal.room) for proposal in proposals]
        self._entries.look_up(
            [
                (proposal.key, proposal.device, room.number)
                for proposal, room in zip(proposals, held, strict=True)
                if room is not None
            ]
        )
        outcomes = [
            Denied(ErrorCode.NOT_FOUND)
            if room is None
            else self._append(room, proposal)
            for proposal, room in zip(proposals, held, strict=True)
        ]
        self._entries.store()
        return outcomes

    def _append(self, room: HeldRoom, proposal: Proposal) -> Outcome:
        decision = decide(room, proposal)
        if not isinstance(decision, Placement):
            return decision
        collected = self._collect(room)
        room.add(decision.entry, decision.state)
        collected.entries.append(decision.entry)
        if proposal.bundle is not None or proposal.joining or proposal.leaving:
            self._carry_out(room, collected, _whole_bundle(proposal), proposal.now)
        if proposal.invite is not None:
            self._database.execute(
                "UPDATE room_invite SET joined = joined + 1"
                " WHERE room = ? AND invite = ?",
                (room.number, proposal.invite),
            )
        return decision.placed()

    def repair(self, proposal: RepairProposal) -> Outcome:
        """Carry out a bundle without an entry."""
        room = self._hold(proposal.room)
        if room is None:
            return Denied(ErrorCode.NOT_FOUND)
        decision = decide_repair(room, proposal)
        if isinstance(decision, Placed):
            collected = self._collect(room)
            self._carry_out(room, collected, proposal.bundle, proposal.now)
        return decision

    def refeed(
        self, room: bytes, entries: Sequence[frames.Entry], expected: RoomState
    ) -> bool:
        """Append entries as they are; False if the room no longer stands as expected."""
        held = self._hold(room)
        if held is None or held.now != expected:
            return False
        collected = self._collect(held)
        for entry in entries:
            held.add(entry, state_after(held.now, entry))
        self._entries.store()
        collected.entries += entries
        return True

    def cut_everywhere(self, devices: Sequence[bytes]) -> None:
        """End all routing of devices that were revoked."""
        for device in devices:
            for (room,) in self._database.execute(
                "SELECT room.room FROM route JOIN room ON number = route.room"
                " WHERE device = ? AND last IS NULL",
                (device,),
            ).fetchall():
                held = self._hold(room)
                if held is not None:
                    self._collect(held).cuts += held.cut(device)

    def charge(self, room: bytes, size: int) -> None:
        """Count bytes of blobs for or off the room's storage."""
        held = self._hold(room)
        if held is not None:
            held.now = replace(held.now, size=held.now.size + size)
            held.write()

    def note_progress(
        self, room: bytes, device: bytes, handshake: int, now: int
    ) -> None:
        """Remember how far a device is."""
        self._database.execute(
            "UPDATE route SET handshake = max(handshake, ?), heard = ?"
            " WHERE device = ? AND room = (SELECT number FROM room WHERE room = ?)",
            (handshake, now, device, room),
        )

    def put_markers(self, room: bytes, markers: Sequence[frames.Marker]) -> None:
        """Replace markers of devices that are routed."""
        held = self._hold(room)
        if held is None:
            return
        self._database.executemany(
            "INSERT OR REPLACE INTO marker VALUES (?, ?, ?, ?)",
            [
                (held.number, marker.device, marker.slot, marker.blob)
                for marker in markers
            ],
        )

    # What comes with a handshake

    def _carry_out(
        self, room: HeldRoom, collected: "_Collected", bundle: frames.Bundle, now: int
    ) -> None:
        if bundle.group is not None:
            self._put_group(room, bundle.group, now)
        cuts = [cut for device in bundle.unroute for cut in room.cut(device)]
        for device in bundle.route:
            room.add_route(device, room.now.place)
        for cut in cuts:
            route = room.route(cut.device)
            if route is not None and route.last is not None:
                collected.cuts.append(cut)
        where = (room.now.room, room.now.place)
        collected.deliveries += mailboxes.post(self._database, where, bundle.welcomes)

    def _put_group(self, room: HeldRoom, group: frames.GroupAdvice, now: int) -> None:
        older = rooms.group(self._database, room.now.room)
        kept = kept_advice(older, group)
        self._database.execute(
            "UPDATE room SET advice = ?, retention = ? WHERE number = ?",
            (encode(kept), group.retention, room.number),
        )
        if group.patch is None:
            blobs.replace_tree(self._database, older, kept, now)
            self._database.execute(
                "DELETE FROM tree_patch WHERE room = ?", (room.number,)
            )
        else:
            self._database.execute(
                "INSERT INTO tree_patch (room, bytes) VALUES (?, ?)",
                (room.number, group.patch.blob),
            )
        if older is None or older.invites != group.invites:
            self._put_invites(room.number, group.invites)

    def _put_invites(self, number: int, invites: Sequence[frames.Invite]) -> None:
        """Make these the room's invites; those that were there keep their counts."""
        kept = {terms.invite for terms in invites}
        there = self._database.execute(
            "SELECT invite FROM room_invite WHERE room = ?", (number,)
        ).fetchall()
        self._database.executemany(
            "DELETE FROM room_invite WHERE room = ? AND invite = ?",
            [(number, invite) for (invite,) in there if invite not in kept],
        )
        self._database.executemany(
            "INSERT INTO room_invite (room, invite, public_key, wrap, expires, uses)"
            " VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (room, invite) DO UPDATE SET"
            " public_key = excluded.public_key, wrap = excluded.wrap,"
            " expires = excluded.expires, uses = excluded.uses",
            [(number, *msgspec.structs.astuple(terms)) for terms in invites],
        )


class _Collected:
    """What a room got in the running batch."""

    def __init__(self, previous: bytes) -> None:
        self.previous = previous
        self.entries: list[frames.Entry] = []
        self.deliveries: list[Delivery] = []
        self.cuts: list[Cut] = []

    def change(self, state: RoomState) -> Change:
        return Change(
            state,
            self.previous,
            tuple(self.entries),
            tuple(self.deliveries),
            tuple(self.cuts),
        )


def _whole_bundle(proposal: Proposal) -> frames.Bundle:
    """Return the bundle with what joining and leaving do to routing."""
    bundle = proposal.bundle or _NO_BUNDLE
    if proposal.joining:
        bundle = replace(bundle, route=(*bundle.route, proposal.device))
    if proposal.leaving:
        bundle = replace(bundle, unroute=(*bundle.unroute, proposal.device))
    return bundle
