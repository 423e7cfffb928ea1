"""`tertulia listen`: prints each message once, as it comes, for programs and logs."""

import argparse
from typing import TYPE_CHECKING

from tertulia.cli import tasks
from tertulia.cli.errors import BadValueError
from tertulia.cli.options import number
from tertulia.cli.profile import add_profile_option, opened
from tertulia.cli.screen import tolerate_narrow_output, write_out
from tertulia.l10n import _

if TYPE_CHECKING:
    from collections.abc import Callable

    from tertulia.agent import Agent
    from tertulia.client import MessageView


def add_parser(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add `listen` to `commands`."""
    words = _("print messages as they come, without saying anything")
    parser = commands.add_parser("listen", help=words, description=words)
    parser.add_argument(
        "room", nargs="?", metavar=_("ROOM"), help=_("one room; all if not given")
    )
    parser.add_argument(
        "--json", action="store_true", help=_("print JSON, one object per line")
    )
    parser.add_argument(
        "--since",
        metavar=_("ID"),
        help=_("begin after this message; 0: with the first one known"),
    )
    parser.add_argument(
        "--count", metavar=_("NUMBER"), help=_("end after so many messages")
    )
    add_profile_option(parser)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Print until Ctrl-C, SIGTERM or --count; raise TertuliaError."""
    return tasks.run(_listen(arguments))


async def _listen(arguments: argparse.Namespace) -> int:
    from tertulia.cli.room_choice import choose_room

    count = _read_count(arguments.count)
    since = read_since(arguments.since)
    async with opened(arguments) as agent:
        room = None
        if arguments.room is not None:
            room = choose_room(await agent.rooms(), arguments.room).room
        write = write_json if arguments.json else write_text
        await listen(agent, room, since, count, write)
    return 0


def _read_count(text: str | None) -> int | None:
    try:
        return None if text is None else number(text)
    except ValueError:
        raise BadValueError(str(text), _("a number")) from None


def read_since(text: str | None) -> bytes | int | None:
    """Return after which message to begin; None: with what comes from now on."""
    if text is None:
        return None
    if text == "0":
        return 0
    try:
        message = bytes.fromhex(text)
    except ValueError:
        message = b""
    if len(message) != 32:
        raise BadValueError(text, _("the id of a message, or 0"))
    return message


async def listen(
    agent: "Agent",
    room: bytes | None,
    since: bytes | int | None,
    count: int | None,
    write: "Callable[[MessageView], None]",
) -> None:
    """Write each message once, in order, until `count` are written."""
    from tertulia.agent import ListenerBehindError
    from tertulia.cli.feed import FROM_THE_FIRST, Feed

    after = FROM_THE_FIRST if since is None else since
    feed = Feed(agent, room, after, stored_only=True)
    written = 0

    async def write_news() -> bool:
        nonlocal written
        async for message in feed.news():
            write(message)
            written += 1
            if written == count:
                return False
        return True

    async with agent.listen() as events:
        if since is None:
            await feed.skip_to_newest()
        while await write_news():
            try:
                async for event in events:
                    if feed.is_touched_by(event) and not await write_news():
                        return
            except ListenerBehindError:
                continue  # what was missed is in the vault
            return


def write_json(message: "MessageView") -> None:
    """Write a message as a line of JSON."""
    from tertulia.cli.json_lines import encode_line, message_line
    from tertulia.cli.terminal import write_bytes

    write_bytes(encode_line(message_line(message)))


def write_text(message: "MessageView") -> None:
    """Write a message as a person reads it, with its time."""
    from tertulia.cli.lines import local_time, message_lines

    tolerate_narrow_output()
    first, *rest = message_lines(message, {})
    lines = [f"{local_time(message.time)}  {first}", *rest]
    write_out("".join(line + "\n" for line in lines))
