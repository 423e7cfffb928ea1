"""A world of clients that is watched at every effect, by somebody who knows everything.

`WatchedWorld` is the world of the client's stories with a network that can do its worst.
Each device is looked at whenever it saves, sends or shows something; `Chronicle` keeps
what only an observer of all sides can know: which key encrypted what, which group each
handshake started, and hence who was a member at each place of a room's log.
"""

from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from random import Random
from typing import Any

import msgspec
from typing_extensions import override

from tertulia import mls
from tertulia.client import (
    AnyCommand,
    CreateRoom,
    DownloadBlob,
    Effect,
    Emit,
    Item,
    JoinRoom,
    MessageArrived,
    MessageKept,
    MessageMoved,
    MessageState,
    MessageView,
    PutMessage,
    PutProfile,
    PutRelay,
    RelayRow,
    Reply,
    RoomJoined,
    RoomMade,
    RoomStatus,
    Save,
    Session,
    TransferFailed,
    Transmit,
    UploadBlob,
    Warned,
    limits,
    message_view,
    new_profile,
)
from tertulia.client.identity import member_of
from tertulia.client.room import OutboxMessage, Room
from tertulia.client.room_rows import load_room
from tertulia.client.state import Phase
from tertulia.mls.private_message import PrivateMessage, _head, _open_sender_data
from tertulia.relay import Session as RelaySession
from tertulia.wire import account_id, frames
from tests.client.world import ADDRESS, Device, Disk, World

# Longer than any command may wait that changes a room.
PATIENCE = 2 * limits.WISH_PATIENCE

Sender = tuple[bytes, bytes, bytes]  # room, device, key
Entry = frames.Entry

# What an honest relay and honest members never cause.
SUSPICIONS = frozenset(
    {
        "cannot_return",
        "entry_void",
        "handshake_skipped",
        "head_contradicted",
        "history_disputed",
        "out_of_step",
        "update_needed",
        "vault_cloned",
    }
)


# What an observer of all sides knows --------------------------------------------------


@dataclass
class Chronicle:
    """Everything that went out of anybody's device, whatever became of it."""

    # Which text each key of each epoch encrypted; a key is for one text.
    uses: dict[tuple[bytes, int, int, int, int], bytes] = field(default_factory=dict)
    # As what each message left in each epoch; anew only in another one.
    attempts: dict[tuple[Sender, int], bytes] = field(default_factory=dict)
    # The group that each handshake starts, if it is applied.
    starts: dict[Sender, mls.Group] = field(default_factory=dict)
    founded: dict[bytes, mls.Group] = field(default_factory=dict)
    joins: set[Sender] = field(default_factory=set)
    # Leaving statements, and how far their sender had read when it said so.
    departures: dict[Sender, int] = field(default_factory=dict)
    # Joins by a link of who was told it is out, and how far it had read by then.
    returns: dict[Sender, int] = field(default_factory=dict)
    texts: dict[bytes, str] = field(default_factory=dict)
    secrets: dict[tuple[bytes, int], bytes] = field(default_factory=dict)

    def note_message(self, sender: Sender, group: mls.Group, blob: bytes) -> None:
        """An encrypted message goes out, of the epoch that its sender is in."""
        message = mls.decode_message(blob)
        assert isinstance(message, PrivateMessage)
        assert message.epoch == group.context.epoch, "encrypted for the epoch it is in"
        head = _head(message.group_id, message.epoch, message.content_type)
        data = _open_sender_data(
            group.suite, group.epoch.secrets.sender_data_secret, message, head
        )
        use = (
            sender[0],
            message.epoch,
            data.leaf_index,
            message.content_type.value,
            data.generation,
        )
        assert self.uses.setdefault(use, blob) == blob, "a key for two texts"
        first = self.attempts.setdefault((sender, message.epoch), blob)
        assert first == blob, "encrypted anew in the same epoch"

    def agree(self, room: Room) -> None:
        """All members of an epoch have the same secrets."""
        group = room.group
        if group is None or not room.is_member or room.state.doubt is not None:
            return
        epoch = (room.id, group.context.epoch)
        secret = group.epoch_authenticator.reveal()
        assert self.secrets.setdefault(epoch, secret) == secret, "a fork"


