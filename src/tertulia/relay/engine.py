"""The one port to storage: what the relay asks of an engine, and in which values.

Rules for every engine:

- When an awaited call that changes something returns, the change is durable.
- Changes of one room happen one after the other; `append` decides with `decide` from
  `tertulia.relay` against the state at that moment (NOT_FOUND without a room), each proposal after the one before it.
  Calls that arrive together may share a transaction, each with its own outcomes.
- After changes are durable the engine tells its listener, once for all that came
  together, one Change per room, in the room's order, before the calls return. The listener is called on
  the event loop and must not wait.
- Places rise strictly and may have holes. No call needs a lock held by the caller, a
  transaction over two rooms, or a query over what is inside an entry.
- Reads see everything whose change has returned, and never hold changes back.
- A change that cannot be stored raises StorageError; then nothing of it happened.

Values are msgspec structs here, as frames are: the append path makes many of them.
"""

from collections.abc import Callable, Sequence
from typing import Protocol, TypeAlias

from msgspec import Struct

from tertulia.wire import Device, ErrorCode, Kind, frames


class Value(Struct, frozen=True, gc=False):
    """A value that passes between relay and engine."""


# Accounts and devices


class Account(Value, frozen=True):
    """An account and what it uses."""

    account: bytes
    key: bytes
    is_owner: bool
    created: int
    rooms: int
    blob_bytes: int


class EnrolledDevice(Value, frozen=True):
    """A device that has connected at least once."""

    device: bytes
    account: bytes
    key: bytes
    counter: int
    is_revoked: bool


class InviteUse(Value, frozen=True):
    """The proven invite by which an account is created; `room` is empty for a server invite."""

    invite: bytes
    room: bytes = b""


class Enrolment(Value, frozen=True):
    """A device that connects for the first time, and perhaps its account too."""

    device: Device
    now: int
    invite: InviteUse | None
    may_create_account: bool


class DeviceListChange(Value, frozen=True):
    """A verified device list that replaces an older one."""

    account: bytes
    number: int
    listed: tuple[bytes, ...]
    revoked: tuple[bytes, ...]
    signed: bytes


class ServerInvite(Value, frozen=True):
    """An invite to create an account, without a room."""

    invite: bytes
    public_key: bytes
    created: int
    expires: int | None = None
    uses: int | None = None
    used: int = 0
    makes_owner: bool = False


class Ban(Value, frozen=True):
    """Who is shut out: an account id in hex, or an address."""

    subject: str
    created: int
    expires: int | None = None


# Rooms


class RoomState(Value, frozen=True):
    """Where a room stands. `handshake` is the place of the latest one, 0 before any."""

    room: bytes
    place: int
    hash: bytes
    handshake: int
    time: int
    size: int


class Route(Value, frozen=True):
    """What a device may read: from `first`, and up to `last` if it no longer belongs."""

    first: int
    last: int | None = None


class RoomInvite(Value, frozen=True):
    """An invite of a room with how often it was used."""

    room: bytes
    invite: frames.Invite
    joined: int
    accounts: int


class Proposal(Value, frozen=True):
    """An entry that wants a place.

    `joining` says that the relay admitted a sender who is not routed; `invite` names
    the invite it joins by. `leaving` ends the sender's routing with the entry.
    """

    room: bytes
    device: bytes
    key: bytes
    kind: Kind
    handshake: int
    blob: bytes
    now: int
    bundle: frames.Bundle | None = None
    joining: bool = False
    leaving: bool = False
    invite: bytes | None = None
    room_limit: int = 0


class Placed(Value, frozen=True):
    """The entry's place; `again` if the same key had it before."""

    place: int
    time: int
    again: bool = False


class Overtaken(Value, frozen=True):
    """A newer handshake came first."""

    handshake: int


class Denied(Value, frozen=True):
    """No, with the code and facts that the client gets."""

    code: ErrorCode
    facts: frames.Facts = frames.Facts()


Outcome: TypeAlias = Placed | Overtaken | Denied


class RepairProposal(Value, frozen=True):
    """A routed device replaces what the last bundle said."""

    room: bytes
    device: bytes
    handshake: int
    bundle: frames.Bundle
    now: int


class Entrance(Value, frozen=True):
    """What an external commit starts from, all of one moment; patches in order."""

    state: RoomState
    advice: frames.GroupAdvice
    tree: frames.BlobReference
    patches: tuple[bytes, ...]


