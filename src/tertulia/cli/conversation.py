"""A conversation in lines: what others say is shown, what is typed is said.

One room is in front; of the others only the first news is told. Own texts stay where
they were typed and are not repeated: of them one hears only if they are not simply on
their way. Showing and saying take turns, so that an own text, which comes back as news
from the vault, is known by then.
"""

import asyncio
import contextlib
from collections import Counter
from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

import msgspec

from tertulia.cli.client_words import reason_words, warning_words
from tertulia.cli.errors import NothingNamedError, UnexpectedAnswerError
from tertulia.cli.feed import Feed
from tertulia.cli.lines import (
    beginning,
    message_lines,
    notice,
    room_state,
    shown_name,
    shown_room,
)
from tertulia.cli.screen import Names, Screen
from tertulia.cli.underway import Underway
from tertulia.client import (
    EVERYWHERE,
    AnyEvent,
    CatchingUp,
    Connection,
    ConnectionChanged,
    JoinQueued,
    MessageArrived,
    MessageKept,
    MessageKind,
    MessageMoved,
    MessageState,
    MessageView,
    Person,
    RoomChanged,
    RoomStatus,
    RoomView,
    SendText,
    SignSeen,
    Warned,
    distinct_names,
    neutralise,
)
from tertulia.l10n import _, ngettext

if TYPE_CHECKING:
    from tertulia.agent import Agent

HISTORY: Final = 20  # lines shown when one comes in
LONG: Final = 500  # entries to read, from which on one is told how it goes
LOST_FOR: Final = 3.0  # seconds after which one is told that the relay is gone
LAST_WORDS: Final = 10.0  # seconds in which what was said at last may get out


class Conversation:
    """What one terminal shows of one profile."""

    def __init__(
        self,
        agent: "Agent",
        screen: Screen,
        room: bytes,
        names: Names,
        *,
        lost_for: float = LOST_FOR,
    ) -> None:
        self.agent = agent
        self.screen = screen
        self.room = room
        self.unread: Counter[bytes] = Counter()
        self.unsent: dict[bytes, str] = {}  # own texts that the relay does not have
        self.leave_asked = False
        self._names = names
        self._feed = Feed(agent, room)
        self._underway = Underway()
        self._turn = asyncio.Lock()
        self._people: dict[bytes, str] = {}  # whoever said something, even if gone
        self._tags: Mapping[bytes, str] = {}
        self._link = _LinkNews(self, lost_for)
        self._status = RoomStatus.MEMBER
        self._quarter: int | None = None  # of what is being caught up, as last told

    async def enter(self, room: bytes) -> None:
        """Bring a room to the front, with the last that was said in it."""
        async with self._turn:
            await self._enter(room)

    async def _enter(self, room: bytes) -> None:
        self.room = room
        self._feed = Feed(self.agent, room)
        self.unread.pop(room, None)
        view = await self.room_view()
        self._status = view.status
        await self._learn_names()
        self.say(
            _("You are in {room}, {state}.").format(
                room=shown_room(view.name), state=room_state(view)
            )
        )
        for message in await self._feed.skip_to_newest(HISTORY):
            self._show(message)
        if view.sign_awaited is not None:
            self.say(
                _("Waiting for a sign from {name}.").format(
                    name=shown_name(view.sign_awaited)
                )
            )
        await self._link.look(view.relay)

    async def room_view(self) -> RoomView:
        """Return the room in front."""
        return await self._view_of(self.room)

    async def _view_of(self, room: bytes) -> RoomView:
        for view in await self.agent.rooms():
            if view.room == room:
                return view
        raise NothingNamedError(room.hex())

    def say(self, text: str) -> None:
        """Let the program speak."""
        self.screen.show(notice(text))

    async def speak(self, text: str) -> None:
        """Say something in the room in front; raise TertuliaError."""
        async with self._turn:
            answer = await self.agent.ask(SendText(self.room, text))
            if not isinstance(answer, MessageKept):
                raise UnexpectedAnswerError(answer)
            self.unsent[answer.message] = text
            self._underway.add(answer.message)
        self._link.tell_if_kept()

    def take_back(self, message: bytes) -> None:
        """Forget an own text that was taken back."""
        self.unsent.pop(message, None)
        self._underway.drop(message)

    async def catch_up(self) -> None:
        """Show what came while nobody listened."""
        async with self._turn:
            await self._show_news()

    async def on(self, event: AnyEvent) -> None:
        """Show what an event means."""
        async with self._turn:
            await self._on(event)

    async def see_off(self) -> None:
        """Give what was said at last a moment to get out; tell if it did not."""
        if self._link.is_up:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(LAST_WORDS):
                    await self._underway.all_gone()
        self._link.close()
        if not self.unsent:
            return
        if waiting := (await self.room_view()).waiting:
            self.say(
                ngettext(
                    "{n} message is kept here and goes out the next time.",
                    "{n} messages are kept here and go out the next time.",
                    waiting,
                ).format(n=waiting)
            )

    async def _show_news(self) -> None:
        async for message in self._feed.news():
            if message.message not in self.unsent:
                self._show(self._as_said_elsewhere(message))

    def _as_said_elsewhere(self, message: MessageView) -> MessageView:
        """What another process of mine says just now is as good as sent, until it fails."""
        if message.state is not MessageState.QUEUED:
            return message
        self.unsent[message.message] = message.text
        return msgspec.structs.replace(message, state=MessageState.STORED)

    def _show(self, message: MessageView) -> None:
        self._meet(message.sender)
        self.screen.show(message_lines(message, self._tags))

    def _meet(self, *people: Person) -> None:
        """Tell people apart from now on, also from those who are gone."""
        names = {person.account: person.name for person in people}
        if not names.items() <= self._people.items():
            self._people |= names
            self._tags = distinct_names(self._people)

    async def _on(self, event: AnyEvent) -> None:
        if self._feed.is_touched_by(event):
            await self._show_news()
        self._underway.note(event)
        match event:
            case MessageArrived(message) if message.room != self.room:
                if message.kind is MessageKind.TEXT and not message.sender.is_me:
                    await self._tell_of_room(message.room)
            case MessageMoved():
                self._on_moved(event)
            case ConnectionChanged():
                self._link.on(event)
            case RoomChanged(room) if room == self.room:
                await self._on_room_changed()
            case JoinQueued(_room, ahead):
                self.say(
                    ngettext(
                        "{n} other enters before you.",
                        "{n} others enter before you.",
                        ahead,
                    ).format(n=ahead)
                )
            case CatchingUp(room, done, total) if room == self.room:
                self._on_progress(done, total)
            case SignSeen(room) if room == self.room:
                self.say(_("The inviter was heard: this is the room the link meant."))
            case Warned(room, code, person) if room in {self.room, EVERYWHERE}:
                self.say(warning_words(code, shown_name(person) if person else ""))
            case _:
                pass

    async def _tell_of_room(self, room: bytes) -> None:
        self.unread[room] += 1
        if self.unread[room] > 1:
            return
        name = (await self._view_of(room)).name
        self.say(
            _("There is something new in {room}; /room goes there.").format(
                room=shown_room(name)
            )
        )

    def _on_moved(self, event: MessageMoved) -> None:
        text = self.unsent.get(event.message)
        if text is None or event.state is MessageState.QUEUED:
            return
        if event.state is MessageState.FAILED:
            self.say(
                _("Not sent: “{text}”. {reason}").format(
                    text=beginning(text), reason=reason_words(event.reason)
                )
            )
            return
        del self.unsent[event.message]

    async def _on_room_changed(self) -> None:
        await self._learn_names()
        view = await self.room_view()
        if view.status is self._status:
            return
        self._status = view.status
        self.say(
            _("{room}: {state}.").format(
                room=shown_room(view.name), state=room_state(view)
            )
        )

    def _on_progress(self, done: int, total: int) -> None:
        """Tell each quarter of a long way once."""
        quarter = 4 * done // total if total >= LONG else None
        if quarter in {None, self._quarter}:
            return
        self._quarter = quarter
        if done >= total:
            self._quarter = None
            self.say(_("All that was missed has been read."))
            return
        self.say(
            _("Reading what was missed: {done} of {total}.").format(
                done=done, total=total
            )
        )

    async def _learn_names(self) -> None:
        members = await self.agent.members(self.room)
        self._meet(*(member.person for member in members))
        self._names.members = [neutralise(member.person.name) for member in members]
        rooms = await self.agent.rooms()
        self._names.rooms = [neutralise(view.name) for view in rooms]


