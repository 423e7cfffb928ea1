"""What to do next: looked at after every step, from what is known and under way.

No rule calls another to go on; each leaves the state as it found things to be, and what
follows from it is decided here, room by room.
"""

from collections.abc import Iterator

import msgspec

from tertulia.client import (
    chores,
    committing,
    connecting,
    enrolment,
    following,
    founding,
    joining,
    limits,
    outbox,
    sending,
    wishes,
)
from tertulia.client.content import Greeting
from tertulia.client.effects import EntriesLoaded, LoadEntries
from tertulia.client.room import Room, Route
from tertulia.client.state import Phase
from tertulia.client.turn import Turn
from tertulia.client.views import RoomStatus
from tertulia.client.work import Refresh
from tertulia.wire import frames


def advance(turn: Turn) -> None:
    """Do for every room what its time has come for."""
    if turn.link.is_copied:
        connecting.become_another(turn)
    if turn.link.phase is Phase.STOPPED:
        connecting.disappoint(turn)
    if turn.is_open:
        enrolment.revoke_former(turn)
    routes_known = True
    for name in tuple(turn.session.rooms):
        turn.put(wishes.expire(turn, turn.session.rooms[name]))
        if turn.is_open:
            _advance(turn, turn.session.rooms[name])
            kept = turn.room(name)
            routes_known &= kept is None or not _asks_route(kept, turn.now)
    if turn.is_open and not routes_known and not turn.is_asking_rooms:
        following.ask_rooms(turn)


def _asks_route(room: Room, now: int) -> bool:
    matters = room.is_read or room.state.status is RoomStatus.JOINING
    unknown = room.live.route is Route.UNKNOWN and room.live.paused <= now
    return unknown and (matters or not room.state.founded)


def _advance(turn: Turn, room: Room) -> None:
    live = room.live
    if live.route is Route.UNKNOWN or live.stopped or live.paused > turn.now:
        return
    if not room.state.founded and room.is_member:
        if live.work is None:
            turn.put(founding.begin(turn, room))
        return
    if room.state.status is RoomStatus.JOINING and not live.entered:
        if live.work is None:
            turn.put(joining.begin(turn, room))
        return
    if not room.is_read:
        return
    if live.refeeding is not None:
        _refeed(turn, room)
    elif _reads_on(turn, room):
        return
    elif room.state.status is RoomStatus.LOST:
        _come_back(turn, room)
    else:
        _take_part(turn, room)


def _come_back(turn: Turn, room: Room) -> None:
    """Enter again, unless this device left: then there is nothing to come back to."""
    if room.live.work is not None or room.pending is not None:
        return
    goodbye = sending.goodbye(room)
    if goodbye is None:
        turn.put(joining.begin_again(turn, room))
    elif room.live.in_flight != goodbye.key:
        turn.put(sending.ask_whether_left(turn, room, goodbye))


def _reads_on(turn: Turn, room: Room) -> bool:
    """Follow and fetch until everything is read; tell whether there is more to read."""
    live = room.live
    if live.following or live.fetching:
        return True
    if room.state.status is RoomStatus.LOST and not live.entered:
        # What comes cannot be opened before this device is back; and a log that does
        # not go on from where it was would be refused again and again.
        return False
    if live.route is Route.OPEN and not live.followed:
        turn.put(following.follow(turn, room))
        return True
    if not live.current:
        turn.put(following.fetch(turn, room))
        return True
    return False


def _take_part(turn: Turn, room: Room) -> None:
    """Do what a member does who is up to date."""
    if not room.may_change:
        return
    if room.pending is not None and room.live.work is None:
        # Made on an earlier connection, and not in the log: it never will be.
        room = turn.put(room.without_pending())
    room = _chores(turn, room)
    if room.live.work is None and room.live.wishes:
        room = committing.begin(turn, room)
    elif room.live.work is None and _is_to_mend(room) and room.group is not None:
        room = joining.begin_mending(turn, room, room.group)
    elif room.live.work is None and _is_due(room.live.repair_at, turn.now):
        room = joining.begin_check(turn, room)
    turn.put(sending.begin(turn, room))
    if _is_due(room.live.review_at, turn.now):
        # Asked again, the relay may know better who is in the room.
        turn.put(following.ask_anew(turn.session.rooms[room.id]))


def _is_to_mend(room: Room) -> bool:
    """Tell whether somebody could not enter a room that this device knows to be it."""
    return room.live.reported and not room.state.unconfirmed


def _is_due(time: int | None, now: int) -> bool:
    return time is not None and time <= now


def _chores(turn: Turn, room: Room) -> Room:
    now = turn.now
    if not _is_refreshing(room):
        room = chores.resume(turn, room)
    if _is_due(room.live.greet_at, now):
        room = room.with_live(greet_at=None).with_state(owes_greeting=False)
        room, _ = outbox.enqueue(turn, room, Greeting())
    if _is_due(room.live.clean_at, now) or chores.refresh_due(room) <= now:
        room = room.with_live(clean_at=None)
        if not _is_refreshing(room):
            room = wishes.wish(turn, room, Refresh())
    return room


def _is_refreshing(room: Room) -> bool:
    return any(isinstance(each.aim, Refresh) for each in room.live.wishes)


def _refeed(turn: Turn, room: Room) -> None:
    """Look up what the relay lost."""
    head = room.state.head
    if room.live.fetching:
        return
    if head is None or head.place <= (room.live.refeeding or 0):
        turn.put(following.cannot_refeed(turn, room))
        return
    after = room.live.refeeding or 0
    turn.load(LoadEntries(room.id, after, limits.REFEED_ENTRIES))
    turn.put(room.with_live(fetching=True))


def entries_loaded(turn: Turn, item: EntriesLoaded) -> None:
    """Send what the relay lost, up to a head it once signed."""
    room = turn.room(item.room)
    if room is None or room.live.refeeding is None:
        return
    room = room.with_live(fetching=False)
    head = room.state.head
    entries: tuple[frames.Entry, ...] = ()
    if head is not None and _fit_one_frame(item):
        entries = tuple(
            msgspec.msgpack.decode(row.entry, type=frames.Entry)
            for row in item.rows
            if row.place <= head.place
        )
    if head is None or not entries or entries[-1].place != head.place:
        turn.put(following.cannot_refeed(turn, room))
        return
    room = room.with_live(fetching=True)
    turn.put(following.refeed(turn, room, entries, head))


def _fit_one_frame(item: EntriesLoaded) -> bool:
    return sum(len(row.entry) for row in item.rows) <= limits.REFEED_BYTES


def wake_at(turn: Turn) -> int | None:
    """Return when there is something to do without being asked.

    Never a time at which nothing could be done: that would be asked for again at once.
    """
    times = [turn.link.retry_at] if turn.link.phase is Phase.IDLE else []
    for room in turn.session.rooms.values():
        times += _times(turn, room)
    known = [time for time in times if time is not None]
    return min(known) if known else None


def _times(turn: Turn, room: Room) -> Iterator[int | None]:
    live = room.live
    if live.work is None:
        sent = None if room.pending is None else room.pending.wish
        yield from (wish.deadline for wish in live.wishes if wish is not sent)
    if not turn.is_open:
        return
    if live.paused > turn.now:
        yield live.paused
    elif room.may_change:
        yield from (live.greet_at, live.clean_at, live.review_at)
        if live.work is None and not live.wishes:
            yield live.repair_at
        if not _is_refreshing(room):
            yield chores.refresh_due(room)
