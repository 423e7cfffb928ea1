"""Reading a room's log: what is new as it comes, what was missed page by page.

Entries count only in the order of the log, each following from the one before. What
does not follow is a gap, and is asked for; a page that does not follow either is proof
of two histories.
"""

from dataclasses import replace

import msgspec

from tertulia.client import entering, heads, limits, outbox, wishes
from tertulia.client.errors import RelayRefusedError
from tertulia.client.events import CatchingUp, RoomChanged, Warned
from tertulia.client.receiving import Logged, process
from tertulia.client.requests import ForRooms, ToFetch, ToFollow, ToRefeed
from tertulia.client.room import Room, Route
from tertulia.client.turn import Turn
from tertulia.client.views import RoomStatus
from tertulia.client.work import Sent
from tertulia.wire import ErrorCode, frames, next_hash


def ask_rooms(turn: Turn) -> None:
    """Ask which rooms this device may read."""
    turn.request(frames.ListRooms, ForRooms())


def rooms_listed(turn: Turn, frame: frames.Answer) -> None:
    """Note what may be read; an entry that got through unnoticed is found here."""
    if isinstance(frame, frames.Refused):
        pause = max(frame.facts.retry_after or 0, limits.STORAGE_PAUSE)
        for room in tuple(turn.session.rooms.values()):
            turn.put(room.with_live(paused=turn.now + pause))
        return
    if not isinstance(frame, frames.Rooms):
        return
    routes = {route.room: route for route in frame.rooms}
    for room in tuple(turn.session.rooms.values()):
        turn.put(_routed(room, routes.get(room.id)))


def _routed(room: Room, route: frames.RoomRoute | None) -> Room:
    if route is None:
        return room.with_live(route=Route.NONE)
    is_under_way = isinstance(room.live.work, Sent)  # and will be answered
    is_gap = route.first > room.state.place + 1
    match room.state.status:
        case RoomStatus.JOINING if room.pending is not None and not is_under_way:
            # Whether the join got through was not told: the log will.
            room = room.with_live(entered=True)
            if is_gap:
                room = entering.pass_over(replace(room, hashes={}))
                room = room.with_state(place=route.first - 1, hash=None)
        case RoomStatus.LOST if not is_under_way:
            # Whether an attempt to come back got through does not matter: make another.
            room = room.without_pending()
        case RoomStatus.MEMBER if is_gap:
            # Un-routed and routed again: what was said meanwhile is not for us to read.
            room = entering.lose(room)
        case _:
            pass
    if route.last is None:
        return room.with_live(route=Route.OPEN)
    return room.with_live(route=Route.CUT)


def ask_anew(room: Room) -> Room:
    """Return the room as one of which the relay is to say what may be read."""
    return room.with_live(
        route=Route.UNKNOWN, review_at=None, followed=False, current=False
    )


def doubt_route(turn: Turn, room: Room) -> Room:
    """Return the room after the relay denied having it; soon it is asked anew."""
    paused = turn.now + limits.SHORTEST_PAUSE
    return room.with_live(
        route=Route.UNKNOWN, followed=False, current=False, paused=paused
    )


def follow(turn: Turn, room: Room) -> Room:
    """Ask for what the room gets from now on."""
    state = room.state
    place = 0 if state.hash is None else state.place
    turn.request(
        lambda number: frames.FollowRoom(
            number, room.id, place, state.hash, state.handshake
        ),
        ToFollow(room.id),
    )
    return room.with_live(following=True)


def followed(turn: Turn, purpose: ToFollow, frame: frames.Answer) -> None:
    """From here on nothing is missed; what came before is read page by page."""
    room = turn.room(purpose.room)
    if room is None:
        return
    room = room.with_live(following=False)
    match frame:
        case _ if not room.is_read:
            turn.put(room)  # it ended while the answer was on its way
        case frames.Followed():
            room = heads.keep(turn, room, frame.head)
            room = room.with_live(
                followed=True, expected=frame.head.place, start=room.state.place
            )
            turn.put(_note_current(turn, room))
        case frames.Refused():
            _disagree(turn, room, frame)
        case _:
            pass


def fetch(turn: Turn, room: Room) -> Room:
    """Ask for the page after the last entry."""
    state = room.state
    turn.request(
        lambda number: frames.FetchEntries(number, room.id, state.place, state.hash),
        ToFetch(room.id),
    )
    return room.with_live(fetching=True, current=False)


def page_arrived(turn: Turn, purpose: ToFetch, frame: frames.Answer) -> None:
    """Take a page that was asked for."""
    room = turn.room(purpose.room)
    if room is None:
        return
    room = room.with_live(fetching=False)
    match frame:
        case _ if not room.is_read:
            turn.put(room)  # it ended while the answer was on its way
        case frames.Entries():
            turn.put(_take_page(turn, room, frame))
        case frames.Refused():
            _disagree(turn, room, frame)
        case _:
            pass


def _take_page(turn: Turn, room: Room, frame: frames.Entries) -> Room:
    before = room.state.place
    taken = _take(turn, room, frame)
    if taken is None:
        return _dispute(turn, room, msgspec.msgpack.encode(frame.head))
    room = taken
    live = room.live
    expected = max(live.expected, frame.head.place)
    if room.state.place == before and room.state.place < expected:
        # Told of entries, given none: asking at once would go on for ever.
        expected = frame.head.place
        room = room.with_live(paused=turn.now + limits.STORAGE_PAUSE)
    if not frame.more and live.route is Route.CUT:
        expected = room.state.place
    room = room.with_live(expected=expected)
    if expected - live.start >= limits.PROGRESS_FROM and room.state.place > live.start:
        done = room.state.place - live.start
        turn.emit(CatchingUp(room.id, done, max(done, expected - live.start)))
    return _note_current(turn, room)


