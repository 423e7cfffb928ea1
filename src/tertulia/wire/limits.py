"""Every limit of the protocol in one table: its value, its unit and its reason.

Each row is also a plain constant, so that code reads `limits.FRAME` and the protocol
page is generated from `TABLE`. Operators may lower what their relay grants; nobody
may send more than this.
"""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Limit:
    """One row of the table."""

    name: str
    value: int
    unit: str
    reason: str


TABLE: Final[list[Limit]] = []

KIB: Final = 1024
MIB: Final = 1024 * KIB
SECOND: Final = 1000
DAY: Final = 86_400 * SECOND


def _row(name: str, value: int, unit: str, reason: str) -> int:
    TABLE.append(Limit(name, value, unit, reason))
    return value


# Sizes of what travels

FRAME: Final = _row(
    "frame", MIB, "bytes", "bounds what one peer makes the other hold; more is a blob"
)
ENTRY_BLOB: Final = _row(
    "entry blob",
    MIB - 64 * KIB,
    "bytes",
    "an entry with its header and a signed head still fits a frame",
)
MESSAGE_TEXT: Final = _row(
    "message text", 64 * KIB, "bytes", "longer texts are read better as a file"
)
PAGE: Final = _row(
    "page of entries",
    256 * KIB,
    "bytes",
    "one page is one transaction of the client; one larger entry makes a page alone",
)
PAGE_ENTRIES: Final = _row(
    "entries in a page", 1_000, "entries", "bounds the work one page asks for"
)
STALE_ENTRIES: Final = _row(
    "handshakes in a `stale`", 64, "entries", "who missed more fetches pages instead"
)
STALE: Final = _row(
    "handshakes in a `stale` together",
    64 * KIB,
    "bytes",
    "many such answers can be under way; who needs more fetches pages, one at a time",
)
SIGNAL: Final = _row(
    "signal or marker",
    4 * KIB,
    "bytes",
    "they are small by nature and never stored long",
)
KEY_PACKAGE: Final = _row(
    "key package", 16 * KIB, "bytes", "a hybrid post-quantum one has about 4 KiB"
)
CREDENTIAL: Final = _row(
    "device credential", 512, "bytes", "one key, one id, one time, one signature"
)
DEVICE_LIST: Final = _row(
    "device list", 16 * KIB, "bytes", "room for every device an account may have"
)
HEAD_PATH: Final = _row(
    "siblings of a signed head", 20, "hashes", "a million rooms signed for together"
)
WRAPPED_KEY: Final = _row(
    "wrapped key", 256, "bytes", "a 32-byte key with nonce, tag and a version"
)
GROUP_INFO: Final = _row(
    "sealed GroupInfo",
    96 * KIB,
    "bytes",
    "a room's policy of 64 KiB, padded; frames carry it",
)
TREE_PATCH: Final = _row(
    "sealed patch of a tree",
    64 * KIB,
    "bytes",
    "a commit changes one path; who changes more gives the whole tree",
)
TREE_PATCHES_SIZE: Final = _row(
    "patches of a tree together",
    512 * KIB,
    "bytes",
    "one frame gives a joiner all of them",
)
SMALL_TREE_PATCHES: Final = _row(
    "patches of a tree together that are never too much",
    32 * KIB,
    "bytes",
    "eight commits of a small hybrid room: they cost no upload of their own",
)

# Numbers of things

VERSIONS: Final = _row(
    "versions in a hello", 16, "versions", "more than will ever live side by side"
)
DEVICES_PER_ACCOUNT: Final = _row(
    "devices of an account", 64, "devices", "a person's machines; bounds device lists"
)
DEVICES_PER_ROOM: Final = _row(
    "devices in a room", 5_000, "devices", "bounds the fan-out of one entry"
)
ROOMS_PER_ACCOUNT: Final = _row(
    "rooms an account creates", 1_000, "rooms", "storage cannot be had by many rooms"
)
ROOMS_FOLLOWED: Final = _row(
    "rooms followed on a connection",
    10_000,
    "rooms",
    "bounds what the relay remembers of a connection",
)
ROUTES_PER_BUNDLE: Final = _row(
    "routing changes in a bundle", 5_000, "devices", "a whole room may change at once"
)
WELCOMES_PER_BUNDLE: Final = _row(
    "welcomes in a bundle", 64, "welcomes", "one Welcome serves many devices"
)
INVITES_PER_ROOM: Final = _row(
    "invites of a room", 256, "invites", "bounds the advice stored for a room"
)
TREE_PATCHES: Final = _row(
    "patches of a tree", 256, "patches", "a joiner opens one after the other"
)
KEY_PACKAGES_PER_DEVICE: Final = _row(
    "one-time key packages of a device",
    100,
    "key packages",
    "enough for months offline, since each serves one room",
)
WELCOMES_PER_DEVICE: Final = _row(
    "waiting welcomes of a device",
    1_000,
    "welcomes",
    "a stranger cannot fill the disk with them; the oldest give way",
)
MARKER_SLOTS: Final = _row(
    "marker slots of a device in a room", 4, "slots", "read, delivered and two to come"
)
INVITE_USES: Final = _row(
    "uses of an invite", 10_000, "joins", "more than a room holds is no limit"
)
JOIN_QUEUE: Final = _row(
    "joiners waiting for one room", 1_000, "joiners", "more are told to come later"
)

# Waiting