@dataclass(frozen=True)
class Moment:
    """An entry at its place: the group after it, and whose devices it was for.

    `since` says for each member at which place it came in.
    """

    entry: Entry
    group: mls.Group
    is_applied: bool
    since: dict[bytes, int]


def devices_of(group: mls.Group) -> set[bytes]:
    return {member_of(leaf).device for _, leaf in group.tree.members()}


# Devices that are watched -------------------------------------------------------------


def _stage(effect: Effect) -> int:
    match effect:
        case Save():
            return 0
        case Emit() | Reply():
            return 2
        case _:
            return 1


@dataclass(eq=False)
class WatchedDevice(Device):
    """A device whose every effect is checked when it is carried out."""

    world: "WatchedWorld"  # type: ignore[mutable-override]
    # Commands that wait for their answer, and since when.
    unanswered: dict[int, tuple[AnyCommand, int]] = field(default_factory=dict)
    # Its person changed the program: nothing is promised to it.
    modified: bool = False
    stage: int = 0

    @override
    def ask(self, command: AnyCommand) -> int:
        number = super().ask(command)
        self.unanswered[number] = (command, self.world.now)
        return number

    @override
    def crash(self) -> None:
        super().crash()
        self.unanswered.clear()

    @override
    def take(self) -> bool:
        self.stage = 0
        return super().take()

    def check_patience(self) -> None:
        """Only who makes or enters a room waits as long as it takes.

        Or whose handshake went out: whether it is in the log, only the log tells.
        """
        sent = self._sent_wishes()
        for number, (command, since) in self.unanswered.items():
            if isinstance(command, CreateRoom | JoinRoom):
                continue
            if number in sent and not self.is_open:
                continue
            assert self.world.now - since <= PATIENCE, (self.name, command)

    def _sent_wishes(self) -> set[int | None]:
        return {
            room.pending.wish.number
            for room in self.session.rooms.values()
            if room.pending is not None and room.pending.wish is not None
        }

    def status(self, room: bytes) -> RoomStatus | None:
        known = self.session.rooms.get(room)
        return None if known is None else known.state.status

    @property
    def is_open(self) -> bool:
        return (
            self.alive
            and self.link is not None
            and self.session.link.phase is Phase.OPEN
        )

    @override
    def _carry_out(self, effect: Effect) -> None:
        assert _stage(effect) >= self.stage, "save, then send, then show"
        self.stage = _stage(effect)
        super()._carry_out(effect)
        match effect:
            case Save(changes):
                self._saved(changes)
            case Transmit(frame):
                self._sent(frame)
            case Emit(event):
                self._shown(event)
            case Reply(number, answer):
                del self.unanswered[number]
                self._answered(answer)
            case _:
                pass

    # Saving

    def _saved(self, changes: tuple[Any, ...]) -> None:
        """What is on the disk is what the session goes on from, and nothing else."""
        stored = {each.row.room: each for each in self.disk.stored_rooms()}
        assert stored.keys() == self.session.rooms.keys()
        for name, room in self.session.rooms.items():
            loaded = load_room(stored[name])
            assert loaded.state == room.state
            assert loaded.outbox == room.outbox
            assert loaded.links == room.links
            assert _image(loaded.group) == _image(room.group)
            assert (loaded.pending is None) == (room.pending is None)
            if loaded.pending is not None and room.pending is not None:
                assert loaded.pending.key == room.pending.key
                assert _image(loaded.pending.after) == _image(room.pending.after)
        for change in changes:
            if isinstance(change, PutMessage):
                self._kept(change.row.message)

    def _kept(self, message: bytes) -> None:
        view = self.line(message)
        if view is not None and view.state is MessageState.QUEUED:
            self.world.chronicle.texts[message] = view.text

    def line(self, message: bytes) -> MessageView | None:
        """Return a line as a face would read it from the disk."""
        row, profile = self.disk.messages.get(message), self.disk.profile
        return None if row is None or profile is None else message_view(row, profile)

    # Sending

    def _sent(self, frame: frames.FromClient) -> None:
        match frame:
            case frames.Append() | frames.Leave():
                row = self.disk.outbox[frame.room, frame.key]
                kept = msgspec.msgpack.decode(row.state, type=OutboxMessage)
                assert kept.blob == frame.blob, "on the disk before it is on the wire"
                self._encrypted(frame)
                if isinstance(frame, frames.Leave):
                    place = self.session.rooms[frame.room].state.place
                    departures = self.world.chronicle.departures
                    departures.setdefault(self._sender(frame), place)
            case frames.Commit():
                self._encrypted(frame)
                self._started(frame)
            case frames.Join():
                self._started(frame)
            case _:
                pass

    def _sender(
        self, frame: frames.Append | frames.Leave | frames.Commit | frames.Join
    ) -> Sender:
        return frame.room, self.device, frame.key

    def _encrypted(self, frame: frames.Append | frames.Leave | frames.Commit) -> None:
        group = self.session.rooms[frame.room].group
        assert group is not None
        self.world.chronicle.note_message(self._sender(frame), group, frame.blob)

    def _started(self, frame: frames.Commit | frames.Join) -> None:
        stored = {each.row.room: each for each in self.disk.stored_rooms()}
        pending = load_room(stored[frame.room]).pending
        assert pending is not None, "on the disk before it is on the wire"
        assert (pending.key, pending.handshake) == (frame.key, frame.handshake)
        self.world.chronicle.starts[self._sender(frame)] = pending.after
        if isinstance(frame, frames.Join):
            self.world.chronicle.joins.add(self._sender(frame))
            state = self.session.rooms[frame.room].state
            if state.former is RoomStatus.REMOVED:
                returns = self.world.chronicle.returns
                returns.setdefault(self._sender(frame), state.place)

    # Showing

    def _shown(self, event: Any) -> None:
        match event:
            case MessageArrived(view):
                assert self.line(view.message) == view, "shown as it was saved"
            case MessageMoved(state=MessageState.STORED, place=place):
                entry = self.world.log(event.room)[(place or 0) - 1]
                assert entry.device + entry.key == event.message
            case MessageMoved():
                line = self.line(event.message)
                assert line is not None
                assert line.state is event.state
            case Warned(code=code, place=place) if code in SUSPICIONS:
                excused = self.modified or self.world.is_blamed(event.room, place)
                assert excused, f"{self.name}: {code} at {place}"
            case _:
                pass

    def _answered(self, answer: Any) -> None:
        match answer:
            case MessageKept(message):
                assert message in self.disk.messages
            case RoomJoined(room):
                # Who reads of its coming may read of its going on the same page.
                assert self.status(room) in {RoomStatus.MEMBER, RoomStatus.REMOVED}
            case RoomMade(room):
                assert self.status(room) is RoomStatus.MEMBER
            case _:
                pass


