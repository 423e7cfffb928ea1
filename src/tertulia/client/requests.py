"""What each request under way was for: the answer finds its handler by this."""

from dataclasses import dataclass
from typing import TypeAlias


@dataclass(frozen=True, slots=True)
class ForDevices:
    """Publishing the device list."""


@dataclass(frozen=True, slots=True)
class ForDeviceList:
    """Looking at the device list."""


@dataclass(frozen=True, slots=True)
class ForRooms:
    """Listing the rooms this device is routed to."""


@dataclass(frozen=True, slots=True)
class ForRoom:
    """Something for one room."""

    room: bytes


@dataclass(frozen=True, slots=True)
class ToCreate(ForRoom):
    """Making the room at the relay."""


@dataclass(frozen=True, slots=True)
class ToFollow(ForRoom):
    """Following it."""


@dataclass(frozen=True, slots=True)
class ToFetch(ForRoom):
    """Reading a page."""


@dataclass(frozen=True, slots=True)
class ToRefeed(ForRoom):
    """Giving back what a restored relay lost."""


@dataclass(frozen=True, slots=True)
class ToAppend(ForRoom):
    """Sending a message of the outbox, after the handshake named."""

    key: bytes
    handshake: int = 0


@dataclass(frozen=True, slots=True)
class ToUpload(ForRoom):
    """Announcing the tree of a publication; `digest` tells which one."""

    digest: bytes


@dataclass(frozen=True, slots=True)
class ToPublish(ForRoom):
    """Sending the frame that ends a publication, after the handshake named.

    `key` is that of a handshake.
    """

    key: bytes = b""
    handshake: int = 0


@dataclass(frozen=True, slots=True)
class ToReport(ForRoom):
    """Saying that what the relay gave is of no use."""


@dataclass(frozen=True, slots=True)
class ToRoute(ForRoom):
    """Routing everybody who is in the room again."""


@dataclass(frozen=True, slots=True)
class ToEnter(ForRoom):
    """Asking for a turn to join."""


@dataclass(frozen=True, slots=True)
class ToFetchGroup(ForRoom):
    """Asking for the group, to rejoin or to look whether it fits."""


Purpose: TypeAlias = (
    ForDevices
    | ForDeviceList
    | ForRooms
    | ToCreate
    | ToFollow
    | ToFetch
    | ToRefeed
    | ToAppend
    | ToUpload
    | ToPublish
    | ToReport
    | ToRoute
    | ToEnter
    | ToFetchGroup
)


@dataclass(frozen=True, slots=True)
class Transfer:
    """A room's tree on its way.

    `what` is the digest of what goes up, or the id of what comes down: an answer that
    belongs to an earlier attempt is told by it.
    """

    room: bytes
    what: bytes
    is_upload: bool
