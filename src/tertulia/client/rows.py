"""What a session keeps: the rows that a vault stores, and the changes to them.

A vault knows keys and numbers by which rows are found and ordered; what else a row says
it stores as bytes and gives back. All changes of one `Save` are one transaction.
What holds keys, secrets or what people said shows in no repr.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

from tertulia.crypto import Secret


@dataclass(frozen=True, slots=True)
class ProfileRow:
    """Who I am: one per vault. `account_key` is missing on a linked device."""

    account_public: bytes
    account_key: Secret | None
    device: bytes
    device_public: bytes
    device_key: Secret
    created: int
    name: str


@dataclass(frozen=True, slots=True)
class RelayRow:
    """A relay, by the fingerprint of its identity.

    `counter` is the one last used; `invite` is the link by which to make an account
    there, empty once there is one.
    """

    relay: bytes
    addresses: tuple[str, ...]
    counter: int
    invite: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class RoomRow:
    """A room: where it stands, as `client.room` writes it."""

    room: bytes
    relay: bytes
    state: bytes = field(repr=False)  # perhaps with the link to join by


@dataclass(frozen=True, slots=True)
class OutboxRow:
    """An own message on its way; `number` orders the room's outbox."""

    room: bytes
    number: int
    key: bytes
    state: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class MessageRow:
    """One line of a conversation, as `client.messages` writes it.

    `number` orders lines and never changes: the vault gives it when it first stores the
    message. `place` is None until the relay has given one. Message ids are unique.
    """

    room: bytes
    message: bytes
    place: int | None
    body: bytes = field(repr=False)
    number: int | None = None


@dataclass(frozen=True, slots=True)
class EntryRow:
    """An entry of the log as received, and the running hash after it."""

    room: bytes
    place: int
    hash: bytes
    entry: bytes


@dataclass(frozen=True, slots=True)
class InviteRow:
    """The secret of an invite made here."""

    room: bytes
    invite: bytes
    link: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class TreeRow:
    """A ratchet tree as of an epoch, or what that epoch's commit changed in it."""

    room: bytes
    epoch: int
    tree: bytes = field(repr=False)  # with everybody's name


@dataclass(frozen=True, slots=True)
class EvidenceRow:
    """Proof against a relay or a member, kept for people to look at."""

    room: bytes
    time: int
    code: str
    data: bytes


# Changes


@dataclass(frozen=True, slots=True)
class PutProfile:
    """Replace the profile."""

    row: ProfileRow


@dataclass(frozen=True, slots=True)
class PutRelay:
    """Add or replace a relay."""

    row: RelayRow


@dataclass(frozen=True, slots=True)
class PutRoom:
    """Add or replace a room's state."""

    row: RoomRow


@dataclass(frozen=True, slots=True)
class DropRoom:
    """Delete a room with everything that belongs to it."""

    room: bytes


@dataclass(frozen=True, slots=True)
class PutEpoch:
    """Replace a room's MLS epoch, but for its tree, and with it all its key rows."""

    room: bytes
    epoch: bytes = field(repr=False)
    keys: Mapping[bytes, bytes] = field(repr=False)


@dataclass(frozen=True, slots=True)
class PutTree:
    """Replace a room's tree; or keep a patch that `follows` all that is kept of it."""

    row: TreeRow
    follows: bool = False


@dataclass(frozen=True, slots=True)
class ChangeKeys:
    """Replace some of a room's MLS key rows; None deletes."""

    room: bytes
    keys: Mapping[bytes, bytes | None] = field(repr=False)


@dataclass(frozen=True, slots=True)
class DropEpoch:
    """Delete a room's MLS state with all its keys."""

    room: bytes


@dataclass(frozen=True, slots=True)
class PutPending:
    """Keep the handshake that is being sent, and the epoch it would start."""

    room: bytes
    pending: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class DropPending:
    """Forget the handshake that was being sent."""

    room: bytes


@dataclass(frozen=True, slots=True)
class PutOutbox:
    """Add or replace a message in the outbox."""

    row: OutboxRow


@dataclass(frozen=True, slots=True)
class DropOutbox:
    """Take a message out of the outbox."""

    room: bytes
    key: bytes


@dataclass(frozen=True, slots=True)
class PutMessage:
    """Add a line of a conversation, or replace place and body of the one with its id."""

    row: MessageRow


@dataclass(frozen=True, slots=True)
class DropMessage:
    """Delete a line that never left this machine."""

    room: bytes
    message: bytes


@dataclass(frozen=True, slots=True)
class PutEntry:
    """Keep an entry as received; the vault lets go of the oldest beyond its limit."""

    row: EntryRow


@dataclass(frozen=True, slots=True)
class PutInvite:
    """Keep an invite's secret."""

    row: InviteRow


@dataclass(frozen=True, slots=True)
class DropInvite:
    """Forget an invite's secret."""

    room: bytes
    invite: bytes


@dataclass(frozen=True, slots=True)
class PutEvidence:
    """Keep a proof."""

    row: EvidenceRow


RowChange: TypeAlias = (
    PutProfile
    | PutRelay
    | PutRoom
    | DropRoom
    | PutEpoch
    | PutTree
    | ChangeKeys
    | DropEpoch
    | PutPending
    | DropPending
    | PutOutbox
    | DropOutbox
    | PutMessage
    | DropMessage
    | PutEntry
    | PutInvite
    | DropInvite
    | PutEvidence
)


@dataclass(frozen=True, slots=True)
class StoredRoom:
    """All rows of a room that its session needs to go on."""

    row: RoomRow
    epoch: bytes | None = field(default=None, repr=False)
    tree: tuple[TreeRow, ...] = ()  # a whole one, then patches, by epoch
    keys: Mapping[bytes, bytes] = field(default_factory=dict, repr=False)
    pending: bytes | None = field(default=None, repr=False)
    outbox: tuple[OutboxRow, ...] = ()
    invites: tuple[InviteRow, ...] = ()
    entries: tuple[tuple[int, bytes], ...] = ()  # (place, hash) of the newest kept ones