class _LinkNews:
    """Tells that the relay was lost, or is back: once each, and not of a hiccup."""

    def __init__(self, conversation: Conversation, lost_for: float) -> None:
        self._conversation = conversation
        self._lost_for = lost_for
        self._relay = b""
        self._connection = Connection.ONLINE
        self._told_lost = False
        self._told_kept = False
        self._timer: asyncio.TimerHandle | None = None

    async def look(self, relay: bytes) -> None:
        """See how it stands with the relay of the room that came to the front."""
        for view in await self._conversation.agent.relays():
            if view.relay == relay:
                self._relay = relay
                self.on(ConnectionChanged(relay, view.connection, view.reason))

    @property
    def is_up(self) -> bool:
        """Whether it makes sense to wait for the relay."""
        return not self._told_lost and self._connection is not Connection.STOPPED

    def on(self, event: ConnectionChanged) -> None:
        """Take note of a change."""
        if event.relay != self._relay:
            return
        self._connection = event.connection
        match event.connection:
            case Connection.ONLINE:
                self._on_online()
            case Connection.STOPPED:
                self.close()
                self._conversation.say(reason_words(event.reason))
            case Connection.OFFLINE | Connection.CONNECTING:
                if self._timer is None and not self._told_lost:
                    loop = asyncio.get_running_loop()
                    self._timer = loop.call_later(self._lost_for, self._tell_lost)

    def _on_online(self) -> None:
        self.close()
        if self._told_lost:
            self._conversation.say(_("The relay is there again."))
        self._told_lost = self._told_kept = False

    def _tell_lost(self) -> None:
        self._timer = None
        self._told_lost = True
        self._conversation.say(
            _("The relay cannot be reached; it is tried again by itself.")
        )
        if self._conversation.unsent:
            self.tell_if_kept()

    def tell_if_kept(self) -> None:
        """Say, once, that what was said waits for the relay."""
        if self.is_up or self._told_kept:
            return
        self._told_kept = True
        self._conversation.say(
            _("That is kept here and goes out when the relay is there.")
        )

    def close(self) -> None:
        """Forget what was about to be told."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