class Page(Value, frozen=True):
    """Entries in order; `previous` is the running hash before the first."""

    previous: bytes
    entries: tuple[frames.Entry, ...]
    more: bool


class Delivery(Value, frozen=True):
    """A Welcome for one device's mailbox."""

    device: bytes
    welcome: frames.WaitingWelcome


class Cut(Value, frozen=True):
    """A device that may read its room up to `last` only."""

    device: bytes
    last: int


class Change(Value, frozen=True):
    """What one room got together, now durable."""

    state: RoomState
    previous: bytes
    entries: tuple[frames.Entry, ...] = ()
    deliveries: tuple[Delivery, ...] = ()
    cuts: tuple[Cut, ...] = ()


Listener: TypeAlias = Callable[[Sequence[Change]], None]


# Blobs


class Blob(Value, frozen=True):
    """A blob of a room. `stored` bytes have arrived; `is_complete` once hash and size fit."""

    blob: bytes
    room: bytes
    account: bytes
    size: int
    hash: bytes
    created: int
    stored: int = 0
    is_complete: bool = False


class BlobLimits(Value, frozen=True):
    """How much is stored by an account, in a room and in all, or may be."""

    account: int
    room: int
    relay: int


class Usage(Value, frozen=True):
    """What the whole relay stores."""

    accounts: int
    devices: int
    rooms: int
    entries: int
    entry_bytes: int
    blobs: int
    blob_bytes: int


class RoomUsage(Value, frozen=True):
    """What one room stores."""

    room: bytes
    devices: int
    entries: int
    size: int
    time: int


class RetentionRules(Value, frozen=True):
    """What is no longer kept at `now`."""

    now: int
    entry_age: int | None
    handshake_idle: int
    upload_age: int
    blob_age: int


class Removed(Value, frozen=True):
    """How much retention removed."""

    entry_blobs: int
    blobs: int


class AccountStore(Protocol):
    """Accounts, devices, invites to the relay, bans."""

    async def account(self, account: bytes) -> Account | None:
        """Return the account, if there is one."""

    async def accounts(self) -> Sequence[Account]:
        """Return all accounts, for the operator."""

    async def device(self, device: bytes) -> EnrolledDevice | None:
        """Return the device, if it ever enrolled."""

    async def enrol(self, enrolment: Enrolment) -> ErrorCode | None:
        """Add the device, and its account if there is none; count the invite's use.

        Decides with `object_to_enrolment` and returns what it says.
        """

    async def connect(self, device: bytes, counter: int) -> int:
        """Raise the device's counter if `counter` is higher; return the one before."""

    async def put_device_list(self, change: DeviceListChange) -> Sequence[bytes] | None:
        """Store the list if its number is higher than the stored one's, else None.

        Devices of the account that are not listed are revoked, un-routed everywhere,
        and returned. Revoked ids never enrol again, also those that never did.
        """

    async def device_list(self, account: bytes) -> tuple[int, bytes] | None:
        """Return number and bytes of the newest list."""

    async def put_server_invite(self, invite: ServerInvite) -> bool:
        """Store a new invite; False if the id is taken."""

    async def server_invite(self, invite: bytes) -> ServerInvite | None:
        """Return the invite with how often it was used."""

    async def server_invites(self) -> Sequence[ServerInvite]:
        """Return all server invites, for the operator."""

    async def remove_server_invite(self, invite: bytes) -> bool:
        """Remove the invite; False if there is none."""

    async def put_ban(self, ban: Ban) -> None:
        """Store or replace the ban of its subject."""

    async def remove_ban(self, subject: str) -> bool:
        """Remove the ban; False if there is none."""

    async def bans(self) -> Sequence[Ban]:
        """Return all bans."""


class KeyPackageStore(Protocol):
    """Key packages that wait to be claimed."""

    async def publish_key_packages(
        self, device: bytes, one_time: Sequence[bytes], last_resort: bytes | None
    ) -> bool:
        """Add all or none; False if there would be more one-time ones than allowed."""

    async def claim_key_packages(
        self, account: bytes
    ) -> Sequence[frames.ClaimedKeyPackage]:
        """Take one of each device that is not revoked; a last resort stays."""

    async def count_key_packages(self, device: bytes) -> tuple[int, bool]:
        """Return the number of one-time ones, and whether there is a last resort."""


