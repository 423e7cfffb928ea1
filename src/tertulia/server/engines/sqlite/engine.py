"""The engine that `tertulia serve` uses: one SQLite database and a folder of blobs.

Changes go to the one writer, questions to the readers; see there. This file says only
which question or change each call of the port is.
"""

import asyncio
import functools
import sqlite3
from collections.abc import Sequence
from pathlib import Path
from typing import Self

from msgspec.structs import replace

from tertulia.crypto import Rng, system_rng
from tertulia.relay import (
    Account,
    Ban,
    Blob,
    BlobLimits,
    Change,
    Denied,
    DeviceListChange,
    EnrolledDevice,
    Enrolment,
    Entrance,
    Listener,
    Outcome,
    Page,
    Proposal,
    Removed,
    RepairProposal,
    RetentionRules,
    RoomInvite,
    RoomState,
    RoomUsage,
    Route,
    ServerInvite,
    Usage,
)
from tertulia.server.engines.sqlite import (
    accounts,
    blobs,
    key_packages,
    mailboxes,
    maintenance,
    retention,
    rooms,
    store,
)
from tertulia.server.engines.sqlite.blob_files import BlobFiles
from tertulia.server.engines.sqlite.checkpoints import Checkpoints
from tertulia.server.engines.sqlite.ledger import Ledger
from tertulia.server.engines.sqlite.readers import Readers
from tertulia.server.engines.sqlite.usage import usage
from tertulia.server.engines.sqlite.writer import Writer
from tertulia.wire import ErrorCode, frames


