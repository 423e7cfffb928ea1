"""Finds the room or the person that is meant by what somebody typed.

A name counts first as it is, then without regard to capitals, then by its beginning;
last comes the beginning of an id. The first way that finds something decides.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from typing import Final, TypeVar

from tertulia.cli.errors import AmbiguousNameError, NothingNamedError
from tertulia.cli.lines import shown_name
from tertulia.client import MemberView, RoomStatus, RoomView

T = TypeVar("T")

_GONE: Final = frozenset({RoomStatus.LEFT, RoomStatus.REMOVED})
_ID: Final = re.compile(r"[0-9a-f]{4,64}")


def choose_room(rooms: Sequence[RoomView], text: str) -> RoomView:
    """Return the room meant; raise NothingNamedError or AmbiguousNameError."""
    found = _find(rooms, text, lambda room: room.name, lambda room: room.room)
    present = [room for room in found if room.status not in _GONE]
    return _only(
        present or found,
        text,
        lambda room: f"{shown_name(room.name)} ({room.room.hex()[:8]})",
    )


def choose_member(members: Sequence[MemberView], text: str) -> MemberView:
    """Return the member meant; raise NothingNamedError or AmbiguousNameError.

    `NAME #TAG` names one of several who are called alike.
    """
    name, mark, tag = text.rpartition("#")
    among = members
    if mark and _ID.fullmatch(tag):
        among = [
            member for member in members if member.person.account.hex().startswith(tag)
        ]
        text = name.strip() or tag
    text = text.removeprefix("@")
    found = _find(
        among, text, lambda member: member.person.name, lambda m: m.person.account
    )
    return _only(
        found,
        text,
        lambda m: shown_name(m.person.name, m.person.account.hex()[:8]),
    )


def _find(
    among: Sequence[T],
    text: str,
    name_of: Callable[[T], str],
    id_of: Callable[[T], bytes],
) -> list[T]:
    folded = text.casefold()

    def ways() -> Iterator[Callable[[T], bool]]:
        yield lambda one: name_of(one) == text
        yield lambda one: name_of(one).casefold() == folded
        yield lambda one: name_of(one).casefold().startswith(folded)
        if _ID.fullmatch(folded):
            yield lambda one: id_of(one).hex().startswith(folded)

    for fits in ways():
        if found := [one for one in among if fits(one)]:
            return found
    return []


def _only(found: Sequence[T], text: str, describe: Callable[[T], str]) -> T:
    if not found:
        raise NothingNamedError(text)
    if len(found) > 1:
        raise AmbiguousNameError(text, tuple(map(describe, found)))
    return found[0]