HANDSHAKE_TIME: Final = _row(
    "time to authenticate",
    10 * SECOND,
    "milliseconds",
    "an open connection that proves nothing costs memory",
)
LEASE_TIME: Final = _row(
    "a joiner's turn",
    2 * SECOND,
    "milliseconds",
    "long enough for one join, short enough to wait for",
)
ADMISSION_TIME: Final = _row(
    "an admission",
    60 * SECOND,
    "milliseconds",
    "a joiner overtaken by a commit tries again without proving anew",
)
TURN_TIME: Final = _row(
    "a reserved handshake turn",
    SECOND,
    "milliseconds",
    "who was `stale` three times goes next; then nobody waits for it",
)
TICKET_TIME: Final = _row(
    "a blob ticket",
    3600 * SECOND,
    "milliseconds",
    "a large upload ends in it; a leaked ticket soon opens nothing",
)
UPLOAD_TIME: Final = _row(
    "an unfinished upload", 2 * DAY, "milliseconds", "over a night, then it is removed"
)
BLOB_USE_TIME: Final = _row(
    "a blob no handshake refers to",
    365 * DAY,
    "milliseconds",
    "the relay cannot see which message names it; a room's retention may be shorter",
)
MARKER_PAUSE: Final = _row(
    "pause between marker updates",
    2 * SECOND,
    "milliseconds",
    "a busy room's readers do not cost more than its texts",
)
MARKER_PAUSE_LARGE: Final = _row(
    "pause between marker updates above 32 followers",
    10 * SECOND,
    "milliseconds",
    "markers cost members times members",
)
SMALL_ROOM: Final = _row(
    "followers of a small room", 32, "devices", "above, markers are gathered longer"
)
HANDSHAKE_AGE: Final = _row(
    "silence after which handshakes are not kept for a device",
    90 * DAY,
    "milliseconds",
    "the same 90 days after which an admin may remove an idle leaf",
)

# Fairness

ADMISSION_COST: Final = _row(
    "handshakes that asking for admission counts as",
    10,
    "handshakes",
    "a joiner asks once or twice; each is a signature to check",
)
REST: Final = _row(
    "rest after `rate_limited`",
    200,
    "milliseconds",
    "until then only messages already taken up are answered: saying no costs too",
)
ARRIVALS_PER_CONNECTION: Final = _row(
    "connections of any kind for each that becomes a session",
    5,
    "connections",
    "pages and files come beside it; each may cost the relay a TLS handshake",
)

STALE_BEFORE_TURN: Final = _row(
    "`stale` in a row before a turn is reserved",
    3,
    "answers",
    "twice is chance, three times is a storm",
)

# What one account, room or relay stores (defaults an operator may change)

ACCOUNT_BLOBS: Final = _row(
    "blobs of an account", 2_048 * MIB, "bytes", "one person cannot fill the disk"
)
ROOM_STORAGE: Final = _row(
    "entries and blobs of a room", 8_192 * MIB, "bytes", "nor can one room"
)
RELAY_STORAGE: Final = _row(
    "entries and blobs of a relay",
    65_536 * MIB,
    "bytes",
    "nor all of them together; the operator sets it to what the disk has",
)
BLOB: Final = _row(
    "blob", 512 * MIB, "bytes", "a long video; larger files travel by other means"
)
BLOB_CHUNK: Final = _row(
    "piece of a blob", MIB, "bytes", "what the relay holds in memory per transfer"
)


# Token buckets


@dataclass(frozen=True, slots=True)
class Rate:
    """A bucket of `burst` tokens that refills by `per_minute`."""

    name: str
    per: str
    burst: int
    per_minute: int
    reason: str


CONNECTIONS: Final = Rate(
    "connections",
    "address",
    60,
    60,
    "a household behind one address reconnects at once",
)
PROOFS: Final = Rate(
    "failed authentications and invite proofs",
    "address",
    20,
    10,
    "each costs the relay a signature check; a secret cannot be guessed by trying",
)
NEW_ACCOUNTS: Final = Rate(
    "new accounts",
    "address",
    50,
    10,
    "a class and its host join at once, a flood does not",
)
FRAMES: Final = Rate(
    "frames, each begun 4 KiB counting as one",
    "device",
    2_000,
    30_000,
    "a person types less, a bot sends 500 a second; bounds what all others receive",
)
# A page of the database: a large frame keeps the disk busy as long as many small ones.
FRAME_UNIT: Final = 4 * KIB
# Pieces of a blob count as fewer frames, for they are written past the database.
BLOB_UNIT: Final = 16 * KIB
HANDSHAKES: Final = Rate(
    "handshakes, each begun 64 KiB counting as one",
    "device",
    60,
    60,
    "each costs every member work, and the more the larger it is",
)
# A member's handshake of 1 MiB that breaks the rules takes others half a second to find
# out; one for 1,000 members, no parent node having a key, has 83 kB.
HANDSHAKE_UNIT: Final = 64 * KIB
CLAIMS: Final = Rate(
    "claims of key packages",
    "account",
    60,
    20,
    "one-time key packages of others cannot be drained",
)
NEW_ROOMS: Final = Rate("new rooms", "account", 30, 10, "a room costs storage for good")
REPORTS: Final = Rate(
    "reports of a room's group advice",
    "room",
    3,
    6,
    "each has a member send a whole tree",
)
SIGNALS: Final = Rate(
    "signals and markers", "device", 60, 300, "typing is shown by seconds"
)
UPLOADS: Final = Rate("uploads begun", "account", 200, 120, "each costs a file")

RATES: Final = (
    CONNECTIONS,
    PROOFS,
    NEW_ACCOUNTS,
    FRAMES,
    HANDSHAKES,
    CLAIMS,
    NEW_ROOMS,
    REPORTS,
    SIGNALS,
    UPLOADS,
)
