"""Answering the commands that wait for a room: to be made, or to be entered."""

from dataclasses import replace

from tertulia.client.commands import AnyAnswer, RoomJoined, RoomMade
from tertulia.client.events import RoomChanged
from tertulia.client.room import Room, Route
from tertulia.client.turn import Turn
from tertulia.errors import TertuliaError


def await_room(turn: Turn, room: bytes, number: int) -> None:
    """Remember that a command waits for a room."""
    entering = {**turn.session.entering, room: number}
    turn.session = replace(turn.session, entering=entering)


def answer(turn: Turn, room: bytes, said: AnyAnswer | TertuliaError) -> None:
    """Answer the command that waits for a room, if one does."""
    entering = dict(turn.session.entering)
    turn.reply(entering.pop(room, None), said)
    turn.session = replace(turn.session, entering=entering)


def founded(turn: Turn, room: Room) -> Room:
    """The relay has the new room, and what its first joiners need."""
    turn.emit(RoomChanged(room.id))
    link = next(iter(room.links.values()), "")
    answer(turn, room.id, RoomMade(room.id, link))
    return room.with_state(founded=True).with_live(route=Route.OPEN)


def entered(turn: Turn, room: Room) -> Room:
    """My entry stands in the log."""
    answer(turn, room.id, RoomJoined(room.id))
    return room.with_live(entered=False, work=None)


def fail(turn: Turn, room: Room, error: TertuliaError) -> None:
    """Forget a room that this device did not get into, or let it be what it was."""
    answer(turn, room.id, error)
    turn.emit(RoomChanged(room.id))
    if room.state.former is None:
        turn.forget_room(room.id)
        return
    room = room.with_state(status=room.state.former, former=None, link="")
    # What came meanwhile was not looked at.
    room = room.with_live(work=None, entered=False, followed=False, current=False)
    turn.put(room.without_pending())
