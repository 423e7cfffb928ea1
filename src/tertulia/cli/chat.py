"""`tertulia chat`: talks in a room one is a member of."""

import argparse
from typing import TYPE_CHECKING

from tertulia.cli import tasks
from tertulia.cli.errors import MissingOptionError, NoRoomError
from tertulia.cli.profile import add_profile_option, can_ask, opened
from tertulia.cli.terminal import add_conversation_options, converse
from tertulia.l10n import _

if TYPE_CHECKING:
    from tertulia.agent import Agent
    from tertulia.client import RoomView


def add_parser(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add `chat` to `commands`."""
    words = _("talk in one of your rooms")
    parser = commands.add_parser("chat", help=words, description=words)
    parser.add_argument(
        "room",
        nargs="?",
        metavar=_("ROOM"),
        help=_(
            "its name, the beginning of it, or of its id; asked if there are several"
        ),
    )
    add_profile_option(parser)
    add_conversation_options(parser)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Talk until the person leaves; raise TertuliaError."""
    return tasks.run(_chat(arguments))


async def _chat(arguments: argparse.Namespace) -> int:
    async with opened(arguments) as agent:
        room = await room_meant(agent, arguments.room)
        await converse(arguments, agent, room.room)
    return 0


async def room_meant(agent: "Agent", text: str | None) -> "RoomView":
    """Return the room that is meant, the only one if nothing is said; raise UsageError."""
    from tertulia.cli.room_choice import choose_room
    from tertulia.client import RoomStatus

    rooms = await agent.rooms()
    if text is not None:
        return choose_room(rooms, text)
    present = [
        room
        for room in rooms
        if room.status not in {RoomStatus.LEFT, RoomStatus.REMOVED}
    ]
    if not present:
        raise NoRoomError
    if len(present) == 1:
        return present[0]
    if not can_ask():
        raise MissingOptionError(_("ROOM"))
    return pick_room(present)


def pick_room(rooms: "list[RoomView]") -> "RoomView":
    """Ask which of several rooms is meant; raise UsageError, EOFError."""
    from tertulia.cli.lines import room_line
    from tertulia.cli.profile import ask
    from tertulia.cli.room_choice import choose_room

    for number, room in enumerate(rooms, 1):
        print(f"{number:3}  {room_line(room)}")
    answer = ask(_("Which room? "))
    if answer.isdecimal() and 1 <= int(answer) <= len(rooms):
        return rooms[int(answer) - 1]
    return choose_room(rooms, answer)
