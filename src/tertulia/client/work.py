"""What a room is busy with: one piece of work at a time, each a value.

Whatever moves a room's epoch goes through the same stages: make it, upload the new tree
where a patch will not do, send the handshake with what joiners need. Work is bound to the handshake
it started from; when another one comes first it is dropped and begun anew.
"""

from dataclasses import dataclass
from typing import TypeAlias

from tertulia import mls
from tertulia.client.advice_tree import KnownTree
from tertulia.client.group_advice import Position, SealedAdvice
from tertulia.client.room_policy import ListedInvite
from tertulia.wire import frames

# Wishes: what to commit


@dataclass(frozen=True, slots=True)
class AddInvite:
    """List an invite; `link` is the answer."""

    invite: ListedInvite
    secret: bytes


@dataclass(frozen=True, slots=True)
class DropInvite:
    """No longer list an invite."""

    invite: bytes


@dataclass(frozen=True, slots=True)
class Expel:
    """Remove all devices of an account."""

    account: bytes


@dataclass(frozen=True, slots=True)
class Rename:
    """Change name or topic of the room."""

    name: str | None
    topic: str | None


@dataclass(frozen=True, slots=True)
class Introduce:
    """Carry my new display name in my leaf."""


@dataclass(frozen=True, slots=True)
class HandOver:
    """Make somebody else the owner, because I am about to leave."""


@dataclass(frozen=True, slots=True)
class Refresh:
    """Give my leaf fresh keys, and remove the leaves of who left."""


Aim: TypeAlias = (
    AddInvite | DropInvite | Expel | Rename | Introduce | HandOver | Refresh
)


@dataclass(frozen=True, slots=True)
class Wish:
    """An aim, the command to answer (None: my own chore), and when to give up."""

    aim: Aim
    number: int | None
    deadline: int


# Work


@dataclass(frozen=True, slots=True)
class Admission:
    """Waiting for a turn to join."""


@dataclass(frozen=True, slots=True)
class Fetched:
    """What an external commit starts from, as the relay told; the tree is to come."""

    handshake: int
    wrapped: bytes
    position: Position
    tree: bytes  # the id of its blob
    group_info: bytes
    patches: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class Checking:
    """Asking whether the relay's advice fits the epoch, before repairing it."""


# What a publication ends in


@dataclass(frozen=True, slots=True)
class Founding:
    """Give a new room its first advice."""


@dataclass(frozen=True, slots=True)
class Repairing:
    """Give the relay advice that fits after a handshake was skipped."""


@dataclass(frozen=True, slots=True)
class Committing:
    """Send a commit."""

    wish: Wish
    committed: mls.Committed
    key: bytes
    unroute: tuple[bytes, ...] = ()


@dataclass(frozen=True, slots=True)
class Entering:
    """Send an external commit; it starts from where the relay's signed head was."""

    blob: bytes
    group: mls.Group
    key: bytes
    handshake: int
    position: Position
    known: KnownTree  # from which it starts
    former: bytes = b""  # the device this one was, to be un-routed


End: TypeAlias = Founding | Repairing | Committing | Entering


@dataclass(frozen=True, slots=True)
class Publication:
    """Uploading a whole tree, then sending what names it."""

    end: End
    handshake: int
    position: Position
    sealed: SealedAdvice
    retention: int | None
    tree: bytes
    reference: frames.BlobReference | None = None


@dataclass(frozen=True, slots=True)
class Sent:
    """The handshake is on its way; `wish` is what it was for, if anybody asked."""

    wish: Wish | None


@dataclass(frozen=True, slots=True)
class Creating:
    """The relay is told of a new room."""


Work: TypeAlias = Admission | Creating | Fetched | Checking | Publication | Sent
