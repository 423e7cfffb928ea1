"""Wishes to change a room for all, from the asking to the answer.

A wish waits until nothing else is under way, becomes a commit, and is answered when that
commit stands in the log. Where another one comes first it is simply tried again.
"""

from dataclasses import replace

from tertulia.client import chores, leaving, limits
from tertulia.client.commands import AnyAnswer, Carried, InviteMade
from tertulia.client.errors import NotReachedError
from tertulia.client.group_advice import Position
from tertulia.client.links import room_link
from tertulia.client.outbox import enqueue
from tertulia.client.room import Pending, Room
from tertulia.client.turn import Turn
from tertulia.client.work import AddInvite, Aim, HandOver, Refresh, Wish
from tertulia.crypto import Secret
from tertulia.errors import TertuliaError


def wish(turn: Turn, room: Room, aim: Aim, number: int | None = None) -> Room:
    """Remember what is to be changed, and the command to answer."""
    deadline = turn.now + limits.WISH_PATIENCE
    wishes = (*room.live.wishes, Wish(aim, number, deadline))
    return room.with_live(wishes=wishes)


def taken(turn: Turn, room: Room, pending: Pending) -> Room:
    """My commit stands in the log: answer the wish it was for, and forget it."""
    room = _forget_dropped_links(room).with_live(work=None)
    made_for = pending.wish
    if made_for is None:
        return room
    rest = tuple(each for each in room.live.wishes if each is not made_for)
    room = room.with_live(wishes=rest)
    room, answer = _answer(turn, room, made_for.aim, pending.position)
    turn.reply(made_for.number, answer)
    return room


def _answer(
    turn: Turn, room: Room, aim: Aim, position: Position | None
) -> tuple[Room, AnyAnswer]:
    match aim:
        case AddInvite(invite, secret):
            link = room_link(turn.session, room, Secret(secret), position)
            room = replace(room, links={**room.links, invite.invite: link})
            return room, InviteMade(invite.invite, link)
        case HandOver() if room.group is not None:
            statement = leaving.statement(turn, room.group)
            return enqueue(turn, room, statement)[0], Carried()
        case _:
            return room, Carried()


def _forget_dropped_links(room: Room) -> Room:
    policy = room.policy
    listed = set() if policy is None else {each.invite for each in policy.invites}
    links = {invite: link for invite, link in room.links.items() if invite in listed}
    return room if links == room.links else replace(room, links=links)


def give_up(turn: Turn, room: Room, failed: Wish, error: TertuliaError) -> Room:
    """Answer a wish that cannot be carried out."""
    turn.reply(failed.number, error)
    rest = tuple(each for each in room.live.wishes if each is not failed)
    if isinstance(failed.aim, Refresh):
        room = chores.put_off(turn, room)
    if room.pending is not None and room.pending.wish is failed:
        # Should its commit be in the log after all, that answers nobody any more.
        room = replace(room, pending=replace(room.pending, wish=None))
    return room.with_live(wishes=rest)


def expire(turn: Turn, room: Room) -> Room:
    """Answer the wishes for which nothing could be done in time."""
    for each in overdue(room, turn.now):
        room = give_up(turn, room, each, NotReachedError())
    return room


def overdue(room: Room, now: int) -> list[Wish]:
    """Return the wishes to give up; not one whose commit may be in the log."""
    if room.live.work is not None:
        return []
    sent = None if room.pending is None else room.pending.wish
    return [
        each for each in room.live.wishes if each.deadline <= now and each is not sent
    ]
