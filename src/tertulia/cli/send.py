"""`tertulia send`: says something, and ends once the relay has it."""

import argparse
import sys
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, Final

from tertulia.cli import tasks
from tertulia.cli.errors import (
    MessageFailedError,
    NoAnswerError,
    StillQueuedError,
    UnexpectedAnswerError,
)
from tertulia.cli.profile import add_profile_option, opened
from tertulia.cli.waiting import add_timeout_option, timeout_of
from tertulia.l10n import _

if TYPE_CHECKING:
    from tertulia.agent import Agent
    from tertulia.client import AnyEvent, MessageMoved, MessageState

PATIENCE: Final = 30.0
RECENT: Final = 200  # lines among which the message is, where events were missed
STANDARD_INPUT: Final = "-"


def add_parser(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add `send` to `commands`."""
    words = _("say something in a room and end once the relay has it")
    parser = commands.add_parser("send", help=words, description=words)
    parser.add_argument(
        "room", metavar=_("ROOM"), help=_("name or id, or its beginning")
    )
    parser.add_argument(
        "text",
        nargs="?",
        default=STANDARD_INPUT,
        metavar=_("TEXT"),
        help=_("what to say; - or nothing: read it from standard input"),
    )
    add_profile_option(parser)
    add_timeout_option(parser, PATIENCE)
    parser.add_argument(
        "--json", action="store_true", help=_("print what became of it as a JSON line")
    )
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Send; raise TertuliaError if the relay does not have it in the end."""
    timeout = timeout_of(arguments, PATIENCE)
    text = arguments.text
    if text == STANDARD_INPUT:
        text = sys.stdin.buffer.read().decode("utf-8", "replace").removesuffix("\n")
    return tasks.run(_send(arguments, text, timeout))


async def _send(arguments: argparse.Namespace, text: str, seconds: float) -> int:
    async with opened(arguments) as agent:
        moved = await send(agent, arguments.room, text, seconds)
        if arguments.json:
            from tertulia.cli.json_lines import encode_line, event_line
            from tertulia.cli.terminal import write_bytes

            line = event_line(moved)
            if line is not None:
                write_bytes(encode_line(line))
    return 0


async def send(agent: "Agent", room: str, text: str, seconds: float) -> "MessageMoved":
    """Say something and wait until the relay has it; raise TertuliaError."""
    from tertulia.cli.room_choice import choose_room
    from tertulia.client import MessageKept, SendText

    chosen = choose_room(await agent.rooms(), text=room)
    async with agent.listen() as events:
        answer = await agent.ask(SendText(chosen.room, text))
        if not isinstance(answer, MessageKept):
            raise UnexpectedAnswerError(answer)
        fate = _Fate(agent, chosen.room, answer.message)
        try:
            return await tasks.within(seconds, fate.settled(events))
        except NoAnswerError:
            raise StillQueuedError(seconds) from None


class _Fate:
    """What becomes of one message."""

    def __init__(self, agent: "Agent", room: bytes, message: bytes) -> None:
        self._agent = agent
        self._room = room
        self._message = message

    async def settled(self, events: "AsyncIterator[AnyEvent]") -> "MessageMoved":
        """Return how the message was stored; raise MessageFailedError."""
        from tertulia.agent import ListenerBehindError
        from tertulia.client import MessageMoved

        while True:
            try:
                async for event in events:
                    if (
                        isinstance(event, MessageMoved)
                        and event.message == self._message
                        and self._is_settled(event.state, event.reason)
                    ):
                        return event
            except ListenerBehindError:
                if (found := await self._look()) is not None:
                    return found
                continue
            raise StillQueuedError(0)

    async def _look(self) -> "MessageMoved | None":
        """Look into the vault, where events were missed."""
        from tertulia.client import MessageMoved

        for line in await self._agent.messages(self._room, limit=RECENT, newest=True):
            if line.message == self._message and self._is_settled(
                line.state, line.reason
            ):
                return MessageMoved(
                    self._room, self._message, line.state, line.place, line.time
                )
        return None

    @staticmethod
    def _is_settled(state: "MessageState", reason: str | None) -> bool:
        from tertulia.client import MessageState

        if state is MessageState.FAILED:
            raise MessageFailedError(reason or "unknown")
        return state is MessageState.STORED