def _note_current(turn: Turn, room: Room) -> Room:
    if room.state.place < room.live.expected or room.state.hash is None:
        return room
    if room.live.route is Route.UNKNOWN:
        return room  # the relay is asked first what it lets us read
    if room.state.status is RoomStatus.JOINING:
        # All is read, and my join is not in it: make another.
        return room.without_pending().with_live(entered=False, work=None)
    if room.live.route is Route.CUT and room.state.status is RoomStatus.REMOVED:
        # The relay took it as what it says, too: out is out.
        return outbox.end(turn, room, RoomStatus.REMOVED)
    if room.live.route is Route.CUT and room.is_member:
        # Everything this device may read is read, and nobody put it out by the rules.
        turn.emit(RoomChanged(room.id))
        room = entering.lose(room)
    return room.with_live(current=True)


def entries_pushed(turn: Turn, frame: frames.Entries) -> None:
    """Take what the room just got."""
    room = turn.room(frame.room)
    if room is None or not room.is_read or not frame.entries:
        return
    taken = None
    if room.state.hash is not None:
        taken = _take(turn, room, frame)
    if taken is None:
        expecting = room.expecting(frame.entries[-1].place)
        turn.put(expecting.with_live(current=False))
        return
    turn.put(taken.expecting(taken.state.place))


def _take(turn: Turn, room: Room, frame: frames.Entries) -> Room | None:
    """Return the room after the entries, or None if they do not follow."""
    running = frame.previous
    fresh: list[Logged] = []
    known, known_place = room.state.hash, room.state.place
    last = -1
    for entry in frame.entries:
        if entry.place <= last:
            return None
        last = entry.place
        if not fresh and entry.place > known_place and known not in {None, running}:
            return None
        running = next_hash(room.id, running, entry)
        if entry.place > known_place:
            fresh.append(Logged(entry, running))
    for logged in fresh:
        room = process(turn, room, logged)
        if room.state.status is RoomStatus.OUTDATED:
            return room
    if not fresh:
        return room
    if frame.head.place == fresh[-1].entry.place and frame.head.hash != running:
        heads.report(
            turn, room, "head_contradicted", msgspec.msgpack.encode(frame.head)
        )
        return room
    return heads.keep(turn, room, frame.head)


def _dispute(turn: Turn, room: Room, proof: bytes) -> Room:
    """The relay has another past for this room than it showed before."""
    heads.report(turn, room, "head_contradicted", proof)
    turn.emit(RoomChanged(room.id))
    room = room.with_live(current=False, followed=False)
    return _lose(turn, room).with_state(head=None)


def _lose(turn: Turn, room: Room) -> Room:
    """Return a room that is to be entered anew, but not again and again at once."""
    return entering.lose(room).with_live(paused=turn.now + limits.STORAGE_PAUSE)


def _disagree(turn: Turn, room: Room, frame: frames.Refused) -> None:
    """The relay does not go on from where this device is."""
    match frame.code:
        case ErrorCode.BEHIND:
            turn.put(room.with_live(refeeding=frame.facts.place or 0))
        case ErrorCode.FORKED:
            head = room.state.head
            turn.put(_dispute(turn, room, msgspec.msgpack.encode(head)))
        case ErrorCode.GONE:
            turn.emit(Warned(room.id, "out_of_step", place=frame.facts.place))
            turn.put(_lose(turn, room))
        case ErrorCode.NOT_FOUND if room.live.route is Route.OPEN:
            turn.put(doubt_route(turn, room))
        case ErrorCode.RATE_LIMITED | ErrorCode.UNAVAILABLE:
            pause = max(frame.facts.retry_after or 0, limits.SHORTEST_PAUSE)
            turn.put(room.with_live(paused=turn.now + pause))
        case _:
            _stop(turn, room, RelayRefusedError(frame.code))


def _stop(turn: Turn, room: Room, error: RelayRefusedError) -> None:
    """This connection gets no further with the room: whom that concerns is told why."""
    if room.state.status is RoomStatus.JOINING:
        entering.fail(turn, room, error)
        return
    sent = None if room.pending is None else room.pending.wish
    if sent is not None:
        room = wishes.give_up(turn, room, sent, error)
    turn.put(room.with_live(stopped=True))


def refeed(
    turn: Turn, room: Room, entries: tuple[frames.Entry, ...], head: frames.SignedHead
) -> Room:
    """Give back to a restored relay what it once signed for."""
    turn.request(
        lambda number: frames.Refeed(number, room.id, entries, head),
        ToRefeed(room.id),
    )
    return room


def cannot_refeed(turn: Turn, room: Room) -> Room:
    """The relay lost more than can be given back: come back into what it has."""
    turn.emit(Warned(room.id, "out_of_step", place=room.state.place))
    turn.emit(RoomChanged(room.id))
    room = room.with_live(refeeding=None, fetching=False, followed=False, current=False)
    return _lose(turn, room).with_state(head=None)


def refed(turn: Turn, purpose: ToRefeed, frame: frames.Answer) -> None:
    """Read on, now that the relay knows what we know; or come back anew."""
    room = turn.room(purpose.room)
    if room is None:
        return
    room = room.with_live(refeeding=None, fetching=False, followed=False, current=False)
    if isinstance(frame, frames.Refused):
        room = _dispute(turn, room, msgspec.msgpack.encode(room.state.head))
    turn.put(room)
