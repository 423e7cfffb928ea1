"""Answering the commands that wait for a room: to be made, or to be entered.

A command waits as long as its room is being founded, or is `JOINING`. So whatever ends
that state goes through a function here.
"""

from dataclasses import replace

from tertulia.client.commands import AnyAnswer, RoomJoined, RoomMade
from tertulia.client.events import RoomChanged
from tertulia.client.room import Room, Route
from tertulia.client.turn import Turn
from tertulia.client.views import RoomStatus
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


def never_out(turn: Turn, room: Room) -> Room:
    """Somebody in the room takes this device for a member: there is nothing to enter.

    Whether an entry that was sent is in the log, the log tells.
    """
    answer(turn, room.id, RoomJoined(room.id, already=True))
    room = room.with_live(entered=False, work=None)
    return room.with_state(status=RoomStatus.MEMBER, former=None, link="")


def outdated(turn: Turn, room: Room, error: TertuliaError) -> Room:
    """Rules that are not known here stop a room, and whoever enters it."""
    answer(turn, room.id, error)
    return room.with_state(status=RoomStatus.OUTDATED)


def pass_over(room: Room) -> Room:
    """Return a room after a part of its log was not looked at in order to enter it.

    If it is not entered in the end, this device has lost the thread.
    """
    if room.state.status is not RoomStatus.JOINING or room.group is None:
        return room
    return room.with_state(former=RoomStatus.LOST, doubt=None)


def lose(room: Room) -> Room:
    """Return a room whose log this device cannot follow; who enters begins anew."""
    room = room.without_pending().with_live(work=None)
    if room.state.status is RoomStatus.JOINING:
        return pass_over(room).with_live(entered=False)
    return room.with_state(status=RoomStatus.LOST)


def fail(turn: Turn, room: Room, error: TertuliaError) -> None:
    """Forget a room that this device did not get into, or let it be what it was."""
    answer(turn, room.id, error)
    turn.emit(RoomChanged(room.id))
    if room.state.former is None:
        # Asked for while an epoch in which nobody is was taken for the room.
        for wish in room.live.wishes:
            turn.reply(wish.number, error)
        turn.forget_room(room.id)
        return
    room = room.with_state(status=room.state.former, former=None, link="")
    # What came meanwhile was not looked at.
    room = room.with_live(work=None, entered=False, followed=False, current=False)
    turn.put(room.without_pending())
