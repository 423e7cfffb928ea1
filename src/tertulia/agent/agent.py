"""What every face uses: one profile, wherever its vault is open.

There are three implementations. `LocalAgent` has the sessions in this process,
`RemoteAgent` works through the process that has them, and `ProfileAgent`, which
`open_agent` yields, is one or the other, whichever is possible at the moment.
"""

from contextlib import AbstractAsyncContextManager
from typing import Final, Protocol

from msgspec import Struct

from tertulia.agent.listeners import Listener
from tertulia.client import (
    AnyAnswer,
    AnyCommand,
    InviteView,
    MemberView,
    MessageView,
    RelayView,
    RoomView,
)
from tertulia.vault import KeySource

# Texts have up to 64 KiB: so many fit an answer of the local socket.
MESSAGES: Final = 500


class ProfileView(Struct, frozen=True):
    """Who I am; `tag` tells my name apart from the same name of others."""

    name: str
    account: bytes
    tag: str
    key_source: KeySource


class Agent(Protocol):
    """A profile at work. Whatever is raised is a TertuliaError."""

    @property
    def profile(self) -> ProfileView:
        """Who I am."""

    async def ask(
        self, command: AnyCommand, *, relay: bytes | None = None
    ) -> AnyAnswer:
        """Have a command carried out and return its answer.

        `relay` says where a room is made, if there are several relays. A relay that a
        link leads to is added.
        """

    async def add_relay(self, link: str) -> bytes:
        """Know a relay from now on, and connect; return its fingerprint.

        `link` is an invite link, or `https://HOST[:PORT]#FINGERPRINT` (hexadecimal).
        """

    async def relays(self) -> list[RelayView]:
        """Return all relays, in order of first use."""

    async def rooms(self) -> list[RoomView]:
        """Return all rooms."""

    async def members(self, room: bytes) -> list[MemberView]:
        """Return who is in a room; raise NoSuchRoomError."""

    async def invites(self, room: bytes) -> list[InviteView]:
        """Return the invites of a room; raise NoSuchRoomError."""

    async def messages(
        self,
        room: bytes | None,
        *,
        after: bytes | int | None = None,
        limit: int = MESSAGES,
        newest: bool = False,
    ) -> list[MessageView]:
        """Return at most `limit` (and MESSAGES) lines of a room or all, oldest first.

        They come after the message with the id `after`; None or 0 is before the first
        one. If there are more than that they are the first, or else the newest. Raises
        UnknownMessageError.
        """

    def listen(self) -> AbstractAsyncContextManager[Listener]:
        """Yield the events from now on.

        Their iterator raises ListenerBehindError when some were missed: read again,
        then go on with the same iterator.
        """

    async def settled(self) -> None:
        """Wait until what was given before has been carried out."""

    async def close(self) -> None:
        """End, after what was given before; the block of `open_agent` does it too."""
