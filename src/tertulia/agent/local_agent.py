"""The agent of the process that holds the vault: routes commands, makes views."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Final

from tertulia.agent.agent import MESSAGES, ProfileView
from tertulia.agent.errors import (
    AmbiguousRelayError,
    NoRelayKnownError,
    NoSuchRelayError,
    NoSuchRoomError,
    UnknownMessageError,
)
from tertulia.agent.listeners import Listener, Listeners
from tertulia.agent.opening import OpenVault
from tertulia.agent.relay_links import relay_of
from tertulia.agent.session_task import SessionTask
from tertulia.agent.worker import Worker
from tertulia.client import (
    AnyAnswer,
    AnyCommand,
    Carried,
    ChangeName,
    CreateRoom,
    InviteView,
    JoinRoom,
    MemberView,
    MessageKept,
    MessageView,
    RelayRow,
    RelayView,
    RoomView,
    SendText,
    Session,
    check_name,
    invite_views,
    member_views,
    message_view,
    relay_view,
    room_views,
)
from tertulia.wire import account_id

_TAG: Final = 8  # hexadecimal digits; people compare these, programs do not


class LocalAgent:
    """A profile whose sessions run in this process."""

    def __init__(
        self,
        task: SessionTask,
        opened: OpenVault,
        worker: Worker,
        listeners: Listeners,
    ) -> None:
        self._task = task
        self._vault = opened.vault
        self._key_source = opened.key_source
        self._worker = worker
        self._listeners = listeners

    @property
    def profile(self) -> ProfileView:
        """Who I am."""
        row = self._task.profile
        account = account_id(row.account_public)
        return ProfileView(row.name, account, account.hex()[:_TAG], self._key_source)

    async def ask(
        self, command: AnyCommand, *, relay: bytes | None = None
    ) -> AnyAnswer:
        """Give the command to the session that it is for."""
        match command:
            case JoinRoom(link):
                row = relay_of(link)
                await self._task.know(row)
                return await self._task.ask(row.relay, command)
            case CreateRoom():
                return await self._task.ask(self._choose(relay), command)
            case ChangeName(name):
                return await self._change_name(check_name(name))
            case SendText(room, key=bytes() as key) if await self._has(room, key):
                return MessageKept(self._id_of(key))
            case _:
                return await self._task.ask(self._relay_with(command.room), command)

    async def add_relay(self, link: str) -> bytes:
        """Know a relay from now on, and connect."""
        row: RelayRow = relay_of(link)
        await self._task.know(row)
        return row.relay

    async def relays(self) -> list[RelayView]:
        """Return all relays, in order of first use."""
        return [relay_view(session) for session in self._task.sessions.values()]

    async def rooms(self) -> list[RoomView]:
        """Return all rooms."""
        sessions = self._task.sessions.values()
        return [view for session in sessions for view in room_views(session)]

    async def members(self, room: bytes) -> list[MemberView]:
        """Return who is in a room."""
        return list(member_views(self._session_with(room), room))

    async def invites(self, room: bytes) -> list[InviteView]:
        """Return the invites of a room."""
        return list(invite_views(self._session_with(room), room))

    async def messages(
        self,
        room: bytes | None,
        *,
        after: bytes | int | None = None,
        limit: int = MESSAGES,
        newest: bool = False,
    ) -> list[MessageView]:
        """Return lines of a room or of all."""
        number = await self._number_of(room, after)
        rows = await self._worker.run(
            self._vault.messages, room, number, min(limit, MESSAGES), newest=newest
        )
        return [message_view(row, self._task.profile) for row in rows]

    @asynccontextmanager
    async def listen(self) -> AsyncIterator[Listener]:
        """Yield the events from now on."""
        with self._listeners.listen() as listener:
            yield listener

    async def settled(self) -> None:
        """Wait until what was given before has been carried out."""
        await self._task.settle()

    async def close(self) -> None:
        """End, after what was given before."""
        self._task.stop()

    async def _number_of(self, room: bytes | None, after: bytes | int | None) -> int:
        if not isinstance(after, bytes):
            return after or 0
        row = await self._worker.run(self._vault.message, room, after)
        if row is None or row.number is None:
            raise UnknownMessageError(after)
        return row.number

    async def _has(self, room: bytes, key: bytes) -> bool:
        """Tell whether a text was given before under this key."""
        row = await self._worker.run(self._vault.message, room, self._id_of(key))
        return row is not None

    def _id_of(self, key: bytes) -> bytes:
        return self._task.profile.device + key

    async def _change_name(self, name: str) -> AnyAnswer:
        """Be called otherwise; one session tells all others, if there is one."""
        for relay in self._task.sessions:
            return await self._task.ask(relay, ChangeName(name))
        await self._task.rename(replace(self._task.profile, name=name))
        return Carried()

    def _choose(self, relay: bytes | None) -> bytes:
        known = tuple(self._task.sessions)
        if relay is not None:
            if relay not in known:
                raise NoSuchRelayError(relay)
            return relay
        if not known:
            raise NoRelayKnownError
        if len(known) > 1:
            raise AmbiguousRelayError(len(known))
        return known[0]

    def _relay_with(self, room: bytes) -> bytes:
        return self._session_with(room).relay.relay

    def _session_with(self, room: bytes) -> Session:
        for session in self._task.sessions.values():
            if room in session.rooms:
                return session
        raise NoSuchRoomError(room)
