"""The commands one types in a conversation: one table, for every face.

A row says how a command is called, what it takes and what it does; faces walk the rows
for help, completion and menus, and carry out `action` in their own way. A line is a
command if it begins with a slash; `//` begins a text that begins with a slash. `FIN`
alone leaves, as in the chat this project grew from.
"""

from dataclasses import dataclass
from enum import Enum, auto
from typing import Final

from tertulia.cli.errors import MissingArgumentError, UnknownSlashCommandError
from tertulia.l10n import _

FAREWELL: Final = "FIN"
SLASH: Final = "/"


class Action(Enum):
    """What a command does."""

    HELP = auto()
    ROOMS = auto()
    ROOM = auto()
    JOIN = auto()
    CREATE = auto()
    INVITE = auto()
    MEMBERS = auto()
    REMOVE = auto()
    NAME = auto()
    TOPIC = auto()
    NICK = auto()
    STATUS = auto()
    CANCEL = auto()
    LEAVE = auto()
    QUIT = auto()


class Completion(Enum):
    """What the argument of a command is the name of."""

    NOTHING = auto()
    ROOM = auto()
    MEMBER = auto()
    WORD = auto()  # one of the words that its usage shows


@dataclass(frozen=True, slots=True)
class SlashCommand:
    """One row. `arguments` is how a person is told what to add."""

    action: Action
    name: str
    words: str
    arguments: str = ""
    needs: bool = False  # whether it means nothing without arguments
    completes: Completion = Completion.NOTHING
    choices: tuple[str, ...] = ()

    @property
    def usage(self) -> str:
        """The command as one types it."""
        return f"{SLASH}{self.name} {self.arguments}".rstrip()


def slash_commands() -> tuple[SlashCommand, ...]:
    """Return all commands, in the order in which help shows them."""
    return (
        SlashCommand(Action.HELP, "help", _("show these commands")),
        SlashCommand(Action.ROOMS, "rooms", _("list your rooms")),
        SlashCommand(
            Action.ROOM,
            "room",
            _("go to another of your rooms"),
            _("ROOM"),
            needs=True,
            completes=Completion.ROOM,
        ),
        SlashCommand(
            Action.JOIN,
            "join",
            _("enter the room that a link leads to"),
            _("LINK"),
            needs=True,
        ),
        SlashCommand(
            Action.CREATE,
            "create",
            _("make a room and enter it"),
            _("NAME"),
            needs=True,
        ),
        SlashCommand(
            Action.INVITE,
            "invite",
            _("show a link by which others enter; TIME like 7d, USES like 5"),
            _("[TIME] [USES] | list | revoke ID"),
            completes=Completion.WORD,
            choices=("list", "revoke"),
        ),
        SlashCommand(Action.MEMBERS, "members", _("show who is in the room")),
        SlashCommand(
            Action.REMOVE,
            "remove",
            _("expel somebody and change all keys"),
            _("MEMBER"),
            needs=True,
            completes=Completion.MEMBER,
        ),
        SlashCommand(
            Action.NAME, "name", _("give the room another name"), _("NAME"), needs=True
        ),
        SlashCommand(
            Action.TOPIC, "topic", _("show or set what the room is about"), _("[TOPIC]")
        ),
        SlashCommand(
            Action.NICK, "nick", _("be called otherwise"), _("NAME"), needs=True
        ),
        SlashCommand(
            Action.STATUS, "status", _("show relay, room and what waits to be sent")
        ),
        SlashCommand(
            Action.CANCEL, "cancel", _("take back your last text that is not sent yet")
        ),
        SlashCommand(
            Action.LEAVE, "leave", _("leave the room for good (asks to be repeated)")
        ),
        SlashCommand(
            Action.QUIT,
            "quit",
            _("leave the conversation, as FIN does; you stay member"),
        ),
    )


@dataclass(frozen=True, slots=True)
class Spoken:
    """A line to be said to the room."""

    text: str


@dataclass(frozen=True, slots=True)
class Invocation:
    """A line that is a command."""

    command: SlashCommand
    argument: str


def read_line(line: str) -> Spoken | Invocation | None:
    """Return what a typed line means, None if nothing.

    Raises UnknownSlashCommandError, MissingArgumentError.
    """
    if line.strip() == FAREWELL:
        return Invocation(_called("quit"), "")
    if line.startswith(SLASH + SLASH):
        return Spoken(line[len(SLASH) :])
    if not line.startswith(SLASH):
        return Spoken(line) if line.strip() else None
    name, _space, argument = line[len(SLASH) :].partition(" ")
    command = _called(name.strip())
    if command.needs and not argument.strip():
        raise MissingArgumentError(command.usage)
    return Invocation(command, argument.strip())


def _called(name: str) -> SlashCommand:
    for command in slash_commands():
        if command.name == name.lower():
            return command
    raise UnknownSlashCommandError(name)


def help_lines() -> list[str]:
    """Return the table as help shows it."""
    rows = slash_commands()
    width = max(len(row.usage) for row in rows)
    return [f"{row.usage.ljust(width)}  {row.words}" for row in rows]
