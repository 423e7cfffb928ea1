"""Opens the conversation that fits where this process runs: JSON, plain or a prompt."""

import argparse
import os
import sys
from typing import TYPE_CHECKING

from tertulia.cli.opening import CONTINUED, Opening
from tertulia.cli.screen import (
    Ending,
    Names,
    PlainScreen,
    is_plain,
    tolerate_narrow_output,
    typed_lines,
    write_out,
)
from tertulia.l10n import _

if TYPE_CHECKING:
    from tertulia.agent import Agent


def add_conversation_options(parser: argparse.ArgumentParser) -> None:
    """Let `parser` take --json and --plain."""
    parser.add_argument(
        "--json",
        action="store_true",
        help=_("for programs: each line of input is a message, each event a JSON line"),
    )
    parser.add_argument(
        "--plain",
        action="store_true",
        help=_("plain lines that are never drawn over, as for screen readers"),
    )


def add_large_option(parser: argparse.ArgumentParser) -> None:
    """Let `parser` take --large, for a room that is made."""
    parser.add_argument(
        "--large",
        action="store_true",
        help=_(
            "make a room for more than 500 devices, with keys that a quantum computer "
            "could break; a room that exists stays as it is"
        ),
    )


async def converse(
    arguments: argparse.Namespace,
    agent: "Agent",
    room: bytes,
    opening: Opening = CONTINUED,
) -> Ending | None:
    """Talk in a room until the person or the input leaves; return how."""
    if arguments.json:
        return await _converse_in_json(agent, room, opening)
    if opening.announce is not None:
        await opening.announce()
    if arguments.plain or is_plain(os.environ):
        return await _converse_plainly(agent, room)
    return await _converse_at_prompt(agent, room)


async def _converse_in_json(agent: "Agent", room: bytes, opening: Opening) -> Ending:
    from tertulia.cli.json_talking import JsonConversation

    async with typed_lines(sys.stdin.fileno()) as typed:
        await JsonConversation(agent, room, write_bytes).talk(typed, opening)
    return Ending.END_OF_INPUT


def write_bytes(line: bytes) -> None:
    """Write a line of bytes to standard output at once."""
    sys.stdout.buffer.write(line)
    sys.stdout.buffer.flush()


async def _converse_plainly(agent: "Agent", room: bytes) -> Ending | None:
    from tertulia.cli.conversation import Conversation
    from tertulia.cli.talking import talk

    tolerate_narrow_output()
    async with typed_lines(sys.stdin.fileno()) as typed:
        screen = PlainScreen(typed, write_out)
        return await talk(Conversation(agent, screen, room, Names()))


async def _converse_at_prompt(agent: "Agent", room: bytes) -> Ending | None:
    from tertulia.cli.conversation import Conversation
    from tertulia.cli.prompt import open_prompt
    from tertulia.cli.talking import talk

    tolerate_narrow_output()
    names = Names()
    async with open_prompt(names) as screen:
        return await talk(Conversation(agent, screen, room, names))
