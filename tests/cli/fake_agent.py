"""A profile without a vault, a relay or keys: what faces see of one, in memory."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

import msgspec

from tertulia.agent import (
    Agent,
    KeySource,
    ListenerBehindError,
    NoSuchRoomError,
    ProfileView,
    UnknownMessageError,
)
from tertulia.client import (
    AnyAnswer,
    AnyCommand,
    AnyEvent,
    CancelMessage,
    Carried,
    ChangeName,
    ChangeRoom,
    Connection,
    ConnectionChanged,
    CreateInvite,
    CreateRoom,
    InviteMade,
    InviteView,
    JoinRoom,
    LeaveRoom,
    MemberView,
    MessageArrived,
    MessageKept,
    MessageKind,
    MessageMoved,
    MessageState,
    MessageView,
    Person,
    RelayView,
    RemoveMember,
    RevokeInvite,
    RoomChanged,
    RoomJoined,
    RoomMade,
    RoomStatus,
    RoomView,
    SendText,
    check_text,
)
from tertulia.errors import TertuliaError

NOON = 1_750_000_000_000
RELAY = b"\x07" * 32


def person(name: str, *, is_me: bool = False) -> Person:
    return Person(sha256(name.encode()).digest(), name, is_me=is_me)


ANA, BLAS, CRIS = person("Ana", is_me=True), person("Blas"), person("Cris")


def room_view(name: str, room: bytes | None = None, **facts: Any) -> RoomView:
    identity = sha256(name.encode()).digest()[:16] if room is None else room
    view = RoomView(identity, RELAY, name, "", RoomStatus.MEMBER, 2, 0)
    return msgspec.structs.replace(view, **facts)


GARDEN = room_view("Garden")


def message(text: str, sender: Person = BLAS, **facts: Any) -> MessageView:
    state = MessageState.STORED if sender.is_me else MessageState.RECEIVED
    view = MessageView(
        GARDEN.room,
        sha256(repr((text, sender, facts)).encode()).digest(),
        sender,
        NOON,
        MessageKind.TEXT,
        text,
        state,
        1,
    )
    return msgspec.structs.replace(view, **facts)


class Events:
    """A listener's queue; an error in it is raised, None ends it."""

    def __init__(self) -> None:
        self.queue: asyncio.Queue[AnyEvent | TertuliaError | None] = asyncio.Queue()

    def __aiter__(self) -> "Events":
        return self

    async def __anext__(self) -> AnyEvent:
        match await self.queue.get():
            case None:
                raise StopAsyncIteration
            case TertuliaError() as error:
                raise error
            case event:
                return event


