"""A conversation for programs: each line of input is a message, each event a line.

Lines of input are said as they are: there are no commands here, and nothing but the end
of the input leaves.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from typing import TYPE_CHECKING, Final

from tertulia.cli.feed import Feed
from tertulia.cli.json_lines import (
    AnyLine,
    ErrorLine,
    encode_line,
    event_line,
    message_line,
    room_line,
)
from tertulia.cli.lines import beginning
from tertulia.cli.opening import CONTINUED, Opening
from tertulia.cli.tasks import until_first_ends
from tertulia.cli.underway import Underway
from tertulia.cli.words import describe
from tertulia.client import (
    EVERYWHERE,
    AnyEvent,
    ConnectionChanged,
    MessageArrived,
    MessageKept,
    RoomChanged,
    SendText,
)
from tertulia.errors import TertuliaError

if TYPE_CHECKING:
    from tertulia.agent import Agent

LAST_WORDS: Final = 10.0  # seconds in which what was said at last may get out


class JsonConversation:
    """What a program sees of one room."""

    def __init__(
        self, agent: "Agent", room: bytes, write: Callable[[bytes], object]
    ) -> None:
        self._agent = agent
        self._room = room
        self._write = write
        self._feed = Feed(agent, room)
        self._underway = Underway()

    def say(self, line: AnyLine) -> None:
        """Write a line."""
        self._write(encode_line(line))

    async def talk(
        self, typed: AsyncIterator[str], opening: Opening = CONTINUED
    ) -> None:
        """Go on until the end of the input."""
        if not opening.is_new:
            await self._feed.skip_to_newest()
        if opening.announce is not None:
            await opening.announce()
        listening = asyncio.Event()

        async def take_lines() -> None:
            await listening.wait()
            async for line in typed:
                await self._speak(line)
            await self._see_off()

        await until_first_ends(self._follow(listening), take_lines())

    async def _speak(self, line: str) -> None:
        if not line.strip():
            return
        try:
            answer = await self._agent.ask(SendText(self._room, line))
        except TertuliaError as error:
            words = describe(error).happened
            self.say(ErrorLine(code=error.code, words=words, text=beginning(line)))
            return
        if isinstance(answer, MessageKept):
            self._underway.add(answer.message)

    async def _see_off(self) -> None:
        """Give what was said at last a moment to get out; else it does the next time."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(LAST_WORDS):
                await self._underway.all_gone()

    async def _follow(self, listening: asyncio.Event) -> None:
        from tertulia.agent import ListenerBehindError

        async with self._agent.listen() as events:
            listening.set()
            while True:
                await self._show_news()
                try:
                    async for event in events:
                        await self._on(event)
                except ListenerBehindError:
                    continue  # what was missed is in the vault
                return

    async def _show_news(self) -> None:
        async for message in self._feed.news():
            self.say(message_line(message))

    async def _on(self, event: AnyEvent) -> None:
        if self._feed.is_touched_by(event):
            await self._show_news()
        self._underway.note(event)
        match event:
            case MessageArrived():
                return
            case RoomChanged(room):
                if room == self._room:
                    await self._show_room()
            case ConnectionChanged():
                self._show(event)
            case _ if event.room in {self._room, EVERYWHERE}:
                self._show(event)
            case _:
                return

    def _show(self, event: AnyEvent) -> None:
        line = event_line(event)
        if line is not None:
            self.say(line)

    async def _show_room(self) -> None:
        for view in await self._agent.rooms():
            if view.room == self._room:
                self.say(room_line(view))
