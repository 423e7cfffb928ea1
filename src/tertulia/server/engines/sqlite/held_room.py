"""A room in the writer's memory: where it stands, and who is routed.

Entries are held back by the table they are for; routing is written through at once;
where the room stands is written back at the end of the batch.
"""

import sqlite3
from collections.abc import Iterable

from tertulia.relay import Cut, Placed, RoomInvite, RoomState, Route
from tertulia.server.engines.sqlite import accounts, blobs, rooms
from tertulia.server.engines.sqlite.entry_table import EntryTable
from tertulia.wire import frames


class HeldRoom:
    """A room in memory; also the view by which `decide` decides."""

    def __init__(
        self,
        database: sqlite3.Connection,
        entries: EntryTable,
        number: int,
        state: RoomState,
    ) -> None:
        self._database = database
        self._entries = entries
        # What it counted for when it was last used; kept by who holds it.
        self.weight = 0
        self.number = number
        self.now = state
        self._routes: dict[bytes, Route] = {
            device: Route(first, last)
            for device, first, last in database.execute(
                "SELECT device, first, last FROM route WHERE room = ?", (number,)
            )
        }
        self._members = sum(route.last is None for route in self._routes.values())

    def state(self) -> RoomState:
        """Return where the room stands."""
        return self.now

    def route(self, device: bytes) -> Route | None:
        """Return what the device may read."""
        return self._routes.get(device)

    def earlier(self, device: bytes, key: bytes) -> Placed | None:
        """Return the place that the device's entry of this key has."""
        return self._entries.earlier(self.number, device, key)

    def size(self) -> int:
        """Return what the room takes in memory, in routes."""
        return 1 + len(self._routes)

    def invite(self, invite: bytes) -> RoomInvite | None:
        """Return the invite with how often it was used."""
        return accounts.room_invite(self._database, self.now.room, invite)

    def members(self) -> int:
        """Return how many devices are routed."""
        return self._members

    def has_blob(self, reference: frames.BlobReference) -> bool:
        """Tell whether the room has this blob, complete and as referred to."""
        return blobs.is_there(self._database, self.now.room, reference)

    def advice(self) -> frames.GroupAdvice | None:
        """Return what joiners are told, with the tree that patches follow."""
        return rooms.group(self._database, self.now.room)

    def patches(self) -> tuple[int, int]:
        """Return how many patches follow the tree, and their size."""
        return rooms.patches(self._database, self.number)

    def add(self, entry: frames.Entry, state: RoomState) -> None:
        """Add the next entry."""
        self.now = state
        self._entries.add(self.number, entry, state.hash)

    def cut(self, device: bytes) -> Iterable[Cut]:
        """End the device's routing with the last entry; say so if it had any."""
        route = self._routes.get(device)
        if route is None or route.last is not None:
            return
        last = self.now.place
        self._routes[device] = Route(route.first, last)
        self._members -= 1
        self._database.execute(
            "UPDATE route SET last = ? WHERE room = ? AND device = ?",
            (last, self.number, device),
        )
        self._database.execute(
            "DELETE FROM marker WHERE room = ? AND device = ?", (self.number, device)
        )
        yield Cut(device, last)

    def add_route(self, device: bytes, first: int) -> None:
        """Route the device from a place on, unless it is routed or unknown."""
        route = self._routes.get(device)
        if route is not None and route.last is None:
            return
        added = self._database.execute(
            "INSERT OR REPLACE INTO route"
            " SELECT ?, device, ?, NULL, ?, ? FROM device WHERE device = ?",
            (self.number, first, first, self.now.time, device),
        )
        if added.rowcount == 1:  # a device that never enrolled is none
            self._routes[device] = Route(first)
            self._members += 1

    def write(self) -> None:
        """Write back where the room stands."""
        state = self.now
        self._database.execute(
            "UPDATE room SET place = ?, hash = ?, handshake = ?, time = ?, size = ?"
            " WHERE number = ?",
            (
                state.place,
                state.hash,
                state.handshake,
                state.time,
                state.size,
                self.number,
            ),
        )