class RoomStore(Protocol):
    """Rooms: who is routed, the log, what joiners need, mailboxes, markers."""

    async def create_room(
        self, room: bytes, device: bytes, now: int
    ) -> ErrorCode | None:
        """Make an empty room with the device in it; EXISTS or TOO_MANY otherwise."""

    async def room(self, room: bytes) -> RoomState | None:
        """Return where the room stands."""

    async def rooms(self) -> Sequence[RoomUsage]:
        """Return what each room stores, for the operator."""

    async def remove_room(self, room: bytes) -> bool:
        """Remove the room and all it stores; False if there is none."""

    async def route(self, room: bytes, device: bytes) -> Route | None:
        """Return what the device may read; None for no routing or no room."""

    async def routes(self, device: bytes) -> Sequence[frames.RoomRoute]:
        """Return all rooms the device may read."""

    async def has_account(self, room: bytes, account: bytes) -> bool:
        """Tell whether a device of the account is routed to the room."""

    async def append(self, proposals: Sequence[Proposal]) -> Sequence[Outcome]:
        """Decide on each proposal in turn, and give it a place together with its bundle."""

    async def repair(self, proposal: RepairProposal) -> Outcome:
        """Carry out a bundle without an entry; Placed names the room's last place."""

    async def refeed(
        self, room: bytes, entries: Sequence[frames.Entry], expected: RoomState
    ) -> bool:
        """Append entries as they are; False if the room no longer stands as expected."""

    async def entries(self, room: bytes, after: int, until: int, limit: int) -> Page:
        """Return a page of entries after one place and up to another."""

    async def handshakes(
        self, room: bytes, after: int, limit: int
    ) -> tuple[Sequence[frames.Entry], bool]:
        """Return the handshakes after a place, and whether there are more."""

    async def hash_at(self, room: bytes, place: int) -> bytes | None:
        """Return the running hash at a place; None if no entry has it."""

    async def group(self, room: bytes) -> frames.GroupAdvice | None:
        """Return what joiners need, as `kept_advice` makes it of each bundle's."""

    async def entrance(self, room: bytes) -> Entrance | None:
        """Return what joiners start from; None without a room or advice.

        Patches go when a bundle gives a whole tree, and come one with each other.
        """

    async def room_invite(self, room: bytes, invite: bytes) -> RoomInvite | None:
        """Return the invite with how often it was used."""

    async def note_progress(
        self, room: bytes, device: bytes, handshake: int, now: int
    ) -> None:
        """Remember how far a device is; may be lost in a crash, need not be awaited for."""

    async def welcomes(
        self, device: bytes, after: int
    ) -> tuple[Sequence[frames.WaitingWelcome], bool]:
        """Return a page of waiting Welcomes, and whether there are more."""

    async def count_welcomes(self, device: bytes) -> int:
        """Return how many Welcomes wait."""

    async def discard_welcomes(self, device: bytes, until: int) -> None:
        """Remove the Welcomes up to a number."""

    async def put_markers(self, room: bytes, markers: Sequence[frames.Marker]) -> None:
        """Replace markers; may be lost in a crash."""

    async def markers(self, room: bytes) -> Sequence[frames.Marker]:
        """Return the markers of devices that are routed."""


class BlobStore(Protocol):
    """Opaque files of rooms."""

    async def create_blob(self, blob: Blob, limits: BlobLimits) -> Denied | None:
        """Announce a blob; denied if account, room or relay would store too much."""

    async def blob(self, blob: bytes) -> Blob | None:
        """Return what is known of the blob."""

    async def write_blob(self, blob: bytes, offset: int, data: bytes) -> int | None:
        """Store a piece and return how much there is; None if `offset` is elsewhere."""

    async def finish_blob(self, blob: bytes) -> bool:
        """Make a wholly stored blob durable if its hash fits; else remove its bytes."""

    async def read_blob(self, blob: bytes, offset: int, size: int) -> bytes:
        """Return up to `size` bytes of a complete blob."""

    async def remove_blob(self, blob: bytes) -> None:
        """Remove the blob, complete or not."""


class Engine(AccountStore, KeyPackageStore, RoomStore, BlobStore, Protocol):
    """Everything the relay stores."""

    @property
    def incarnation(self) -> bytes:
        """A random id, new whenever a backup is restored."""

    def listen(self, listener: Listener) -> None:
        """Set who is told of changes of rooms."""

    async def usage(self) -> Usage:
        """Return what the whole relay stores."""

    async def retain(self, rules: RetentionRules) -> Removed:
        """Remove what is no longer kept: blobs, never headers or the newest handshake.

        Of a handshake entry the blob goes only when every routed device that was
        heard of within `handshake_idle` has processed a later handshake.
        """
