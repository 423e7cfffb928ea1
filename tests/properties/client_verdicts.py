"""What must hold once everybody is connected again and had time enough.

`heal` brings that about; `judge` then compares what stands on every disk with the log
and with what the observer knows.
"""

from collections.abc import Iterator

from tertulia.client import (
    MessageKind,
    MessageState,
    MessageView,
    NetworkChanged,
    RoomStatus,
    SendText,
)
from tests.properties.client_simulation import (
    Moment,
    WatchedDevice,
    WatchedWorld,
    devices_of,
)

GONE = {None, RoomStatus.LEFT, RoomStatus.REMOVED}
ROUNDS = 16
QUIET_ROUNDS = 2
PAUSE = 5_000


def heal(world: WatchedWorld) -> None:
    """Give everybody a good network and time, then let everybody say a last word."""
    world.reachable = True
    world.failing_transfers = world.losing_pushes = 0
    for device in world.people:
        device.fuse = None
        if not device.alive:
            device.start()
        elif world.lost_pushes:
            # With nothing said since, only a new connection shows what got lost.
            device.inbox.append(NetworkChanged())
    _rest(world, silent=True)
    for number, device in enumerate(world.people):
        for room in world.rooms():
            if not device.modified and device.status(room) is RoomStatus.MEMBER:
                device.ask(SendText(room, f"last word of {number}"))
    _rest(world, silent=False)


def _rest(world: WatchedWorld, *, silent: bool) -> None:
    """Wait until all are done; in a silent world doubts remain."""
    unrest, quiet = [""], 0
    for _ in range(ROUNDS):
        world.wait(PAUSE)
        unrest = list(_unrest(world, silent=silent))
        # Who connects late may have something for the others to do.
        quiet = 0 if unrest else quiet + 1
        if quiet == QUIET_ROUNDS:
            break
    assert not unrest, unrest


def _unrest(world: WatchedWorld, *, silent: bool) -> Iterator[str]:
    """Tell who is not done yet."""
    for device in world.people:
        if device.modified:
            continue
        for command, _ in device.unanswered.values():
            yield f"{device.name} waits for the answer to {type(command).__name__}"
        for name, room in device.session.rooms.items():
            if room.state.doubt is not None and (silent or _is_alone(device, name)):
                continue
            for trouble in _trouble(device, name):
                yield f"{device.name} {trouble}"


def _is_alone(device: WatchedDevice, room: bytes) -> bool:
    """Tell whether a device was deceived and nobody is left who could tell it."""
    world = device.world
    deceived = world.deceived.get(room, {})
    moments = list(world.moments(room))
    if device.device not in deceived or not moments:
        return False
    inside = _members_at_the_end(world, room, moments) - deceived.keys()
    since = moments[-1].since
    return not any(
        since[other.device] <= deceived[device.device]
        for other in world.people
        if other.device in inside and not other.modified
    )


def _trouble(device: WatchedDevice, name: bytes) -> Iterator[str]:
    room = device.session.rooms[name]
    status = room.state.status
    if status not in GONE | {RoomStatus.MEMBER}:
        yield f"is {status.value}"
    if room.outbox:
        yield f"has {len(room.outbox)} messages left, being {status.value}"
    if room.live.work is not None or room.live.wishes:
        yield f"is busy with {room.live.work} {room.live.wishes}"
    if room.pending is not None:
        yield "has a handshake pending"
    if status is RoomStatus.MEMBER and room.state.doubt is not None:
        yield "is in doubt"
    if status is RoomStatus.MEMBER and room.state.leavers:
        yield "sees leaves of who left"


def judge(world: WatchedWorld) -> None:
    """Check that everybody has what was for them, once, in order, and no more."""
    for room in world.rooms():
        moments = list(world.moments(room))
        for device in world.people:
            if not device.modified:
                _judge_pages(world, device, room, moments)
                _judge_lines(world, device, room, moments)
        _judge_members(world, room, moments)
        if not any(device.modified for device in world.people):
            _judge_routes(world, room, moments)


def _judge_pages(
    world: WatchedWorld, device: WatchedDevice, room: bytes, moments: list[Moment]
) -> None:
    """No gap in what it has read of the time that it was there."""
    places = {place for name, place in device.disk.entries if name == room}
    excused = _excused(world, device, room, moments)
    for moment in moments:
        if _is_for(device, moment, places):
            place = moment.entry.place
            assert place in places | excused, f"{device.name} lacks {place}"


