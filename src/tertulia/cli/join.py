"""`tertulia join`: enters the room that a link leads to, and talks there."""

import argparse
import contextlib
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from tertulia.cli import tasks
from tertulia.cli.opening import Opening
from tertulia.cli.profile import add_name_option, add_profile_option, name_for, opened
from tertulia.cli.terminal import (
    add_conversation_options,
    add_large_option,
    converse,
)
from tertulia.cli.waiting import add_timeout_option, timeout_of
from tertulia.l10n import _, ngettext

if TYPE_CHECKING:
    from tertulia.agent import Agent
    from tertulia.client import AnyEvent, CreateRoom, RoomJoined

PATIENCE: Final = 60.0


def add_parser(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add `join` to `commands`."""
    words = _("enter the room that a link leads to, and talk")
    parser = commands.add_parser("join", help=words, description=words)
    parser.add_argument("link", metavar=_("LINK"), help=_("the link, in quotes"))
    add_name_option(parser)
    add_profile_option(parser)
    add_conversation_options(parser)
    parser.add_argument(
        "--no-chat", action="store_true", help=_("enter, and leave it at that")
    )
    parser.add_argument(
        "--room",
        metavar=_("NAME"),
        help=_("with a link to a relay alone: make this room there"),
    )
    add_large_option(parser)
    add_timeout_option(parser, PATIENCE)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Enter and talk; raise TertuliaError."""
    from tertulia.wire import ServerInviteLink, parse_link

    parsed = parse_link(arguments.link)
    timeout = timeout_of(arguments, PATIENCE)
    name = name_for(arguments)
    if isinstance(parsed.link, ServerInviteLink):
        return tasks.run(_come_to_relay(arguments, name, timeout))
    return tasks.run(_join(arguments, name, timeout))


async def _come_to_relay(
    arguments: argparse.Namespace, name: str | None, seconds: float
) -> int:
    """Know a relay from a link without a room; with --room make one there."""
    from tertulia.client import CreateRoom, RoomJoined

    async with opened(arguments, name) as agent:
        relay = await agent.add_relay(arguments.link)
        if arguments.room is None:
            _tell(_("That relay is known now; add --room NAME to make a room there."))
            return 0
        command = CreateRoom(arguments.room, large=arguments.large)
        room = await tasks.within(seconds, _make_room(agent, relay, command))
        await _be_in(arguments, agent, RoomJoined(room))
    return 0


async def _make_room(agent: "Agent", relay: bytes, command: "CreateRoom") -> bytes:
    from tertulia.cli.errors import UnexpectedAnswerError
    from tertulia.client import RoomMade

    answer = await agent.ask(command, relay=relay)
    if not isinstance(answer, RoomMade):
        raise UnexpectedAnswerError(answer)
    return answer.room


async def _join(arguments: argparse.Namespace, name: str | None, seconds: float) -> int:
    async with opened(arguments, name) as agent:
        tell = None if arguments.json else _tell
        if tell is not None and arguments.link.strip().startswith("http://"):
            tell(
                _(
                    "WARNING: this link goes without TLS. Messages stay sealed, but "
                    "whoever is in between sees who talks when."
                )
            )
        joined = await tasks.within(seconds, enter(agent, arguments.link, tell))
        await _be_in(arguments, agent, joined)
    return 0


async def _be_in(
    arguments: argparse.Namespace, agent: "Agent", joined: "RoomJoined"
) -> None:
    async def announce() -> None:
        if arguments.json or arguments.no_chat:
            await _announce(agent, joined, as_json=arguments.json)

    if arguments.no_chat:
        await announce()
        return
    opening = Opening(announce, is_new=not joined.already)
    await converse(arguments, agent, joined.room, opening)


def _tell(text: str) -> None:
    print("* " + text, flush=True)


async def enter(
    agent: "Agent", link: str, tell: Callable[[str], None] | None = None
) -> "RoomJoined":
    """Enter a room, and tell what one waits for; raise TertuliaError."""
    from tertulia.agent import ListenerBehindError
    from tertulia.cli.errors import UnexpectedAnswerError
    from tertulia.client import JoinRoom, RoomJoined

    answers = []

    async def ask() -> None:
        answers.append(await agent.ask(JoinRoom(link)))

    async def follow() -> None:
        async with agent.listen() as events:
            while True:
                with contextlib.suppress(ListenerBehindError):
                    async for event in events:
                        if tell is not None and (words := _waiting_words(event)):
                            tell(words)
                    return

    await tasks.until_first_ends(ask(), follow())
    if not isinstance(answers[0], RoomJoined):
        raise UnexpectedAnswerError(answers[0])
    return answers[0]


def _waiting_words(event: "AnyEvent") -> str | None:
    from tertulia.client import Connection, ConnectionChanged, JoinQueued

    match event:
        case JoinQueued(_room, ahead):
            return ngettext(
                "{n} other enters before you.", "{n} others enter before you.", ahead
            ).format(n=ahead)
        case ConnectionChanged(connection=Connection.OFFLINE):
            return _("The relay cannot be reached; it is tried again by itself.")
        case _:
            return None


async def _announce(agent: "Agent", joined: "RoomJoined", *, as_json: bool) -> None:
    name = next(
        (view.name for view in await agent.rooms() if view.room == joined.room), ""
    )
    if as_json:
        from tertulia.cli.json_lines import JoinedLine, encode_line
        from tertulia.cli.terminal import write_bytes

        line = JoinedLine(room=joined.room.hex(), name=name, already=joined.already)
        write_bytes(encode_line(line))
        return
    from tertulia.cli.lines import shown_room

    _tell(_("You are a member of {room} now.").format(room=shown_room(name)))
