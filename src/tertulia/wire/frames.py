"""Every frame between client and relay, declared once.

A frame is a MessagePack array: its tag, then its fields in the order given here.
Fields are only ever added at the end, with a default: who does not know them ignores
them. Everything else about frames is generated from this file: the TypeScript types
and codec, the tables of the protocol's pages, the seeds of the fuzzers.

A `Request` carries a number that its one answer repeats. Number 0 marks what the relay
sends unasked. Blobs are opaque here, always.
"""

from typing import Annotated, TypeAlias

from msgspec import Meta, Struct

from tertulia.wire import limits
from tertulia.wire.error_codes import ErrorCode
from tertulia.wire.identifiers import (
    AccountId,
    AccountPolicy,
    AnsweredNumber,
    BlobId,
    CertificateHash,
    Counter,
    DeviceId,
    Duration,
    Hash,
    Incarnation,
    InviteId,
    Kind,
    MessageKey,
    Nonce,
    Place,
    PublicKey,
    RequestNumber,
    RoomId,
    Signature,
    Time,
    TreeName,
    WrapId,
)

EntryBlob: TypeAlias = Annotated[
    bytes,
    Meta(max_length=limits.ENTRY_BLOB, description="an MLS message, perhaps sealed"),
]
WelcomeBlob: TypeAlias = Annotated[
    bytes, Meta(max_length=limits.ENTRY_BLOB, description="an MLS Welcome")
]
SignalBlob: TypeAlias = Annotated[
    bytes, Meta(max_length=limits.SIGNAL, description="encrypted by an exported key")
]
KeyPackageBlob: TypeAlias = Annotated[
    bytes, Meta(max_length=limits.KEY_PACKAGE, description="an MLS KeyPackage")
]
CredentialBlob: TypeAlias = Annotated[
    bytes, Meta(max_length=limits.CREDENTIAL, description="a DeviceCredential")
]
DeviceListBlob: TypeAlias = Annotated[
    bytes, Meta(max_length=limits.DEVICE_LIST, description="a DeviceList")
]
WrappedKey: TypeAlias = Annotated[
    bytes, Meta(max_length=limits.WRAPPED_KEY, description="a key, encrypted")
]
SealedGroupInfo: TypeAlias = Annotated[
    bytes, Meta(max_length=limits.GROUP_INFO, description="a GroupInfo, encrypted")
]
SealedPatch: TypeAlias = Annotated[
    bytes,
    Meta(
        max_length=limits.TREE_PATCH,
        description="the changed nodes of a ratchet tree, encrypted",
    ),
]
SealedPatches: TypeAlias = Annotated[
    tuple[SealedPatch, ...], Meta(max_length=limits.TREE_PATCHES)
]
Uses: TypeAlias = Annotated[int, Meta(ge=1, le=limits.INVITE_USES)]
BlobSize: TypeAlias = Annotated[int, Meta(ge=1, le=limits.BLOB, description="bytes")]
BlobOffset: TypeAlias = Annotated[
    int, Meta(ge=0, le=limits.BLOB, description="bytes that have arrived")
]
Slot: TypeAlias = Annotated[int, Meta(ge=0, le=limits.MARKER_SLOTS - 1)]
Devices: TypeAlias = Annotated[
    tuple[DeviceId, ...], Meta(max_length=limits.ROUTES_PER_BUNDLE)
]
Ticket: TypeAlias = Annotated[
    bytes, Meta(max_length=256, description="opaque; the Bearer token of `/v1/blobs`")
]
Version: TypeAlias = Annotated[int, Meta(ge=1, le=2**16 - 1)]
Count: TypeAlias = Annotated[int, Meta(ge=0, le=2**32 - 1)]


class Frame(Struct, frozen=True, array_like=True, gc=False):
    """A frame, or a part of one."""


class Request(Frame, frozen=True, array_like=True, gc=False):
    """A frame that asks; the answer carries its number."""

    request: RequestNumber


class Answer(Frame, frozen=True, array_like=True, gc=False):
    """A frame from the relay that belongs to a request, or to none."""

    request: AnsweredNumber


# Parts


class Entry(Frame, frozen=True, array_like=True, gc=False):
    """One entry of a room. `blob` is missing where retention removed it; then its hash is given."""

    place: Place
    kind: Kind
    device: DeviceId
    time: Time
    key: MessageKey
    handshake: Place
    blob: EntryBlob | None
    blob_hash: Hash | None = None


