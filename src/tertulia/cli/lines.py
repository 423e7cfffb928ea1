"""How a conversation looks in lines: pure, from values to text.

    Ana: hello                 what somebody says
        more of it             a further line of the same message
    * Blas has come in.        what the program says

A member chooses name and text and must not be able to speak as another, or as the
program. So a name stands bare only if it is plain: letters, digits, spaces and a few
signs, a letter or digit first. Any other stands in quotation marks, and has none
itself. A message's further lines are indented, as is what does not fit the width
(`folding`).
"""

import unicodedata
from collections.abc import Mapping
from datetime import datetime
from typing import Final, assert_never

from tertulia.cli.folding import INDENT
from tertulia.client import (
    MessageKind,
    MessageState,
    MessageView,
    Person,
    RoomStatus,
    RoomView,
    neutralise,
)
from tertulia.l10n import _, ngettext

MARK: Final = "* "

_PLAIN_SIGNS: Final = frozenset(" ._-'")


def notice(text: str) -> list[str]:
    """Return the lines in which the program itself speaks."""
    first, *rest = text.split("\n")
    return [MARK + first, *(INDENT + line for line in rest)]


def shown_name(name: str, tag: str = "") -> str:
    """Return a name as it stands in lines; `tag` tells it from one that looks alike."""
    drawn = neutralise(name)
    if not _is_plain(drawn):
        drawn = '"' + drawn.replace('"', "'") + '"'
    return f"{drawn} #{tag}" if tag else drawn


def _is_plain(name: str) -> bool:
    return name[:1].isalnum() and all(
        character in _PLAIN_SIGNS or unicodedata.category(character)[0] in "LMN"
        for character in name
    )


def shown_room(name: str) -> str:
    """Return the name of a room as it stands in lines."""
    return shown_name(name)


def message_lines(message: MessageView, tags: Mapping[bytes, str]) -> list[str]:
    """Return the lines of a message; `tags` are of accounts whose names need one."""
    name = _name_of(message.sender, tags)
    text = neutralise(message.text, multiline=True)
    match message.kind:
        case MessageKind.TEXT:
            first, *rest = text.split("\n")
            said = [f"{name}: {first}", *(INDENT + line for line in rest)]
            return said + _doubts(message)
        case MessageKind.JOINED:
            return notice(_("{name} has come in.").format(name=name))
        case MessageKind.LEFT:
            return notice(_("{name} has left.").format(name=name))
        case MessageKind.REMOVED:
            return notice(_removal(name, message.text))
        case MessageKind.RENAMED_ROOM:
            return notice(
                _("{name} calls this room {room} now.").format(
                    name=name, room=shown_room(message.text)
                )
            )
        case MessageKind.CHANGED_TOPIC:
            return notice(
                _("{name} sets the topic: {topic}").format(
                    name=name, topic=neutralise(message.text)
                )
            )
        case MessageKind.RENAMED_MEMBER:
            return notice(
                _("{other} is called {name} now.").format(
                    name=name, other=shown_name(message.text)
                )
            )
        case MessageKind.VOID:
            return notice(
                _("A message of {name} cannot be opened by anybody.").format(name=name)
            )
        case MessageKind.UNKNOWN:
            return notice(
                _(
                    "{name} sent something that this version does not know: update it."
                ).format(name=name)
            )
        case kind:
            assert_never(kind)


def _removal(name: str, other: str) -> str:
    if not other:
        return _("{name} was removed.").format(name=name)
    return _("{name} removed {other}.").format(name=name, other=shown_name(other))


def _name_of(person: Person, tags: Mapping[bytes, str]) -> str:
    return shown_name(person.name, tags.get(person.account, ""))


def _doubts(message: MessageView) -> list[str]:
    """Say what is not simply fine with an own message."""
    match message.state:
        case MessageState.QUEUED:
            return notice(_("That has not been sent yet."))
        case MessageState.FAILED:
            return notice(_("That was not sent."))
        case _:
            return []


def beginning(text: str, length: int = 30) -> str:
    """Return the first words of a text, on one line."""
    line = " ".join(neutralise(text).split())
    return line if len(line) <= length else line[: length - 1].rstrip() + "…"


# Rooms


def room_line(room: RoomView, unread: int = 0) -> str:
    """Return the line of a room in a list."""
    parts = [shown_room(room.name)]
    if room.topic:
        parts.append(beginning(room.topic, 60))
    parts.append(room_state(room))
    if room.waiting:
        parts.append(
            ngettext("{n} not sent yet", "{n} not sent yet", room.waiting).format(
                n=room.waiting
            )
        )
    if unread:
        parts.append(ngettext("{n} new", "{n} new", unread).format(n=unread))
    return "  ".join([room.room.hex()[:8], *parts])


def room_state(room: RoomView) -> str:
    """Return how a room and this device stand to each other, in a few words."""
    match room.status:
        case RoomStatus.MEMBER:
            return ngettext("{n} member", "{n} members", room.members).format(
                n=room.members
            )
        case RoomStatus.JOINING:
            return _("entering")
        case RoomStatus.LEFT:
            return _("left")
        case RoomStatus.REMOVED:
            return _("you were removed")
        case RoomStatus.LOST:
            return _("out of step, coming back by itself")
        case RoomStatus.OUTDATED:
            return _("needs a newer version of this program, or of `cryptography`")
        case status:
            assert_never(status)


# Times


def local_time(milliseconds: int) -> str:
    """Return a time in the zone of this machine, as people write it."""
    try:
        zoned = datetime.fromtimestamp(milliseconds / 1000).astimezone()
    except (ValueError, OverflowError, OSError):
        return "?"  # of a relay or a member that says anything
    return zoned.strftime("%Y-%m-%d %H:%M")
