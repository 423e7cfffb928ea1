"""What a session wants done, in order, and what comes back to it as items.

The order is always: save, then send, then show. The shell carries out one effect after
the other; where one fails it stops there and the session is loaded anew.
"""

from dataclasses import dataclass
from typing import TypeAlias

from tertulia.client.commands import AnyAnswer, AnyCommand
from tertulia.client.events import AnyEvent
from tertulia.client.rows import EntryRow, ProfileRow, RowChange
from tertulia.errors import TertuliaError
from tertulia.wire import frames

# Effects


@dataclass(frozen=True, slots=True)
class Save:
    """Store these changes in one transaction, durably, before anything else happens."""

    changes: tuple[RowChange, ...]


@dataclass(frozen=True, slots=True)
class Connect:
    """Open a link, trying the addresses (URLs) in order. → LinkOpened or LinkClosed

    With `trusted`, only a TLS certificate that the system trusts will do.
    """

    addresses: tuple[str, ...]
    trusted: bool = False


@dataclass(frozen=True, slots=True)
class Disconnect:
    """Close the link."""


@dataclass(frozen=True, slots=True)
class Transmit:
    """Write one frame to the link."""

    frame: frames.FromClient


@dataclass(frozen=True, slots=True)
class UploadBlob:
    """PUT a blob from `offset` on, in pieces. → Uploaded or TransferFailed"""

    transfer: int
    blob: bytes
    ticket: bytes
    data: bytes
    offset: int = 0


@dataclass(frozen=True, slots=True)
class DownloadBlob:
    """GET a whole blob of `size` bytes. → Downloaded or TransferFailed"""

    transfer: int
    blob: bytes
    ticket: bytes
    size: int


@dataclass(frozen=True, slots=True)
class Emit:
    """Tell everyone who listens."""

    event: AnyEvent


@dataclass(frozen=True, slots=True)
class Reply:
    """Answer a command."""

    number: int
    answer: AnyAnswer | TertuliaError


@dataclass(frozen=True, slots=True)
class LoadEntries:
    """Look up kept entries after a place, oldest first. → EntriesLoaded"""

    room: bytes
    after: int
    limit: int


Effect: TypeAlias = (
    Save
    | Connect
    | Disconnect
    | Transmit
    | UploadBlob
    | DownloadBlob
    | Emit
    | Reply
    | LoadEntries
)

# Items


@dataclass(frozen=True, slots=True)
class Asked:
    """A face gave a command; its answer carries the number."""

    number: int
    command: AnyCommand


@dataclass(frozen=True, slots=True)
class LinkOpened:
    """The link is there. `certificate` is the SHA-256 of the SubjectPublicKeyInfo of
    the TLS certificate that was seen, empty without TLS; `base` is the address."""

    certificate: bytes
    trusted: bool
    base: str = ""


@dataclass(frozen=True, slots=True)
class LinkClosed:
    """The link is gone, or could not be opened (`reason`, a code for people)."""

    reason: str


@dataclass(frozen=True, slots=True)
class FrameArrived:
    """The relay sent a frame."""

    frame: frames.FromRelay


@dataclass(frozen=True, slots=True)
class Uploaded:
    """A blob is whole at the relay."""

    transfer: int


@dataclass(frozen=True, slots=True)
class Downloaded:
    """A blob is here."""

    transfer: int
    data: bytes


@dataclass(frozen=True, slots=True)
class TransferFailed:
    """A blob could not be moved."""

    transfer: int
    reason: str


@dataclass(frozen=True, slots=True)
class EntriesLoaded:
    """Kept entries, oldest first."""

    room: bytes
    rows: tuple[EntryRow, ...]


@dataclass(frozen=True, slots=True)
class Started:
    """The session begins: connect."""


@dataclass(frozen=True, slots=True)
class Ticked:
    """The time that the session asked to be woken at has come, or may have."""


@dataclass(frozen=True, slots=True)
class NetworkChanged:
    """The machine slept or its network changed: the link is not to be trusted."""


@dataclass(frozen=True, slots=True)
class ProfileChanged:
    """The session of another relay changed the profile, and has saved it."""

    profile: ProfileRow


@dataclass(frozen=True, slots=True)
class RelayMoved:
    """The relay is known to be found at these addresses now."""

    addresses: tuple[str, ...]


Item: TypeAlias = (
    Asked
    | LinkOpened
    | LinkClosed
    | FrameArrived
    | Uploaded
    | Downloaded
    | TransferFailed
    | EntriesLoaded
    | Started
    | Ticked
    | NetworkChanged
    | ProfileChanged
    | RelayMoved
)