class SignedHead(Frame, frozen=True, array_like=True, gc=False):
    """The relay's word for the last entry of a room and its running hash."""

    incarnation: Incarnation
    place: Place
    hash: Hash
    signature: Signature
    path: Annotated[
        tuple[Hash, ...],
        Meta(
            max_length=limits.HEAD_PATH,
            description="siblings on the way to what is signed",
        ),
    ] = ()


class BlobReference(Frame, frozen=True, array_like=True, gc=False):
    """A blob uploaded before, and what it must hash to."""

    blob: BlobId
    size: BlobSize
    hash: Hash


class Invite(Frame, frozen=True, array_like=True, gc=False):
    """An invite as the relay knows it: enough to check a proof, to count and to expire."""

    invite: InviteId
    public_key: PublicKey
    wrap: WrapId
    expires: Time | None = None
    uses: Uses | None = None


class Wrap(Frame, frozen=True, array_like=True, gc=False):
    """The key of the current group advice, encrypted for the invites of one wrap key."""

    wrap: WrapId
    wrapped: WrappedKey


class TreePatch(Frame, frozen=True, array_like=True, gc=False):
    """What makes this epoch's tree of the one named `after`."""

    after: TreeName
    blob: SealedPatch


class GroupAdvice(Frame, frozen=True, array_like=True, gc=False):
    """What the relay hands to joiners of the current epoch; it cannot read or check it. The tree, named `name`, comes whole or as a patch."""

    name: TreeName
    group_info: SealedGroupInfo
    member_wrap: WrappedKey
    tree: BlobReference | None = None
    patch: TreePatch | None = None
    wraps: Annotated[tuple[Wrap, ...], Meta(max_length=limits.INVITES_PER_ROOM)] = ()
    invites: Annotated[
        tuple[Invite, ...], Meta(max_length=limits.INVITES_PER_ROOM)
    ] = ()
    retention: Duration | None = None


class Welcome(Frame, frozen=True, array_like=True, gc=False):
    """One MLS Welcome for several devices."""

    devices: Devices
    blob: WelcomeBlob


class Bundle(Frame, frozen=True, array_like=True, gc=False):
    """What takes effect together with a handshake, or not at all."""

    group: GroupAdvice | None = None
    welcomes: Annotated[
        tuple[Welcome, ...], Meta(max_length=limits.WELCOMES_PER_BUNDLE)
    ] = ()
    route: Devices = ()
    unroute: Devices = ()


class Facts(Frame, frozen=True, array_like=True, gc=False):
    """The numbers that come with an error code."""

    limit: int | None = None
    actual: int | None = None
    retry_after: Duration | None = None
    place: Place | None = None
    counter: Counter | None = None


# Handshake


class Hello(Frame, frozen=True, array_like=True, gc=False, tag="hello"):
    """The client's first frame."""

    versions: Annotated[tuple[Version, ...], Meta(max_length=limits.VERSIONS)]
    nonce: Nonce


class Challenge(Frame, frozen=True, array_like=True, gc=False, tag="challenge"):
    """The relay proves its identity and asks for the device's; signed as RelayProof."""

    version: Version
    identity: PublicKey
    nonce: Nonce
    certificate: CertificateHash
    incarnation: Incarnation
    time: Time
    accounts: AccountPolicy
    signature: Signature


class InviteProof(Frame, frozen=True, array_like=True, gc=False):
    """That its sender knows the invite's secret; signed as InviteClaim. `room` is missing for a server invite."""

    invite: InviteId
    signature: Signature
    room: RoomId | None = None


class Authenticate(Frame, frozen=True, array_like=True, gc=False, tag="authenticate"):
    """The device proves its key; signed as DeviceProof. An invite is needed only by a new account."""

    credential: CredentialBlob
    device_key: PublicKey
    counter: Counter
    certificate: CertificateHash
    signature: Signature
    invite: InviteProof | None = None


class Authenticated(Frame, frozen=True, array_like=True, gc=False, tag="authenticated"):
    """The connection is open; what the relay keeps for this device."""

    account: AccountId
    device: DeviceId
    is_owner: bool
    one_time_key_packages: Count
    has_last_resort: bool
    device_list_version: Count
    welcomes: Count