class SqliteEngine:
    """Stores everything in one folder; see `tertulia.relay.Engine`."""

    def __init__(
        self, folder: Path, held: sqlite3.Connection, database: sqlite3.Connection
    ) -> None:
        self._folder = folder
        self._lock = held
        self._database = database
        self._listener: Listener | None = None
        self._ledger = Ledger(database)
        self._files = BlobFiles(folder / store.BLOBS)
        self._checkpoints = Checkpoints(folder / store.DATABASE)
        self._writer = Writer(database, self._ledger, self._report, self._checkpoints)
        self._readers = Readers(folder / store.DATABASE)
        # Blobs that a piece is being written to: one writer each.
        self._busy: set[bytes] = set()
        (self._incarnation,) = database.execute(
            "SELECT incarnation FROM relay"
        ).fetchone()

    @classmethod
    async def open(cls, folder: Path, rng: Rng = system_rng) -> Self:
        """Open the store in `folder`, or make one there; raise StoreError.

        Must be awaited on the event loop that will use it.
        """
        held, database = await asyncio.to_thread(store.open_locked, folder, rng)
        return cls(folder, held, database)

    async def close(self) -> None:
        """Carry out what waits, then close the files."""
        await self._writer.close()
        await asyncio.to_thread(self._checkpoints.close)
        await self._readers.close()
        self._database.close()
        self._lock.close()

    async def backup(self, target: Path) -> None:
        """Copy the store into a new folder while it is in use; raise StoreError."""
        await self._readers.run(
            functools.partial(maintenance.back_up, self._folder, target)
        )

    @property
    def incarnation(self) -> bytes:
        """A random id, new whenever a backup is restored."""
        incarnation: bytes = self._incarnation
        return incarnation

    def listen(self, listener: Listener) -> None:
        """Set who is told of changes of rooms."""
        self._listener = listener

    def _report(self, changes: Sequence[Change]) -> None:
        if self._listener is not None:
            self._listener(changes)

    async def usage(self) -> Usage:
        """Return what the whole relay stores."""
        return await self._readers.ask(usage)

    # Accounts and devices

    async def account(self, account: bytes) -> Account | None:
        """Return the account, if there is one."""
        return await self._readers.ask(accounts.account, account)

    async def accounts(self) -> Sequence[Account]:
        """Return all accounts."""
        return await self._readers.ask(accounts.accounts)

    async def device(self, device: bytes) -> EnrolledDevice | None:
        """Return the device, if it ever enrolled."""
        return await self._readers.ask(accounts.device, device)

    async def enrol(self, enrolment: Enrolment) -> ErrorCode | None:
        """Add the device, and its account if there is none."""
        return await self._writer.run(lambda: accounts.enrol(self._database, enrolment))

    async def connect(self, device: bytes, counter: int) -> int:
        """Raise the device's counter if `counter` is higher; return the one before."""
        return await self._writer.run(
            lambda: accounts.connect(self._database, device, counter)
        )

    async def put_device_list(self, change: DeviceListChange) -> Sequence[bytes] | None:
        """Store a newer device list; return the devices it revokes."""

        def put() -> Sequence[bytes] | None:
            revoked = accounts.put_device_list(self._database, change)
            self._ledger.cut_everywhere(revoked or ())
            return revoked

        return await self._writer.run(put)

    async def device_list(self, account: bytes) -> tuple[int, bytes] | None:
        """Return number and bytes of the newest list."""
        return await self._readers.ask(accounts.device_list, account)

    async def put_server_invite(self, invite: ServerInvite) -> bool:
        """Store a new invite; False if the id is taken."""
        return await self._writer.run(
            lambda: accounts.put_server_invite(self._database, invite)
        )

    async def server_invite(self, invite: bytes) -> ServerInvite | None:
        """Return the invite with how often it was used."""
        return await self._readers.ask(accounts.server_invite, invite)

    async def server_invites(self) -> Sequence[ServerInvite]:
        """Return all server invites."""
        return await self._readers.ask(accounts.server_invites)

    async def remove_server_invite(self, invite: bytes) -> bool:
        """Remove the invite; False if there is none."""
        return await self._writer.run(
            lambda: accounts.remove_server_invite(self._database, invite)
        )

    async def put_ban(self, ban: Ban) -> None:
        """Store or replace the ban of its subject."""
        await self._writer.run(lambda: accounts.put_ban(self._database, ban))

    async def remove_ban(self, subject: str) -> bool:
        """Remove the ban; False if there is none."""
        return await self._writer.run(
            lambda: accounts.remove_ban(self._database, subject)
        )

    async def bans(self) -> Sequence[Ban]:
        """Return all bans."""
        return await self._readers.ask(accounts.bans)

    # Key packages

    async def publish_key_packages(
        self, device: bytes, one_time: Sequence[bytes], last_resort: bytes | None
    ) -> bool:
        """Add all or none."""
        return await self._writer.run(
            lambda: key_packages.publish(self._database, device, one_time, last_resort)
        )

    async def claim_key_packages(
        self, account: bytes
    ) -> Sequence[frames.ClaimedKeyPackage]:
        """Take one of each device that is not revoked; a last resort stays."""
        return await self._writer.run(
            lambda: key_packages.claim(self._database, account)
        )

    async def count_key_packages(self, device: bytes) -> tuple[int, bool]:
        """Return the number of one-time ones, and whether there is a last resort."""
        return await self._readers.ask(key_packages.count, device)

    # Rooms

    async def create_room(
        self, room: bytes, device: bytes, now: int
    ) -> ErrorCode | None:
        """Make an empty room with the device in it."""
        return await self._writer.run(
            lambda: self._ledger.create_room(room, device, now)
        )

    async def room(self, room: bytes) -> RoomState | None:
        """Return where the room stands."""
        return await self._readers.ask(rooms.state, room)

    async def rooms(self) -> Sequence[RoomUsage]:
        """Return what each room stores."""
        return await self._readers.ask(rooms.usages)

    async def remove_room(self, room: bytes) -> bool:
        """Remove the room and all it stores."""
        past = await self._writer.run(lambda: self._ledger.remove_room(room))
        if past is not None:
            await self._remove_files(past)
        return past is not None

    async def route(self, room: bytes, device: bytes) -> Route | None:
        """Return what the device may read."""
        return await self._readers.ask(rooms.route, room, device)

    async def routes(self, device: bytes) -> Sequence[frames.RoomRoute]:
        """Return all rooms the device may read."""
        return await self._readers.ask(rooms.routes, device)

    async def has_account(self, room: bytes, account: bytes) -> bool:
        """Tell whether a device of the account is routed to the room."""
        return await self._readers.ask(rooms.has_account, room, account)

    async def append(self, proposals: Sequence[Proposal]) -> Sequence[Outcome]:
        """Decide on each proposal in turn, and give it a place together with its bundle."""
        return await self._writer.append(proposals)

    async def repair(self, proposal: RepairProposal) -> Outcome:
        """Carry out a bundle without an entry."""
        return await self._writer.run(lambda: self._ledger.repair(proposal))

    async def refeed(
        self, room: bytes, entries: Sequence[frames.Entry], expected: RoomState
    ) -> bool:
        """Append entries as they are; False if the room no longer stands as expected."""
        return await self._writer.run(
            lambda: self._ledger.refeed(room, entries, expected)
        )

    async def entries(self, room: bytes, after: int, until: int, limit: int) -> Page:
        """Return a page of entries after one place and up to another."""
        return await self._readers.page(rooms.page, room, after, until, limit)

    async def handshakes(
        self, room: bytes, after: int, limit: int
    ) -> tuple[Sequence[frames.Entry], bool]:
        """Return the handshakes after a place, and whether there are more."""
        return await self._readers.page(rooms.handshakes, room, after, limit)

    async def hash_at(self, room: bytes, place: int) -> bytes | None:
        """Return the running hash at a place; None if no entry has it."""
        return await self._readers.ask(rooms.hash_at, room, place)

    async def group(self, room: bytes) -> frames.GroupAdvice | None:
        """Return what joiners need."""
        return await self._readers.ask(rooms.group, room)

    async def entrance(self, room: bytes) -> Entrance | None:
        """Return what joiners start from."""
        return await self._readers.ask(rooms.entrance, room)

    async def room_invite(self, room: bytes, invite: bytes) -> RoomInvite | None:
        """Return the invite with how often it was used."""
        return await self._readers.ask(accounts.room_invite, room, invite)

    async def note_progress(
        self, room: bytes, device: bytes, handshake: int, now: int
    ) -> None:
        """Remember how far a device is, with the next batch."""
        self._writer.run_later(
            lambda: self._ledger.note_progress(room, device, handshake, now)
        )

    # Mailboxes and markers

    async def welcomes(
        self, device: bytes, after: int
    ) -> tuple[Sequence[frames.WaitingWelcome], bool]:
        """Return a page of waiting Welcomes, and whether there are more."""
        return await self._readers.page(mailboxes.welcomes, device, after)

    async def count_welcomes(self, device: bytes) -> int:
        """Return how many Welcomes wait."""
        return await self._readers.ask(mailboxes.count, device)

    async def discard_welcomes(self, device: bytes, until: int) -> None:
        """Remove the Welcomes up to a number."""
        await self._writer.run(lambda: mailboxes.discard(self._database, device, until))

    async def put_markers(self, room: bytes, markers: Sequence[frames.Marker]) -> None:
        """Replace markers, with the next batch."""
        self._writer.run_later(lambda: self._ledger.put_markers(room, markers))

    async def markers(self, room: bytes) -> Sequence[frames.Marker]:
        """Return the markers of devices that are routed."""
        return await self._readers.ask(rooms.markers, room)

    # Blobs

    async def create_blob(self, blob: Blob, limits: BlobLimits) -> Denied | None:
        """Announce a blob; denied if account, room or relay would store too much."""

        def create() -> Denied | None:
            denied = blobs.create(self._database, blob, limits)
            if denied is None:
                self._ledger.charge(blob.room, blob.size)
            return denied

        return await self._writer.run(create)

    async def blob(self, blob: bytes) -> Blob | None:
        """Return what is known of the blob."""
        known = await self._readers.ask(blobs.blob, blob)
        if known is None or known.is_complete:
            return known
        stored = await self._readers.run(lambda: self._files.stored(blob))
        return replace(known, stored=min(stored, known.size))

    async def write_blob(self, blob: bytes, offset: int, data: bytes) -> int | None:
        """Store a piece and return how much there is; None if `offset` is elsewhere."""
        if blob in self._busy:
            return None
        self._busy.add(blob)
        try:
            return await self._readers.run(
                lambda: self._files.write(blob, offset, data)
            )
        finally:
            self._busy.discard(blob)

    async def finish_blob(self, blob: bytes) -> bool:
        """Make a wholly stored blob durable if its hash fits; else remove its bytes."""
        known = await self._readers.ask(blobs.blob, blob)
        if known is None:
            return False
        fits = await self._readers.run(lambda: self._files.finish(blob, known.hash))
        if fits:
            await self._writer.run(lambda: blobs.complete(self._database, blob))
        return fits

    async def read_blob(self, blob: bytes, offset: int, size: int) -> bytes:
        """Return up to `size` bytes of a complete blob."""
        return await self._readers.run(lambda: self._files.read(blob, offset, size))

    async def remove_blob(self, blob: bytes) -> None:
        """Remove the blob, complete or not."""
        await self._remove_blobs((blob,))

    async def _remove_blobs(self, past: Sequence[bytes]) -> None:
        def forget() -> None:
            for blob in past:
                known = blobs.remove(self._database, blob)
                if known is not None:
                    self._ledger.charge(known.room, -known.size)

        await self._writer.run(forget)
        await self._remove_files(past)

    async def _remove_files(self, past: Sequence[bytes]) -> None:
        def remove() -> None:
            for blob in past:
                self._files.remove(blob)

        await self._readers.run(remove)

    # Retention

    async def retain(self, rules: RetentionRules) -> Removed:
        """Remove what is no longer kept."""
        dropped = 0
        for room in await self._readers.ask(retention.rooms):
            while count := await self._writer.run(
                functools.partial(self._drop_blobs, room, rules)
            ):
                dropped += count
        past = await self._readers.ask(retention.past_blobs, rules)
        await self._remove_blobs(past)
        return Removed(dropped, len(past))

    def _drop_blobs(self, room: bytes, rules: RetentionRules) -> int:
        count, size = retention.drop_blobs(self._database, room, rules)
        if count:
            self._ledger.charge(room, -size)
        return count