def _excused(
    world: WatchedWorld, device: WatchedDevice, room: bytes, moments: list[Moment]
) -> set[int]:
    """Return the places of what a device need not have.

    That is what came by while it was saying goodbye, or while it, told that it is out,
    came in again by a link: who comes back reads on from there.
    """
    excused: set[int] = set()
    chronicle = world.chronicle
    for moment in moments:
        entry = moment.entry
        if entry.device != device.device:
            continue
        sender = (room, entry.device, entry.key)
        left, returned = chronicle.departures.get(sender), chronicle.returns.get(sender)
        if left is not None:
            excused.update(range(left + 1, entry.place + 1))
        if returned is not None:
            excused.update(range(returned + 1, entry.place))
    return excused


def _is_for(device: WatchedDevice, moment: Moment, places: set[int]) -> bool:
    """Tell whether an entry is for a device: from where it really came in."""
    since = moment.since.get(device.device)
    return since is not None and (since == 0 or since in places)


def _judge_lines(
    world: WatchedWorld, device: WatchedDevice, room: bytes, moments: list[Moment]
) -> None:
    places = {place for name, place in device.disk.entries if name == room}
    excused = _excused(world, device, room, moments) - places
    wanted: list[tuple[bytes, str, int]] = []
    for moment in moments:
        entry = moment.entry
        message = entry.device + entry.key
        text = world.chronicle.texts.get(message)
        if entry.place in excused:
            continue
        if text is not None and _is_for(device, moment, places):
            wanted.append((message, text, entry.place))
    rows = sorted(
        (row for row in device.disk.messages.values() if row.room == room),
        key=lambda row: row.number or 0,
    )
    lines = [line for row in rows if (line := device.line(row.message)) is not None]
    texts = [line for line in lines if line.kind is MessageKind.TEXT]
    shown = [line for line in texts if line.place is not None]
    assert [(line.message, line.text, line.place) for line in shown] == wanted, (
        device.name
    )
    _judge_own(device, shown, texts)


def _judge_own(
    device: WatchedDevice, shown: list[MessageView], texts: list[MessageView]
) -> None:
    for line in shown:
        mine = line.message.startswith(device.device)
        state = MessageState.STORED if mine else MessageState.RECEIVED
        assert line.state is state
        assert line.sender.is_me is mine
    for line in texts:
        if line.place is None:
            assert line.state is MessageState.FAILED, f"{device.name}: {line.text}"


def _judge_members(world: WatchedWorld, room: bytes, moments: list[Moment]) -> None:
    """Who is a member by the log knows it, and is in the same epoch as all."""
    group = moments[-1].group if moments else world.chronicle.founded[room]
    secret = group.epoch_authenticator.reveal()
    members = _members_at_the_end(world, room, moments)
    for device in world.people:
        if device.modified:
            continue
        known = device.session.rooms.get(room)
        inside = device.status(room) is RoomStatus.MEMBER
        if not inside and _is_alone(device, room):
            continue
        assert inside is (device.device in members), f"{device.name} is not in step"
        if inside and known is not None and known.group is not None:
            assert known.group.epoch_authenticator.reveal() == secret
            head = moments[-1].entry.place if moments else 0
            assert known.state.place == head, f"{device.name} is behind"


def _members_at_the_end(
    world: WatchedWorld, room: bytes, moments: list[Moment]
) -> set[bytes]:
    if not moments:
        return {
            each.device
            for each in world.people
            if each.status(room) is RoomStatus.MEMBER
        }
    last = moments[-1]
    inside = devices_of(last.group) & last.since.keys()
    if (room, last.entry.device, last.entry.key) in world.chronicle.departures:
        inside -= {last.entry.device}
    return inside


def _judge_routes(world: WatchedWorld, room: bytes, moments: list[Moment]) -> None:
    """The relay lets all members read, and nobody who is not in the tree."""
    routes = world.engine._rooms[room].routes
    group = moments[-1].group if moments else world.chronicle.founded[room]
    reading = {device for device, route in routes.items() if route.last is None}
    assert _members_at_the_end(world, room, moments) <= reading
    assert reading <= devices_of(group)