def _image(group: mls.Group | None) -> Any:
    if group is None:
        return None
    rows = dict(mls.save_traffic(group.traffic))
    return mls.save_epoch(group.epoch), group.tree.encode(), rows


# The world ----------------------------------------------------------------------------


class WatchedWorld(World):
    """A world that can be stirred, and that remembers more than anybody in it."""

    MOST_MOVES = 20_000

    def __init__(self, seed: int) -> None:
        super().__init__(seed)
        self.chronicle = Chronicle()
        self.people: list[WatchedDevice] = []
        # Devices of people whose program is modified, under all ids they ever had.
        self.blamed: set[bytes] = set()
        # Whom such a program told, room by room, that it is out, though it is in; and
        # how long the log was then.
        self.deceived: dict[bytes, dict[bytes, int]] = {}
        # How many of the next transfers of blobs fail, and of the next pushes are lost.
        self.failing_transfers = 0
        self.losing_pushes = 0
        self.lost_pushes = 0

    @override
    def person(self, name: str, *, connect: bool = True) -> WatchedDevice:
        disk = Disk()
        profile = new_profile(name, self.now, self.rng)
        relay = RelayRow(account_id(self.identity.public), (ADDRESS,), 0)
        disk.save((PutProfile(profile), PutRelay(relay)))
        device = WatchedDevice(self, name, disk, Session(profile, relay, self.rng))
        self.devices.append(device)
        self.people.append(device)
        device.start()
        if connect:
            self.settle()
        return device

    def modify(self, device: WatchedDevice) -> None:
        """Let the person run a changed program from now on."""
        device.modified = True
        self.blamed.add(device.device)

    @override
    def watch(self, device: Device) -> None:
        assert isinstance(device, WatchedDevice)
        if device.modified:
            self.blamed.add(device.device)
        for room in device.session.rooms.values():
            if not room.state.founded and room.group is not None:
                self.chronicle.founded.setdefault(room.id, room.group)
            if not device.modified:
                self.chronicle.agree(room)

    # Moving

    @override
    def settle(self) -> None:
        for _ in range(self.MOST_MOVES):
            if not self.move():
                return
        raise AssertionError("the world does not come to rest")

    @override
    def wait(self, milliseconds: int) -> None:
        """Let time pass in steps of a second, as the relay's own clock ticks."""
        while milliseconds > 0:
            super().wait(min(milliseconds, 1_000))
            milliseconds -= 1_000
            for device in self.people:
                wake = device.session.wake_at
                assert not device.alive or wake is None or wake > self.now, "spins"
                # Who lost the push of its own commit learns of it later.
                if not device.modified and not self.lost_pushes:
                    device.check_patience()

    def stir(self, random: Random, moves: int) -> None:
        """Let so many things happen in any order that a network allows."""
        for _ in range(moves):
            able: list[WatchedDevice | RelaySession] = [
                device for device in self.people if device.alive and device.inbox
            ]
            able += [
                device for device in self.people if device.link and device.outbound
            ]
            able += [session for session, _ in self.adrift]
            if not able:
                return
            chosen = random.choice(able)
            if not isinstance(chosen, WatchedDevice):
                self._deliver_of(chosen)
            elif chosen.outbound and (not chosen.inbox or random.random() < 0.5):
                self.deliver(chosen)
            else:
                chosen.take()

    def _deliver_of(self, session: RelaySession) -> None:
        """Deliver the first frame under way on a connection that its device left."""
        index = next(i for i, (each, _) in enumerate(self.adrift) if each is session)
        self.adrift.insert(0, self.adrift.pop(index))
        self.deliver_adrift()

    @override
    def upload(self, effect: UploadBlob) -> Item:
        return self._fail(effect.transfer) or super().upload(effect)

    @override
    def download(self, effect: DownloadBlob) -> Item:
        return self._fail(effect.transfer) or super().download(effect)

    def _fail(self, transfer: int) -> Item | None:
        if self.failing_transfers == 0:
            return None
        self.failing_transfers -= 1
        return TransferFailed(transfer, "broken")

    @override
    def _arrive(self, sessions: Collection[RelaySession], frame: Any) -> None:
        for session in self._in_order(sessions):
            is_push = isinstance(frame, frames.Entries) and frame.request == 0
            if is_push and self.losing_pushes:
                self.losing_pushes -= 1
                self.lost_pushes += 1
            else:
                super()._arrive((session,), frame)

    def _in_order(self, sessions: Collection[RelaySession]) -> list[RelaySession]:
        """Return sessions in an order that is the same in each run.

        A relay keeps them in sets, whose order depends on where they lie in memory.
        """
        return [
            device.link
            for device in self.people
            if device.link is not None and device.link in sessions
        ]

    # Knowing

    def rooms(self) -> list[bytes]:
        return [room for room in self.engine._rooms if room in self.chronicle.founded]

    def log(self, room: bytes) -> list[Entry]:
        """Return all entries; this relay leaves no holes."""
        known = self.engine._rooms.get(room)
        return [] if known is None else list(known.entries.values())

    def is_blamed(self, room: bytes, place: int | None) -> bool:
        """Tell whether an entry is of somebody whose program is modified."""
        log = self.log(room)
        known = place is not None and 0 < place <= len(log)
        return known and log[(place or 0) - 1].device in self.blamed

    def moments(self, room: bytes) -> Iterator[Moment]:
        """Walk through a room's log, telling for each entry who was there to read it.

        An entry is for who was a member before it or after it: a removal also for who
        goes, a join also for who comes.
        """
        group = self.chronicle.founded[room]
        since = dict.fromkeys(devices_of(group), 0)
        for entry in self.log(room):
            sender = (room, entry.device, entry.key)
            after = self.chronicle.starts.get(sender)
            applied = (
                after is not None and after.context.epoch == group.context.epoch + 1
            )
            before = since
            if after is not None and applied:
                group, now = after, devices_of(after)
                since = {each: since[each] for each in since if each in now}
                if sender in self.chronicle.joins:
                    since[entry.device] = entry.place
            yield Moment(entry, group, applied, {**before, **since})
            if sender in self.chronicle.departures:
                since = {each: since[each] for each in since if each != entry.device}