# Accounts and key packages


class PublishDeviceList(
    Request, frozen=True, array_like=True, gc=False, tag="publish_device_list"
):
    """Replaces the account's device list. Devices it no longer has are cut off at once. → `done`"""

    devices: DeviceListBlob


class FetchDeviceList(
    Request, frozen=True, array_like=True, gc=False, tag="fetch_device_list"
):
    """Asks for an account's device list. → `device_list`"""

    account: AccountId


class DeviceListed(Answer, frozen=True, array_like=True, gc=False, tag="device_list"):
    """An account's newest device list."""

    devices: DeviceListBlob


class CreateServerInvite(
    Request, frozen=True, array_like=True, gc=False, tag="create_server_invite"
):
    """An owner lets others create accounts here, without a room. → `done`"""

    invite: InviteId
    public_key: PublicKey
    expires: Time | None = None
    uses: Uses | None = None


class PublishKeyPackages(
    Request, frozen=True, array_like=True, gc=False, tag="publish_key_packages"
):
    """Adds one-time key packages and replaces the last resort. → `done`"""

    one_time: Annotated[
        tuple[KeyPackageBlob, ...], Meta(max_length=limits.KEY_PACKAGES_PER_DEVICE)
    ]
    last_resort: KeyPackageBlob | None = None


class ClaimKeyPackages(
    Request, frozen=True, array_like=True, gc=False, tag="claim_key_packages"
):
    """Asks for one key package of each device of an account. → `key_packages`"""

    account: AccountId


class ClaimedKeyPackage(Frame, frozen=True, array_like=True, gc=False):
    """A key package; unless it is the last resort, nobody else gets it."""

    device: DeviceId
    key_package: KeyPackageBlob
    is_last_resort: bool


class KeyPackages(Answer, frozen=True, array_like=True, gc=False, tag="key_packages"):
    """The claimed key packages; none for an account that is unknown or has none."""

    key_packages: tuple[ClaimedKeyPackage, ...]


# Rooms


class CreateRoom(Request, frozen=True, array_like=True, gc=False, tag="create_room"):
    """Makes a room with this device in it. Its first entry names handshake 0. → `done`"""

    room: RoomId


class ListRooms(Request, frozen=True, array_like=True, gc=False, tag="list_rooms"):
    """Asks which rooms this device is routed to. → `rooms`"""


class RoomRoute(Frame, frozen=True, array_like=True, gc=False):
    """A room that this device may read, from one place and perhaps only up to another."""

    room: RoomId
    first: Place
    last: Place | None = None


class Rooms(Answer, frozen=True, array_like=True, gc=False, tag="rooms"):
    """The rooms this device is routed to."""

    rooms: tuple[RoomRoute, ...]


class FollowRoom(Request, frozen=True, array_like=True, gc=False, tag="follow_room"):
    """Asks for what the room gets from now on. Names the last entry the client has, and the handshake it has processed. → `followed`"""

    room: RoomId
    place: Place
    hash: Hash | None = None
    handshake: Place = 0


class Followed(Answer, frozen=True, array_like=True, gc=False, tag="followed"):
    """Entries will come as `entries`; those up to the head are fetched."""

    head: SignedHead
    handshake: Place
    first: Place
    followers: Count


class UnfollowRoom(
    Request, frozen=True, array_like=True, gc=False, tag="unfollow_room"
):
    """Ends `follow_room`. → `done`"""

    room: RoomId


class FetchEntries(
    Request, frozen=True, array_like=True, gc=False, tag="fetch_entries"
):
    """Asks for the page after `after`; `hash` is the running hash there, to be compared. → `entries`"""

    room: RoomId
    after: Place
    hash: Hash | None = None
    limit: Annotated[int, Meta(ge=1, le=limits.PAGE_ENTRIES)] = limits.PAGE_ENTRIES


class Entries(Answer, frozen=True, array_like=True, gc=False, tag="entries"):
    """Entries in order: a page asked for, or what the room just got. `previous` is the running hash before the first; `head` covers the last or a later one."""

    room: RoomId
    previous: Hash
    entries: tuple[Entry, ...]
    head: SignedHead
    more: bool = False