@dataclass
class FakeAgent:
    """Implements Agent. With `is_online` whatever is said is stored at once."""

    is_online: bool = True
    rooms_known: list[RoomView] = field(default_factory=lambda: [GARDEN])
    people: list[Person] = field(default_factory=lambda: [ANA, BLAS])
    lines: list[MessageView] = field(default_factory=list)
    made: list[InviteView] = field(default_factory=list)
    asked: list[AnyCommand] = field(default_factory=list)
    added: list[str] = field(default_factory=list)
    answers: list[AnyAnswer | TertuliaError] = field(default_factory=list)
    listening: list[Events] = field(default_factory=list)
    listened: asyncio.Event = field(default_factory=asyncio.Event)
    relays_known: list[RelayView] | None = None

    @property
    def profile(self) -> ProfileView:
        return ProfileView("Ana", ANA.account, ANA.account.hex()[:8], KeySource.FILE)

    # What happens

    def happen(self, event: AnyEvent | TertuliaError | None) -> None:
        for listener in self.listening:
            listener.queue.put_nowait(event)

    def arrive(self, line: MessageView) -> MessageView:
        self.lines.append(line)
        self.happen(MessageArrived(line))
        return line

    def arrive_unheard(self, line: MessageView) -> None:
        self.lines.append(line)
        self.happen(ListenerBehindError())

    def move(
        self, identity: bytes, state: MessageState, reason: str | None = None
    ) -> None:
        for index, line in enumerate(self.lines):
            if line.message == identity:
                self.lines[index] = msgspec.structs.replace(
                    line, state=state, reason=reason
                )
                moved = MessageMoved(line.room, identity, state, 9, NOON, reason)
                self.happen(moved)

    def connect(self, connection: Connection, reason: str | None = None) -> None:
        self.is_online = connection is Connection.ONLINE
        self.happen(ConnectionChanged(RELAY, connection, reason))

    def change_room(self, **facts: Any) -> None:
        self.rooms_known[0] = msgspec.structs.replace(self.rooms_known[0], **facts)
        self.happen(RoomChanged(self.rooms_known[0].room))

    # What is asked

    async def ask(
        self, command: AnyCommand, *, relay: bytes | None = None
    ) -> AnyAnswer:
        del relay
        self.asked.append(command)
        if self.answers:
            answer = self.answers.pop(0)
            if isinstance(answer, TertuliaError):
                raise answer
            return answer
        return self._answer(command)

    def _answer(self, command: AnyCommand) -> AnyAnswer:
        match command:
            case CreateRoom(name):
                room = room_view(name)
                self.rooms_known.append(room)
                return RoomMade(room.room, self._link("made"))
            case JoinRoom():
                return RoomJoined(self.rooms_known[-1].room)
            case SendText(room, text):
                return self._say(room, check_text(text))
            case CancelMessage(message=identity):
                self.lines = [line for line in self.lines if line.message != identity]
            case CreateInvite(_room, expires, uses):
                invite = bytes([len(self.made) + 1]) * 16
                link = self._link(f"invite{len(self.made)}")
                self.made.append(InviteView(invite, ANA, expires, uses, link))
                return InviteMade(invite, link)
            case RevokeInvite(_room, invite):
                self.made = [one for one in self.made if one.invite != invite]
            case RemoveMember(_room, account):
                self.people = [one for one in self.people if one.account != account]
            case ChangeRoom(_room, name, topic):
                view = self.rooms_known[0]
                self.change_room(
                    name=view.name if name is None else name,
                    topic=view.topic if topic is None else topic,
                )
            case LeaveRoom():
                self.change_room(status=RoomStatus.LEFT)
            case ChangeName():
                pass
        return Carried()

    def _say(self, room: bytes, text: str) -> AnyAnswer:
        line = message(text, ANA, room=room, place=None, time=NOON + len(self.lines))
        line = msgspec.structs.replace(line, state=MessageState.QUEUED)
        self.arrive(line)
        if self.is_online:
            self.move(line.message, MessageState.STORED)
        return MessageKept(line.message)

    def _link(self, name: str) -> str:
        return f"https://192.0.2.1:8000/i#{name}"

    async def add_relay(self, link: str) -> bytes:
        self.added.append(link)
        return RELAY

    async def relays(self) -> list[RelayView]:
        if self.relays_known is not None:
            return self.relays_known
        state = Connection.ONLINE if self.is_online else Connection.OFFLINE
        return [RelayView(RELAY, ("https://192.0.2.1:8000",), state)]

    async def rooms(self) -> list[RoomView]:
        return list(self.rooms_known)

    async def members(self, room: bytes) -> list[MemberView]:
        if all(view.room != room for view in self.rooms_known):
            raise NoSuchRoomError(room)
        return [MemberView(one, 1, one.is_me, one.is_me, "") for one in self.people]

    async def invites(self, room: bytes) -> list[InviteView]:
        del room
        return list(self.made)

    async def messages(
        self,
        room: bytes | None,
        *,
        after: bytes | int | None = None,
        limit: int = 500,
        newest: bool = False,
    ) -> list[MessageView]:
        start = 0
        if isinstance(after, bytes):
            ids = [line.message for line in self.lines]
            if after not in ids:
                raise UnknownMessageError(after)
            start = ids.index(after) + 1
        found = [
            line for line in self.lines[start:] if room is None or line.room == room
        ]
        return found[-limit:] if newest else found[:limit]

    @asynccontextmanager
    async def listen(self) -> AsyncIterator[Any]:
        events = Events()
        self.listening.append(events)
        self.listened.set()
        try:
            yield events
        finally:
            self.listening.remove(events)

    async def settled(self) -> None:
        return

    async def close(self) -> None:
        return


def as_agent(fake: FakeAgent) -> Agent:
    """Let the type checker compare the two."""
    return fake
