"""`tertulia rooms`, `members` and `export`: what this profile knows, for all to read."""

import argparse
from collections.abc import Awaitable, Callable, Sequence
from typing import TYPE_CHECKING

from tertulia.cli import tasks
from tertulia.cli.chat import room_meant
from tertulia.cli.profile import add_profile_option, opened
from tertulia.cli.screen import tolerate_narrow_output
from tertulia.l10n import _

if TYPE_CHECKING:
    from tertulia.agent import Agent
    from tertulia.cli.json_lines import AnyLine


def add_parsers(
    commands: "argparse._SubParsersAction[argparse.ArgumentParser]",
) -> None:
    """Add the commands that list."""
    _add(commands, "rooms", _("list your rooms"), _rooms)
    members = _add(commands, "members", _("list who is in a room"), _members)
    _add_room(members)
    export = _add(
        commands,
        "export",
        _("print all that is known of a room, oldest first"),
        _export,
    )
    _add_room(export)


def _add(
    commands: "argparse._SubParsersAction[argparse.ArgumentParser]",
    name: str,
    words: str,
    work: Callable[[argparse.Namespace, "Agent"], Awaitable[None]],
) -> argparse.ArgumentParser:
    parser: argparse.ArgumentParser = commands.add_parser(
        name, help=words, description=words
    )
    parser.add_argument(
        "--json", action="store_true", help=_("print JSON, one object per line")
    )
    add_profile_option(parser)

    async def with_agent(arguments: argparse.Namespace) -> int:
        async with opened(arguments) as agent:
            await work(arguments, agent)
        return 0

    parser.set_defaults(run=lambda arguments: tasks.run(with_agent(arguments)))
    return parser


def _add_room(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "room",
        nargs="?",
        metavar=_("ROOM"),
        help=_(
            "its name, the beginning of it, or of its id; asked if there are several"
        ),
    )


async def _rooms(arguments: argparse.Namespace, agent: "Agent") -> None:
    from tertulia.cli import json_lines, lines

    rooms = await agent.rooms()
    if arguments.json:
        print_json([json_lines.room_line(room) for room in rooms])
    else:
        print_text([lines.room_line(room) for room in rooms])


async def _members(arguments: argparse.Namespace, agent: "Agent") -> None:
    from tertulia.cli import json_lines, people

    room = await room_meant(agent, arguments.room)
    members = await agent.members(room.room)
    if arguments.json:
        print_json([json_lines.member_line(room.room, one) for one in members])
    else:
        print_text([people.member_row(one) for one in members])


async def _export(arguments: argparse.Namespace, agent: "Agent") -> None:
    from tertulia.cli import json_lines
    from tertulia.cli.feed import Feed
    from tertulia.cli.listen import write_json, write_text

    room = await room_meant(agent, arguments.room)
    if arguments.json:
        members = await agent.members(room.room)
        print_json(
            [
                json_lines.room_line(room),
                *(json_lines.member_line(room.room, one) for one in members),
            ]
        )
    write = write_json if arguments.json else write_text
    async for message in Feed(agent, room.room).news():
        write(message)


def print_json(rows: Sequence["AnyLine"]) -> None:
    """Print lines of JSON."""
    from tertulia.cli.json_lines import encode_line
    from tertulia.cli.terminal import write_bytes

    for row in rows:
        write_bytes(encode_line(row))


def print_text(rows: Sequence[str]) -> None:
    """Print lines as people read them."""
    tolerate_narrow_output()
    for row in rows:
        print(row)