class Append(Request, frozen=True, array_like=True, gc=False, tag="append"):
    """Appends an application entry if `handshake` is still the latest. → `accepted` or `stale`"""

    room: RoomId
    key: MessageKey
    handshake: Place
    blob: EntryBlob


class Commit(Request, frozen=True, array_like=True, gc=False, tag="commit"):
    """Appends a handshake with its bundle if `handshake` is still the latest. → `accepted` or `stale`"""

    room: RoomId
    key: MessageKey
    handshake: Place
    blob: EntryBlob
    bundle: Bundle


class Join(Request, frozen=True, array_like=True, gc=False, tag="join"):
    """Appends an external commit that routes its sender: after `admitted`, or for a device whose account is in the room. → `accepted` or `stale`"""

    room: RoomId
    key: MessageKey
    handshake: Place
    blob: EntryBlob
    group: GroupAdvice
    unroute: Annotated[
        tuple[DeviceId, ...],
        Meta(
            max_length=1,
            description="a device of the same account that this one replaces",
        ),
    ] = ()


class Leave(Request, frozen=True, array_like=True, gc=False, tag="leave"):
    """Appends a leaving statement and ends the sender's routing with it. → `accepted` or `stale`"""

    room: RoomId
    key: MessageKey
    handshake: Place
    blob: EntryBlob


class Accepted(Answer, frozen=True, tag="accepted"):
    """The entry is stored for good; for a resend, its old place. `head` covers it."""

    place: Place
    time: Time
    head: SignedHead


class Stale(Answer, frozen=True, array_like=True, gc=False, tag="stale"):
    """Newer handshakes came first: process them, then send again. With `more`, fetch pages instead."""

    room: RoomId
    handshake: Place
    entries: tuple[Entry, ...]
    more: bool = False


class Repair(Request, frozen=True, array_like=True, gc=False, tag="repair"):
    """Replaces what the last bundle said, if `handshake` is still the latest. → `done` or `stale`"""

    room: RoomId
    handshake: Place
    bundle: Bundle


class FetchGroup(Request, frozen=True, array_like=True, gc=False, tag="fetch_group"):
    """Asks for the current group advice, in order to rejoin. → `group`"""

    room: RoomId


class Group(Answer, frozen=True, array_like=True, gc=False, tag="group"):
    """What an external commit starts from: the tree, the patches to it in order, the rest."""

    handshake: Place
    head: SignedHead
    group_info: SealedGroupInfo
    tree: BlobReference
    patches: SealedPatches
    wrapped: WrappedKey
    ticket: Ticket


class ReportGroup(Request, frozen=True, array_like=True, gc=False, tag="report_group"):
    """Says that what the relay gave in order to enter does not open or fit. One member is asked to mend it. → `done`"""

    room: RoomId


class GroupReported(
    Frame, frozen=True, array_like=True, gc=False, tag="group_reported"
):
    """Somebody could not enter by the group advice: mend it by `repair`."""

    room: RoomId


class Refeed(Request, frozen=True, array_like=True, gc=False, tag="refeed"):
    """Gives a restored relay entries that it lost, right after its head, up to a head it once signed. → `done`"""

    room: RoomId
    entries: Annotated[tuple[Entry, ...], Meta(max_length=limits.PAGE_ENTRIES)]
    head: SignedHead


# Joining by invite


class RequestAdmission(
    Request, frozen=True, array_like=True, gc=False, tag="request_admission"
):
    """Proves an invite and asks for a turn to join. → `queued`, then `admitted`"""

    room: RoomId
    invite: InviteId
    signature: Signature


class Queued(Answer, frozen=True, array_like=True, gc=False, tag="queued"):
    """Others join first; told again when the number changes."""

    ahead: Count


class Admitted(Answer, frozen=True, array_like=True, gc=False, tag="admitted"):
    """The sender's turn to join, until `until`; after that others may come first."""

    until: Time
    handshake: Place
    head: SignedHead
    group_info: SealedGroupInfo
    tree: BlobReference
    patches: SealedPatches
    wrapped: WrappedKey
    ticket: Ticket


# Welcomes


class FetchWelcomes(
    Request, frozen=True, array_like=True, gc=False, tag="fetch_welcomes"
):
    """Asks for this device's waiting Welcomes after a place of its mailbox. → `welcomes`"""

    after: Place = 0


