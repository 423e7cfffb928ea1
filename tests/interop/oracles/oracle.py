"""What an independent MLS engine can be asked to do, as one member of one group.

Rules: cipher suite 1 and basic credentials only; whatever passes the interface is bytes
in RFC 9420's encoding (MLSMessage for key packages, Welcomes, GroupInfos and everything
sent; a bare `ratchet_tree` vector for trees). Private keys never leave an oracle.
Proposals that an oracle holds from `propose` or `process` go by reference into its next
commit. A commit changes nothing until it is applied.

This module does not know which engine does what: `offers.py` is the table.
"""

from dataclasses import dataclass
from enum import Enum
from typing import Protocol


class OracleError(Exception):
    """Anything that an oracle raises on purpose."""


class Unsupported(OracleError):  # noqa: N818 - an answer, not a fault
    """The engine does not offer this operation."""


class Refused(OracleError):  # noqa: N818 - an answer, not a fault
    """The engine looked at the input and said no; `kind` is its own error type."""

    def __init__(self, kind: str, reason: str) -> None:
        super().__init__(f"{kind}: {reason}")
        self.kind = kind
        self.reason = reason


class Crashed(Refused):
    """The engine broke on the input instead of refusing it: a panic, a type error."""


class Broken(OracleError):  # noqa: N818 - said of the oracle
    """The oracle itself failed: no answer in time, an ended process, a bad request."""


class Framing(Enum):
    """How a handshake message is framed (RFC 9420, section 6)."""

    PUBLIC = "public"
    PRIVATE = "private"


class Usage(Enum):
    """What a group that resumes another one is for (RFC 9420, section 8.6)."""

    BRANCH = "branch"
    REINIT = "reinit"


@dataclass(frozen=True, slots=True)
class Extension:
    """A GroupContext extension."""

    extension_type: int
    extension_data: bytes


@dataclass(frozen=True, slots=True)
class Add:
    """Add the client of a key package."""

    key_package: bytes


@dataclass(frozen=True, slots=True)
class Update:
    """Replace the sender's own leaf; only ever sent standalone."""


@dataclass(frozen=True, slots=True)
class Remove:
    """Remove the member at a leaf."""

    leaf_index: int


@dataclass(frozen=True, slots=True)
class ExternalPsk:
    """Mix in an external PSK, known to all members under this id."""

    psk_id: bytes


@dataclass(frozen=True, slots=True)
class ResumptionPsk:
    """Mix in the resumption PSK of an epoch of this group, for usage `application`."""

    epoch: int


@dataclass(frozen=True, slots=True)
class GroupContextExtensions:
    """Replace all extensions of the GroupContext."""

    extensions: tuple[Extension, ...]


@dataclass(frozen=True, slots=True)
class ReInit:
    """End the group; it goes on under another id, same version and cipher suite."""

    group_id: bytes
    extensions: tuple[Extension, ...] = ()


