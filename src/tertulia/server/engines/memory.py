"""The engine of tests and throw-away relays: everything in memory, nothing durable.

It is also the plainest reading of the port: each call is done when it returns, one
after the other, with no thread and no waiting.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from hashlib import sha256

from msgspec.structs import replace

from tertulia.crypto import Rng
from tertulia.relay import (
    Account,
    Ban,
    Blob,
    BlobLimits,
    Change,
    Cut,
    Delivery,
    Denied,
    DeviceListChange,
    EnrolledDevice,
    Enrolment,
    EnrolmentView,
    Entrance,
    Listener,
    Outcome,
    Page,
    Placed,
    Placement,
    Progress,
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
    cost,
    decide,
    decide_repair,
    empty_room,
    entry_age,
    first_needed,
    is_past,
    kept_advice,
    object_to_blob,
    object_to_enrolment,
    state_after,
    take_page,
    take_welcomes,
)
from tertulia.wire import ErrorCode, Kind, blob_hash, frames, limits


@dataclass(slots=True)
class _KeyPackages:
    one_time: list[bytes] = field(default_factory=list)
    last_resort: bytes | None = None


@dataclass(slots=True)
class _Mailbox:
    number: int = 0
    waiting: list[frames.WaitingWelcome] = field(default_factory=list)


class _Room:
    """One room; also the view by which `decide` decides."""

    def __init__(self, engine: "MemoryEngine", state: RoomState) -> None:
        self._engine = engine
        self.now = state
        self.entries: dict[int, frames.Entry] = {}
        self.hashes: dict[int, bytes] = {0: state.hash}
        self.places: dict[tuple[bytes, bytes], Placed] = {}
        self.routes: dict[bytes, Route] = {}
        self.group: frames.GroupAdvice | None = None
        self.tree_patches: list[bytes] = []
        self.invites: dict[bytes, RoomInvite] = {}
        self.markers: dict[tuple[bytes, int], frames.Marker] = {}
        self.progress: dict[bytes, tuple[int, int]] = {}

    def state(self) -> RoomState:
        return self.now

    def route(self, device: bytes) -> Route | None:
        return self.routes.get(device)

    def earlier(self, device: bytes, key: bytes) -> Placed | None:
        return self.places.get((device, key))

    def invite(self, invite: bytes) -> RoomInvite | None:
        return self.invites.get(invite)

    def members(self) -> int:
        return sum(route.last is None for route in self.routes.values())

    def has_blob(self, reference: frames.BlobReference) -> bool:
        blob = self._engine.blobs.get(reference.blob)
        return (
            blob is not None
            and blob.is_complete
            and (blob.room, blob.size, blob.hash)
            == (self.now.room, reference.size, reference.hash)
        )

    def advice(self) -> frames.GroupAdvice | None:
        return self.group

    def patches(self) -> tuple[int, int]:
        return len(self.tree_patches), sum(map(len, self.tree_patches))

    def add(self, entry: frames.Entry, state: RoomState) -> None:
        self.entries[entry.place] = entry
        self.hashes[entry.place] = state.hash
        self.places[entry.device, entry.key] = Placed(
            entry.place, entry.time, again=True
        )
        self.now = state

    def cut(self, device: bytes) -> Iterable[Cut]:
        route = self.routes.get(device)
        if route is not None and route.last is None:
            self.routes[device] = Route(route.first, self.now.place)
            self.markers = {
                key: marker for key, marker in self.markers.items() if key[0] != device
            }
            yield Cut(device, self.now.place)

    def put_group(self, group: frames.GroupAdvice) -> None:
        if group.patch is None:
            self.tree_patches.clear()
        else:
            self.tree_patches.append(group.patch.blob)
        self.group = kept_advice(self.group, group)
        self.invites = {
            terms.invite: self._with_terms(terms) for terms in group.invites
        }

    def _with_terms(self, terms: frames.Invite) -> RoomInvite:
        known = self.invites.get(terms.invite)
        if known is None:
            return RoomInvite(self.now.room, terms, 0, 0)
        return replace(known, invite=terms)

    def all_progress(self) -> Iterable[Progress]:
        for device, (handshake, heard) in self.progress.items():
            yield Progress(self.routes[device].last, handshake, heard)

    def entry_bytes(self) -> int:
        return sum(cost(entry) for entry in self.entries.values())

    def add_route(self, device: bytes, first: int) -> None:
        route = self.routes.get(device)
        if route is None or route.last is not None:
            self.routes[device] = Route(first)
            self.progress[device] = (first, self.now.time)


class MemoryEngine:
    """Stores everything in this process; see `tertulia.relay.Engine`."""

    def __init__(self, rng: Rng) -> None:
        self._incarnation = rng(16)
        self._listener: Listener = _nobody
        self._accounts: dict[bytes, Account] = {}
        self._devices: dict[bytes, EnrolledDevice] = {}
        self._revoked: set[tuple[bytes, bytes]] = set()
        self._lists: dict[bytes, tuple[int, bytes]] = {}
        self._invites: dict[bytes, ServerInvite] = {}
        self._bans: dict[str, Ban] = {}
        self._key_packages: dict[bytes, _KeyPackages] = {}
        self._mailboxes: dict[bytes, _Mailbox] = {}
        self._rooms: dict[bytes, _Room] = {}
        self.blobs: dict[bytes, Blob] = {}
        self._contents: dict[bytes, bytearray] = {}
        self._released: dict[bytes, int] = {}

    @property
    def incarnation(self) -> bytes:
        """A random id, new for each engine: nothing of an older one is left."""
        return self._incarnation

    def listen(self, listener: Listener) -> None:
        """Set who is told of changes of rooms."""
        self._listener = listener

    def _tell(self, change: Change) -> None:
        self._listener((change,))

    async def usage(self) -> Usage:
        """Return what the whole relay stores."""
        return Usage(
            accounts=len(self._accounts),
            devices=len(self._devices),
            rooms=len(self._rooms),
            entries=sum(len(room.entries) for room in self._rooms.values()),
            entry_bytes=sum(room.entry_bytes() for room in self._rooms.values()),
            blobs=len(self.blobs),
            blob_bytes=sum(blob.size for blob in self.blobs.values()),
        )

    # Accounts and devices

    async def account(self, account: bytes) -> Account | None:
        """Return the account, if there is one."""
        return self._accounts.get(account)

    async def accounts(self) -> Sequence[Account]:
        """Return all accounts."""
        return list(self._accounts.values())

    async def device(self, device: bytes) -> EnrolledDevice | None:
        """Return the device, if it ever enrolled."""
        return self._devices.get(device)

    async def enrol(self, enrolment: Enrolment) -> ErrorCode | None:
        """Add the device, and its account if there is none."""
        device = enrolment.device
        invite = self._invite_used(enrolment)
        view = EnrolmentView(
            self._devices.get(device.device),
            sum(
                known.account == device.account and not known.is_revoked
                for known in self._devices.values()
            ),
            (device.account, device.device) in self._revoked,
            device.account in self._accounts,
            invite,
        )
        objection = object_to_enrolment(view, enrolment)
        if objection is not None:
            return objection
        if not view.has_account:
            self._count_account(invite)
            is_owner = isinstance(invite, ServerInvite) and invite.makes_owner
            self._accounts[device.account] = Account(
                device.account, device.account_key, is_owner, enrolment.now, 0, 0
            )
        self._devices[device.device] = EnrolledDevice(
            device.device, device.account, device.device_key, 0, is_revoked=False
        )
        return None

    def _invite_used(self, enrolment: Enrolment) -> ServerInvite | RoomInvite | None:
        use = enrolment.invite
        if use is None:
            return None
        if not use.room:
            return self._invites.get(use.invite)
        room = self._rooms.get(use.room)
        return room.invite(use.invite) if room else None

    def _count_account(self, invite: ServerInvite | RoomInvite | None) -> None:
        if isinstance(invite, ServerInvite):
            self._invites[invite.invite] = replace(invite, used=invite.used + 1)
        elif invite is not None:
            invites = self._rooms[invite.room].invites
            used = replace(invite, accounts=invite.accounts + 1)
            invites[invite.invite.invite] = used

    async def connect(self, device: bytes, counter: int) -> int:
        """Raise the device's counter; return the one before."""
        known = self._devices[device]
        if counter > known.counter:
            self._devices[device] = replace(known, counter=counter)
        return known.counter

    async def put_device_list(self, change: DeviceListChange) -> Sequence[bytes] | None:
        """Store a newer device list; return the devices it revokes."""
        newest = self._lists.get(change.account)
        if newest is not None and newest[0] >= change.number:
            return None
        self._lists[change.account] = (change.number, change.signed)
        self._revoked |= {(change.account, device) for device in change.revoked}
        revoked = [
            known.device
            for known in self._devices.values()
            if known.account == change.account
            and not known.is_revoked
            and (known.device not in change.listed or known.device in change.revoked)
        ]
        for device in revoked:
            self._revoked.add((change.account, device))
            self._devices[device] = replace(self._devices[device], is_revoked=True)
            for room in self._rooms.values():
                cuts = tuple(room.cut(device))
                if cuts:
                    self._tell(Change(room.now, room.now.hash, cuts=cuts))
        return revoked

    async def device_list(self, account: bytes) -> tuple[int, bytes] | None:
        """Return number and bytes of the newest list."""
        return self._lists.get(account)

    async def put_server_invite(self, invite: ServerInvite) -> bool:
        """Store a new invite; False if the id is taken."""
        if invite.invite in self._invites:
            return False
        self._invites[invite.invite] = invite
        return True

    async def server_invite(self, invite: bytes) -> ServerInvite | None:
        """Return the invite with how often it was used."""
        return self._invites.get(invite)

    async def server_invites(self) -> Sequence[ServerInvite]:
        """Return all server invites."""
        return list(self._invites.values())

    async def remove_server_invite(self, invite: bytes) -> bool:
        """Remove the invite; False if there is none."""
        return self._invites.pop(invite, None) is not None

    async def put_ban(self, ban: Ban) -> None:
        """Store or replace the ban of its subject."""
        self._bans[ban.subject] = ban

    async def remove_ban(self, subject: str) -> bool:
        """Remove the ban; False if there is none."""
        return self._bans.pop(subject, None) is not None

    async def bans(self) -> Sequence[Ban]:
        """Return all bans."""
        return list(self._bans.values())

    # Key packages

    async def publish_key_packages(
        self, device: bytes, one_time: Sequence[bytes], last_resort: bytes | None
    ) -> bool:
        """Add all or none."""
        published = self._key_packages.setdefault(device, _KeyPackages())
        if len(published.one_time) + len(one_time) > limits.KEY_PACKAGES_PER_DEVICE:
            return False
        published.one_time += one_time
        if last_resort is not None:
            published.last_resort = last_resort
        return True

    async def claim_key_packages(
        self, account: bytes
    ) -> Sequence[frames.ClaimedKeyPackage]:
        """Take one of each device that is not revoked; a last resort stays."""
        claimed = []
        for known in self._devices.values():
            published = self._key_packages.get(known.device)
            if known.account != account or known.is_revoked or published is None:
                continue
            if published.one_time:
                package = published.one_time.pop(0)
                claimed.append(
                    frames.ClaimedKeyPackage(
                        known.device, package, is_last_resort=False
                    )
                )
            elif published.last_resort is not None:
                claimed.append(
                    frames.ClaimedKeyPackage(
                        known.device, published.last_resort, is_last_resort=True
                    )
                )
        return claimed

    async def count_key_packages(self, device: bytes) -> tuple[int, bool]:
        """Return the number of one-time ones, and whether there is a last resort."""
        published = self._key_packages.get(device, _KeyPackages())
        return len(published.one_time), published.last_resort is not None

    # Rooms

    async def create_room(
        self, room: bytes, device: bytes, now: int
    ) -> ErrorCode | None:
        """Make an empty room with the device in it."""
        account = self._accounts[self._devices[device].account]
        if room in self._rooms:
            return ErrorCode.EXISTS
        if account.rooms >= limits.ROOMS_PER_ACCOUNT:
            return ErrorCode.TOO_MANY
        self._accounts[account.account] = replace(account, rooms=account.rooms + 1)
        made = _Room(self, empty_room(room, now))
        made.add_route(device, 0)
        self._rooms[room] = made
        return None

    async def room(self, room: bytes) -> RoomState | None:
        """Return where the room stands."""
        known = self._rooms.get(room)
        return known.now if known else None

    async def rooms(self) -> Sequence[RoomUsage]:
        """Return what each room stores."""
        return [
            RoomUsage(
                room.now.room,
                room.members(),
                len(room.entries),
                room.now.size,
                room.now.time,
            )
            for room in self._rooms.values()
        ]

    async def remove_room(self, room: bytes) -> bool:
        """Remove the room and all it stores."""
        for blob in [blob for blob in self.blobs.values() if blob.room == room]:
            await self.remove_blob(blob.blob)
        return self._rooms.pop(room, None) is not None

    async def route(self, room: bytes, device: bytes) -> Route | None:
        """Return what the device may read."""
        known = self._rooms.get(room)
        return known.route(device) if known else None

    async def routes(self, device: bytes) -> Sequence[frames.RoomRoute]:
        """Return all rooms the device may read."""
        return [
            frames.RoomRoute(room.now.room, route.first, route.last)
            for room in self._rooms.values()
            if (route := room.route(device)) is not None
        ]

    async def has_account(self, room: bytes, account: bytes) -> bool:
        """Tell whether a device of the account is routed to the room."""
        known = self._rooms.get(room)
        return known is not None and any(
            route.last is None and self._devices[device].account == account
            for device, route in known.routes.items()
        )

    async def append(self, proposals: Sequence[Proposal]) -> Sequence[Outcome]:
        """Decide on each proposal in turn, and give it a place together with its bundle."""
        return [self._append(proposal) for proposal in proposals]

    def _append(self, proposal: Proposal) -> Outcome:
        room = self._rooms.get(proposal.room)
        if room is None:
            return Denied(ErrorCode.NOT_FOUND)
        decision = decide(room, proposal)
        if not isinstance(decision, Placement):
            return decision
        previous = room.now.hash
        room.add(decision.entry, decision.state)
        if proposal.invite is not None:
            self._count_join(room, proposal.invite)
        bundle = proposal.bundle or frames.Bundle()
        if proposal.joining:
            bundle = replace(bundle, route=(*bundle.route, proposal.device))
        if proposal.leaving:
            bundle = replace(bundle, unroute=(proposal.device,))
        deliveries, cuts = self._carry_out(room, bundle, proposal.now)
        self._tell(Change(room.now, previous, (decision.entry,), deliveries, cuts))
        return decision.placed()

    async def repair(self, proposal: RepairProposal) -> Outcome:
        """Carry out a bundle without an entry."""
        room = self._rooms.get(proposal.room)
        if room is None:
            return Denied(ErrorCode.NOT_FOUND)
        decision = decide_repair(room, proposal)
        if isinstance(decision, Placed):
            deliveries, cuts = self._carry_out(room, proposal.bundle, proposal.now)
            self._tell(
                Change(room.now, room.now.hash, deliveries=deliveries, cuts=cuts)
            )
        return decision

    def _count_join(self, room: _Room, invite: bytes) -> None:
        known = room.invites[invite]
        room.invites[invite] = replace(known, joined=known.joined + 1)

    def _carry_out(
        self, room: _Room, bundle: frames.Bundle, now: int
    ) -> tuple[tuple[Delivery, ...], tuple[Cut, ...]]:
        if bundle.group is not None:
            self._put_group(room, bundle.group, now)
        cuts = [cut for device in bundle.unroute for cut in room.cut(device)]
        for device in bundle.route:
            if device in self._devices:
                room.add_route(device, room.now.place)
        remaining = tuple(
            cut for cut in cuts if room.routes[cut.device].last is not None
        )
        return tuple(self._post(room, bundle.welcomes)), remaining

    def _put_group(self, room: _Room, group: frames.GroupAdvice, now: int) -> None:
        older = room.group
        room.put_group(group)
        if group.tree is None:
            return
        if older is not None and older.tree is not None:
            self._released[older.tree.blob] = now
        self._released.pop(group.tree.blob, None)

    def _post(
        self, room: _Room, welcomes: Iterable[frames.Welcome]
    ) -> Iterable[Delivery]:
        for welcome in welcomes:
            for device in welcome.devices:
                if device not in self._devices:
                    continue
                mailbox = self._mailboxes.setdefault(device, _Mailbox())
                mailbox.number += 1
                waiting = frames.WaitingWelcome(
                    mailbox.number, room.now.room, room.now.place, welcome.blob
                )
                mailbox.waiting.append(waiting)
                del mailbox.waiting[: -limits.WELCOMES_PER_DEVICE]
                yield Delivery(device, waiting)

    async def refeed(
        self, room: bytes, entries: Sequence[frames.Entry], expected: RoomState
    ) -> bool:
        """Append entries as they are; False if the room no longer stands as expected."""
        known = self._rooms.get(room)
        if known is None or known.now != expected:
            return False
        for entry in entries:
            known.add(entry, state_after(known.now, entry))
        if entries:
            self._tell(Change(known.now, expected.hash, tuple(entries)))
        return True

    async def entries(self, room: bytes, after: int, until: int, limit: int) -> Page:
        """Return a page of entries after one place and up to another."""
        known = self._rooms[room]
        before = max(place for place in known.hashes if place <= after)
        page, more = take_page(
            (entry for entry in known.entries.values() if after < entry.place <= until),
            limit,
        )
        return Page(known.hashes[before], page, more)

    async def handshakes(
        self, room: bytes, after: int, limit: int
    ) -> tuple[Sequence[frames.Entry], bool]:
        """Return the handshakes after a place, and whether there are more."""
        return take_page(
            (
                entry
                for entry in self._rooms[room].entries.values()
                if entry.place > after and entry.kind is Kind.HANDSHAKE
            ),
            limit,
        )

    async def hash_at(self, room: bytes, place: int) -> bytes | None:
        """Return the running hash at a place; None if no entry has it."""
        return self._rooms[room].hashes.get(place)

    async def group(self, room: bytes) -> frames.GroupAdvice | None:
        """Return what joiners need."""
        known = self._rooms.get(room)
        return known.group if known else None

    async def entrance(self, room: bytes) -> Entrance | None:
        """Return what joiners start from."""
        known = self._rooms.get(room)
        if known is None or known.group is None or known.group.tree is None:
            return None
        patches = tuple(known.tree_patches)
        return Entrance(known.now, known.group, known.group.tree, patches)

    async def room_invite(self, room: bytes, invite: bytes) -> RoomInvite | None:
        """Return the invite with how often it was used."""
        known = self._rooms.get(room)
        return known.invite(invite) if known else None

    async def note_progress(
        self, room: bytes, device: bytes, handshake: int, now: int
    ) -> None:
        """Remember how far a device is."""
        progress = self._rooms[room].progress
        if device in progress:
            progress[device] = (max(progress[device][0], handshake), now)

    # Mailboxes and markers

    async def welcomes(
        self, device: bytes, after: int
    ) -> tuple[Sequence[frames.WaitingWelcome], bool]:
        """Return a page of waiting Welcomes, and whether there are more."""
        mailbox = self._mailboxes.get(device, _Mailbox())
        return take_welcomes(
            waiting for waiting in mailbox.waiting if waiting.number > after
        )

    async def count_welcomes(self, device: bytes) -> int:
        """Return how many Welcomes wait."""
        return len(self._mailboxes.get(device, _Mailbox()).waiting)

    async def discard_welcomes(self, device: bytes, until: int) -> None:
        """Remove the Welcomes up to a number."""
        mailbox = self._mailboxes.get(device, _Mailbox())
        mailbox.waiting = [
            waiting for waiting in mailbox.waiting if waiting.number > until
        ]

    async def put_markers(self, room: bytes, markers: Sequence[frames.Marker]) -> None:
        """Replace markers."""
        known = self._rooms.get(room)
        if known is not None:
            known.markers |= {
                (marker.device, marker.slot): marker for marker in markers
            }

    async def markers(self, room: bytes) -> Sequence[frames.Marker]:
        """Return the markers of devices that are routed."""
        known = self._rooms.get(room)
        return list(known.markers.values()) if known else []

    # Blobs

    async def create_blob(self, blob: Blob, limits: BlobLimits) -> Denied | None:
        """Announce a blob; denied if account, room or relay would store too much."""
        account = self._accounts[blob.account]
        room = self._rooms.get(blob.room)
        if room is None:
            return Denied(ErrorCode.NOT_FOUND)
        stored = BlobLimits(
            account.blob_bytes,
            room.now.size,
            sum(known.now.size for known in self._rooms.values()),
        )
        denied = object_to_blob(blob, stored, limits)
        if denied is None:
            self.blobs[blob.blob] = blob
            self._contents[blob.blob] = bytearray()
            self._charge(blob, blob.size)
        return denied

    def _charge(self, blob: Blob, size: int) -> None:
        account = self._accounts[blob.account]
        self._accounts[blob.account] = replace(
            account, blob_bytes=account.blob_bytes + size
        )
        room = self._rooms[blob.room]
        room.now = replace(room.now, size=room.now.size + size)

    async def blob(self, blob: bytes) -> Blob | None:
        """Return what is known of the blob."""
        return self.blobs.get(blob)

    async def write_blob(self, blob: bytes, offset: int, data: bytes) -> int | None:
        """Store a piece and return how much there is; None if `offset` is elsewhere."""
        known = self.blobs[blob]
        if offset != known.stored:
            return None
        self._contents[blob] += data
        stored = offset + len(data)
        self.blobs[blob] = replace(known, stored=stored)
        return stored

    async def finish_blob(self, blob: bytes) -> bool:
        """Complete a wholly stored blob if its hash fits; else remove its bytes."""
        known = self.blobs[blob]
        fits = sha256(self._contents[blob]).digest() == known.hash
        if not fits:
            self._contents[blob].clear()
        self.blobs[blob] = replace(
            known, is_complete=fits, stored=known.stored if fits else 0
        )
        return fits

    async def read_blob(self, blob: bytes, offset: int, size: int) -> bytes:
        """Return up to `size` bytes of a complete blob."""
        return bytes(self._contents[blob][offset : offset + size])

    async def remove_blob(self, blob: bytes) -> None:
        """Remove the blob, complete or not."""
        known = self.blobs.pop(blob, None)
        if known is not None:
            del self._contents[blob]
            self._released.pop(blob, None)
            self._charge(known, -known.size)

    # Retention

    async def retain(self, rules: RetentionRules) -> Removed:
        """Remove what is no longer kept."""
        entry_blobs = sum(
            self._drop_entries(room, rules) for room in self._rooms.values()
        )
        past = [
            blob
            for blob in self.blobs.values()
            if is_past(blob, self._released.get(blob.blob), rules)
            and not self._is_current(blob)
        ]
        for blob in past:
            await self.remove_blob(blob.blob)
        return Removed(entry_blobs, len(past))

    def _is_current(self, blob: Blob) -> bool:
        group = self._rooms[blob.room].group
        return (
            group is not None
            and group.tree is not None
            and blob.blob == group.tree.blob
        )

    def _drop_entries(self, room: _Room, rules: RetentionRules) -> int:
        needed = first_needed(rules, room.now.handshake, room.all_progress())
        age = entry_age(rules, room.group.retention if room.group else None)
        dropped = 0
        for entry in list(room.entries.values()):
            old = age is not None and entry.time + age < rules.now
            if entry.kind is Kind.HANDSHAKE:
                old = entry.place < needed
            if old and entry.blob is not None:
                bare = replace(entry, blob=None, blob_hash=blob_hash(entry))
                room.entries[entry.place] = bare
                room.now = replace(room.now, size=room.now.size - len(entry.blob))
                dropped += 1
        return dropped


def _nobody(changes: Sequence[Change]) -> None:
    """Listen to nothing."""