class WaitingWelcome(Frame, frozen=True, array_like=True, gc=False):
    """A Welcome in the mailbox, and the handshake entry it came with."""

    number: Place
    room: RoomId
    place: Place
    blob: WelcomeBlob


class Welcomes(Answer, frozen=True, array_like=True, gc=False, tag="welcomes"):
    """Waiting Welcomes, oldest first, asked for or just arrived."""

    welcomes: tuple[WaitingWelcome, ...]
    more: bool = False


class DiscardWelcomes(
    Request, frozen=True, array_like=True, gc=False, tag="discard_welcomes"
):
    """Removes Welcomes up to a number; the device has them on its disk. → `done`"""

    until: Place


# Outside the log


class Signal(Request, frozen=True, array_like=True, gc=False, tag="signal"):
    """For whoever follows the room now, stored nowhere. Answered only if refused."""

    room: RoomId
    blob: SignalBlob


class Signalled(Frame, frozen=True, array_like=True, gc=False, tag="signalled"):
    """A signal of another device."""

    room: RoomId
    device: DeviceId
    blob: SignalBlob


class SetMarker(Request, frozen=True, array_like=True, gc=False, tag="set_marker"):
    """Replaces a marker of this device. Answered only if refused."""

    room: RoomId
    slot: Slot
    blob: SignalBlob


class Marker(Frame, frozen=True, array_like=True, gc=False):
    """The newest marker of a device in one slot."""

    device: DeviceId
    slot: Slot
    blob: SignalBlob


class Markers(Frame, frozen=True, array_like=True, gc=False, tag="markers"):
    """Markers that changed, gathered; after `followed`, all of them, in frames of a page."""

    room: RoomId
    markers: tuple[Marker, ...]


# Blobs


class BeginUpload(Request, frozen=True, array_like=True, gc=False, tag="begin_upload"):
    """Announces a blob for a room. → `upload`"""

    room: RoomId
    size: BlobSize
    hash: Hash


class ResumeUpload(
    Request, frozen=True, array_like=True, gc=False, tag="resume_upload"
):
    """Asks how much of an own blob has arrived. → `upload`"""

    room: RoomId
    blob: BlobId


class Upload(Answer, frozen=True, array_like=True, gc=False, tag="upload"):
    """Where and with which ticket the rest of a blob goes."""

    blob: BlobId
    offset: BlobOffset
    ticket: Ticket
    expires: Time


class FetchTicket(Request, frozen=True, array_like=True, gc=False, tag="fetch_ticket"):
    """Asks for a ticket to read blobs of a room. → `ticket`"""

    room: RoomId


class TicketIssued(Answer, frozen=True, array_like=True, gc=False, tag="ticket"):
    """Opens the blobs of one room until it expires."""

    ticket: Ticket
    expires: Time


# Answers of every kind


class Done(Answer, frozen=True, array_like=True, gc=False, tag="done"):
    """The request was carried out; its effect is stored for good."""


class Refused(Answer, frozen=True, array_like=True, gc=False, tag="refused"):
    """The request was not carried out, and why."""

    code: ErrorCode
    facts: Facts = Facts()


class Goodbye(Frame, frozen=True, array_like=True, gc=False, tag="goodbye"):
    """The relay is about to hang up, and why."""

    code: ErrorCode
    facts: Facts = Facts()


FromClient: TypeAlias = (
    Hello
    | Authenticate
    | PublishDeviceList
    | FetchDeviceList
    | CreateServerInvite
    | PublishKeyPackages
    | ClaimKeyPackages
    | CreateRoom
    | ListRooms
    | FollowRoom
    | UnfollowRoom
    | FetchEntries
    | Append
    | Commit
    | Join
    | Leave
    | Repair
    | FetchGroup
    | ReportGroup
    | Refeed
    | RequestAdmission
    | FetchWelcomes
    | DiscardWelcomes
    | Signal
    | SetMarker
    | BeginUpload
    | ResumeUpload
    | FetchTicket
)

FromRelay: TypeAlias = (
    Challenge
    | Authenticated
    | DeviceListed
    | KeyPackages
    | Rooms
    | Followed
    | Entries
    | Accepted
    | Stale
    | Group
    | GroupReported
    | Queued
    | Admitted
    | Welcomes
    | Signalled
    | Markers
    | Upload
    | TicketIssued
    | Done
    | Refused
    | Goodbye
)