Proposal = (
    Add
    | Update
    | Remove
    | ExternalPsk
    | ResumptionPsk
    | GroupContextExtensions
    | ReInit
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sending:
    """How to send a handshake message; `framing=None` takes the engine's default."""

    framing: Framing | None = None
    authenticated_data: bytes = b""


AS_USUAL = Sending()


@dataclass(frozen=True, slots=True)
class CommitOutput:
    """A commit, the Welcome for those it adds, and the tree it leads to, if given."""

    commit: bytes
    welcome: bytes | None
    ratchet_tree: bytes | None


@dataclass(frozen=True, slots=True)
class ApplicationMessage:
    """A decrypted message; fields that the engine does not tell are None."""

    plaintext: bytes
    authenticated_data: bytes | None


@dataclass(frozen=True, slots=True)
class ProposalCached:
    """A proposal was accepted and waits for a commit."""


@dataclass(frozen=True, slots=True)
class EpochEntered:
    """A commit was applied."""


@dataclass(frozen=True, slots=True)
class MemberRemoved:
    """A commit removed this very member."""


@dataclass(frozen=True, slots=True)
class GroupReInitialised:
    """A commit ended the group with a ReInit proposal."""


Processed = (
    ApplicationMessage
    | ProposalCached
    | EpochEntered
    | MemberRemoved
    | GroupReInitialised
)


@dataclass(frozen=True, slots=True)
class Member:
    """A non-blank leaf."""

    leaf_index: int
    identity: bytes


class Oracle(Protocol):
    """One member of one group, run by an engine that is not ours.

    Every operation may raise Unsupported, and every operation that looks at what others
    sent may raise Refused.
    """

    @property
    def identity(self) -> bytes:
        """The identity in the member's basic credential."""

    def key_package(self) -> bytes:
        """Make a key package; its private keys wait here for a Welcome."""

    def add_external_psk(self, psk_id: bytes, psk: bytes) -> None:
        """Keep a PSK for proposals that name it."""

    def create_group(
        self, group_id: bytes, extensions: tuple[Extension, ...] = ()
    ) -> None:
        """Become the only member of a new group."""

    def join(self, welcome: bytes, ratchet_tree: bytes | None = None) -> None:
        """Join by a Welcome; the tree is given where the Welcome does not bring it."""

    def external_join(
        self,
        group_info: bytes,
        ratchet_tree: bytes | None = None,
        *,
        resync: bool = False,
        external_psks: tuple[bytes, ...] = (),
        authenticated_data: bytes = b"",
    ) -> bytes:
        """Make an external commit; `resync` removes the member's own former leaf."""

    def propose_own_add(self, group_info: bytes) -> bytes:
        """Ask, from outside, to be added (RFC 9420, section 12.1.8)."""

    def commit(
        self, proposals: tuple[Proposal, ...] = (), sending: Sending = AS_USUAL
    ) -> CommitOutput:
        """Commit these proposals by value and all cached ones by reference."""

    def apply_pending_commit(self) -> None:
        """Enter the epoch of the commit made last."""

    def clear_pending_commit(self) -> None:
        """Forget the commit made last."""

    def propose(self, proposal: Proposal, sending: Sending = AS_USUAL) -> bytes:
        """Send a proposal, and cache it."""

    def send(self, plaintext: bytes, authenticated_data: bytes = b"") -> bytes:
        """Encrypt an application message."""

    def process(self, message: bytes) -> Processed:
        """Take a PublicMessage or PrivateMessage of another member."""

    def exporter(self, label: str, context: bytes, length: int) -> bytes:
        """MLS-Exporter (RFC 9420, section 8.5)."""

    def epoch(self) -> int:
        """The current epoch."""

    def epoch_authenticator(self) -> bytes:
        """The current epoch's authenticator (RFC 9420, section 8.7)."""

    def members(self) -> tuple[Member, ...]:
        """All non-blank leaves, from left to right."""

    def ratchet_tree(self) -> bytes:
        """The current public tree."""

    def group_info(self, *, external_pub: bool, ratchet_tree: bool) -> bytes:
        """A signed GroupInfo with or without these two extensions."""

    def reload(self) -> None:
        """Write the group's state, drop it and read it again."""

    def resume(
        self, usage: Usage, group_id: bytes, key_packages: tuple[bytes, ...]
    ) -> "Resumed":
        """Start a group that resumes this one (RFC 9420, sections 11.2 and 11.3)."""

    def join_resumed(
        self, usage: Usage, welcome: bytes, ratchet_tree: bytes | None = None
    ) -> "Oracle":
        """Join a group that resumes this one, with a key package made here."""

    def close(self) -> None:
        """Forget everything."""


@dataclass(frozen=True, slots=True)
class Resumed:
    """The creator's place in the new group, and what the other members need."""

    member: Oracle
    welcome: bytes
    ratchet_tree: bytes


class Engine(Protocol):
    """An implementation of MLS that makes members."""

    @property
    def name(self) -> str:
        """How reports call the engine."""

    def member(
        self,
        identity: bytes,
        *,
        extension_types: tuple[int, ...] = (),
        tree_in_welcome: bool = True,
    ) -> Oracle:
        """Make a client whose leaf lists these extension types as supported."""

    def close(self) -> None:
        """End the engine and all its members."""
