"""People with real sessions around a real relay: no sockets, no clock, no threads.

The relay runs over the memory engine, a disk is a dictionary, and a frame is under way
until the world delivers it. A device can crash between any two effects: what it had
sent stays under way, what it had saved is there when it starts anew.
"""

from collections import deque
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, field, replace
from random import Random
from typing import Any, assert_never

from tertulia.client import (
    AnyCommand,
    Asked,
    ChangeKeys,
    Connect,
    CreateRoom,
    Disconnect,
    DownloadBlob,
    Downloaded,
    DropEpoch,
    DropInvite,
    DropMessage,
    DropOutbox,
    DropPending,
    DropRoom,
    Effect,
    Emit,
    EntriesLoaded,
    EntryRow,
    EvidenceRow,
    FrameArrived,
    InviteRow,
    Item,
    JoinRoom,
    LinkClosed,
    LinkOpened,
    LoadEntries,
    MessageRow,
    MessageView,
    OutboxRow,
    ProfileRow,
    PutEntry,
    PutEpoch,
    PutEvidence,
    PutInvite,
    PutMessage,
    PutOutbox,
    PutPending,
    PutProfile,
    PutRelay,
    PutRoom,
    PutTree,
    RelayRow,
    Reply,
    RoomRow,
    RowChange,
    Save,
    SendText,
    Session,
    Started,
    StoredRoom,
    Ticked,
    TransferFailed,
    Transmit,
    TreeRow,
    UploadBlob,
    Uploaded,
    load_session,
    message_view,
    new_profile,
    step,
)
from tertulia.crypto import ED25519
from tertulia.errors import TertuliaError
from tertulia.relay import Broadcast, Effects, HangUp, Refusal, Relay, Send, Settings
from tertulia.relay import Session as RelaySession
from tertulia.server.engines import MemoryEngine
from tertulia.wire import AccountPolicy, account_id, frames
from tests.relay.script import START, run
from tests.running_relay import GENEROUS

SETTINGS = Settings(accounts=AccountPolicy.OPEN, rates=GENEROUS)
ADDRESS = "https://relay.test"


class Disk:
    """What a vault keeps, as dictionaries; `save` is a transaction."""

    def __init__(self) -> None:
        self.profile: ProfileRow | None = None
        self.relays: dict[bytes, RelayRow] = {}
        self.rooms: dict[bytes, RoomRow] = {}
        self.epochs: dict[bytes, bytes] = {}
        self.trees: dict[bytes, list[TreeRow]] = {}
        self.keys: dict[bytes, dict[bytes, bytes]] = {}
        self.pending: dict[bytes, bytes] = {}
        self.outbox: dict[tuple[bytes, bytes], OutboxRow] = {}
        self.messages: dict[bytes, MessageRow] = {}
        self.entries: dict[tuple[bytes, int], EntryRow] = {}
        self.invites: dict[tuple[bytes, bytes], InviteRow] = {}
        self.evidence: list[EvidenceRow] = []
        self._number = 0

    def save(self, changes: Sequence[RowChange]) -> None:
        for change in changes:
            self._apply(change)

    def _apply(self, change: RowChange) -> None:
        match change:
            case PutProfile(row):
                self.profile = row
            case PutRelay(row):
                self.relays[row.relay] = row
            case PutRoom(row):
                self.rooms[row.room] = row
            case DropRoom(room):
                self._drop_room(room)
            case PutEpoch() | ChangeKeys() | DropEpoch():
                self._apply_to_epoch(change)
            case PutTree(row, follows):
                kept = self.trees[row.room] if follows else []
                self.trees[row.room] = [*kept, row]
            case PutPending(room, pending):
                self.pending[room] = pending
            case DropPending(room):
                self.pending.pop(room, None)
            case PutOutbox(row):
                self.outbox[row.room, row.key] = row
            case DropOutbox(room, key):
                self.outbox.pop((room, key), None)
            case PutMessage(row):
                self._put_message(row)
            case DropMessage(_, message):
                self.messages.pop(message, None)
            case PutEntry(row):
                assert (row.room, row.place) not in self.entries
                self.entries[row.room, row.place] = row
            case PutInvite(row):
                self.invites[row.room, row.invite] = row
            case DropInvite(room, invite):
                self.invites.pop((room, invite), None)
            case PutEvidence(row):
                self.evidence.append(row)
            case _:
                assert_never(change)

    def _apply_to_epoch(self, change: PutEpoch | ChangeKeys | DropEpoch) -> None:
        match change:
            case PutEpoch(room, epoch, keys):
                self.epochs[room] = epoch
                self.keys[room] = dict(keys)
            case ChangeKeys(room, keys):
                for key, value in keys.items():
                    if value is None:
                        del self.keys[room][key]
                    else:
                        self.keys[room][key] = value
            case DropEpoch(room):
                self.epochs.pop(room, None)
                self.trees.pop(room, None)
                self.keys.pop(room, None)

    def _put_message(self, row: MessageRow) -> None:
        old = self.messages.get(row.message)
        if old is not None and old.place is not None:
            return
        if old is None:
            self._number += 1
        number = self._number if old is None else old.number
        self.messages[row.message] = replace(row, number=number)

    def _drop_room(self, room: bytes) -> None:
        tables: tuple[dict[bytes, Any], ...] = (
            self.rooms,
            self.epochs,
            self.trees,
            self.keys,
            self.pending,
        )
        for table in tables:
            table.pop(room, None)
        parts: tuple[dict[Any, Any], ...] = (self.outbox, self.entries, self.invites)
        for rows in parts:
            for key in [key for key in rows if key[0] == room]:
                del rows[key]
        for name in [n for n, row in self.messages.items() if row.room == room]:
            del self.messages[name]

    def stored_rooms(self) -> list[StoredRoom]:
        return [
            StoredRoom(
                row,
                self.epochs.get(room),
                tuple(self.trees.get(room, ())),
                self.keys.get(room, {}),
                self.pending.get(room),
                tuple(item for (name, _), item in self.outbox.items() if name == room),
                tuple(item for (name, _), item in self.invites.items() if name == room),
                tuple(
                    (place, entry.hash)
                    for (name, place), entry in sorted(self.entries.items())
                    if name == room
                ),
            )
            for room, row in self.rooms.items()
        ]


class CrashError(Exception):
    """The device stopped in the middle of its effects."""


@dataclass(eq=False)
class Device:
    """One program of one person."""

    world: "World"
    name: str
    disk: Disk
    session: Session
    inbox: deque[Item] = field(default_factory=deque)
    outbound: deque[frames.FromClient] = field(default_factory=deque)
    link: RelaySession | None = None
    events: list[Any] = field(default_factory=list)
    replies: dict[int, Any] = field(default_factory=dict)
    commands: int = 0
    # Crash once so many effects were carried out; None: never.
    fuse: int | None = None
    alive: bool = True

    # Asking

    def ask(self, command: AnyCommand) -> int:
        self.commands += 1
        self.inbox.append(Asked(self.commands, command))
        return self.commands

    def get(self, command: AnyCommand) -> Any:
        """Ask and let everything happen; return the answer, raise an error."""
        number = self.ask(command)
        self.world.settle()
        answer = self.replies[number]
        if isinstance(answer, TertuliaError):
            raise answer
        return answer

    def say(self, room: bytes, text: str) -> bytes:
        message: bytes = self.get(SendText(room, text)).message
        return message

    def lines(self, room: bytes) -> list[MessageView]:
        """The conversation as it is on the disk."""
        assert self.disk.profile is not None
        rows = [row for row in self.disk.messages.values() if row.room == room]
        rows.sort(key=lambda row: (row.place is None, row.place or 0, row.number or 0))
        return [message_view(row, self.disk.profile) for row in rows]

    def texts(self, room: bytes) -> list[str]:
        return [line.text for line in self.lines(room) if line.kind == "text"]

    def seen(self, kind: type[Any]) -> list[Any]:
        return [event for event in self.events if isinstance(event, kind)]

    def codes(self) -> list[str]:
        return [event.code for event in self.events if hasattr(event, "code")]

    @property
    def device(self) -> bytes:
        return self.session.profile.device

    @property
    def account(self) -> bytes:
        return account_id(self.session.profile.account_public)

    # Living

    def start(self) -> None:
        assert self.disk.profile is not None
        (relay,) = self.disk.relays.values()
        self.session = load_session(
            self.disk.profile, relay, self.disk.stored_rooms(), self.world.rng
        )
        self.alive = True
        self.inbox.append(Started())

    def crash(self) -> None:
        """Stop at once; frames that were sent are still under way."""
        self.alive = False
        self.inbox.clear()
        self.world.forsake(self)

    def take(self) -> bool:
        """Take one item; False if there is none."""
        if not self.alive or not self.inbox:
            return False
        item = self.inbox.popleft()
        self.session, effects = step(self.session, item, self.world.now)
        self.world.watch(self)
        try:
            for effect in effects:
                self._burn()
                self._carry_out(effect)
        except CrashError:
            self.crash()
        return True

    def feed(self, item: Item) -> Sequence[Effect]:
        """Take an item out of turn; return what was done for it."""
        self.session, effects = step(self.session, item, self.world.now)
        self.world.watch(self)
        for effect in effects:
            self._carry_out(effect)
        return effects

    def _burn(self) -> None:
        if self.fuse is None:
            return
        if self.fuse == 0:
            self.fuse = None
            raise CrashError
        self.fuse -= 1

    def _carry_out(self, effect: Effect) -> None:
        match effect:
            case Save(changes):
                self.disk.save(changes)
            case Connect():
                self.world.connect(self)
            case Disconnect():
                self.world.hang_up(self)
            case Transmit(frame):
                if self.link is not None:
                    self.outbound.append(frame)
            case UploadBlob():
                self.inbox.append(self.world.upload(effect))
            case DownloadBlob():
                self.inbox.append(self.world.download(effect))
            case Emit(event):
                self.events.append(event)
            case Reply(number, answer):
                assert number not in self.replies, "a command is answered once"
                self.replies[number] = answer
            case LoadEntries(room, after, limit):
                rows = [
                    row
                    for (name, place), row in sorted(self.disk.entries.items())
                    if name == room and place > after
                ]
                self.inbox.append(EntriesLoaded(room, tuple(rows[:limit])))
            case _:
                assert_never(effect)


class World:
    """One relay, its clock, and everybody's devices."""

    def __init__(self, seed: int = 1, settings: Settings = SETTINGS) -> None:
        self.random = Random(seed)
        self.rng: Callable[[int], bytes] = self.random.randbytes
        self.now = START
        self.settings = settings
        self.engine = MemoryEngine(self.rng)
        self.devices: list[Device] = []
        # Frames of devices that crashed or lost their link, still under way.
        self.adrift: list[tuple[RelaySession, frames.FromClient]] = []
        self.reachable = True
        self.identity = ED25519.generate(self.rng)
        self.relay = self._new_relay()

    def _new_relay(self) -> Relay:
        relay = Relay(self.engine, self.settings, self.identity, self.rng)
        self.engine.listen(lambda changes: self._carry_out(relay.fan_out(changes)))
        run(relay.start())
        return relay

    # People

    def person(self, name: str, *, connect: bool = True) -> Device:
        disk = Disk()
        profile = new_profile(name, self.now, self.rng)
        relay = RelayRow(account_id(self.identity.public), (ADDRESS,), 0)
        disk.save((PutProfile(profile), PutRelay(relay)))
        device = Device(self, name, disk, Session(profile, relay, self.rng))
        self.devices.append(device)
        device.start()
        if connect:
            self.settle()
        return device

    def room(
        self, host: Device, name: str = "tertulia", *, large: bool = False
    ) -> tuple[bytes, str]:
        made = host.get(CreateRoom(name, large=large))
        return made.room, made.link

    def circle(self, *names: str, large: bool = False) -> tuple[bytes, list[Device]]:
        """A room of these people, all of them up to date."""
        people = [self.person(name) for name in names]
        room, link = self.room(people[0], large=large)
        for joiner in people[1:]:
            joiner.get(JoinRoom(link))
        self.wait(1_000)
        return room, people

    # Time

    def settle(self) -> None:
        """Let everything happen that is under way, without any time passing."""
        for _ in range(100_000):
            if not self.move():
                return
        raise AssertionError("the world does not come to rest")

    def move(self) -> bool:
        moved = False
        for device in tuple(self.devices):
            moved |= device.take()
            moved |= self.deliver(device)
        moved |= self.deliver_adrift()
        return moved

    def wait(self, milliseconds: int) -> None:
        """Let time pass, waking whoever asked for it."""
        end = self.now + milliseconds
        for _ in range(100_000):
            self.settle()
            times = [
                device.session.wake_at
                for device in self.devices
                if device.alive and device.session.wake_at is not None
            ]
            due = [time for time in times if time <= end]
            if not due:
                break
            self.now = max(self.now, min(due))
            self._tick()
        else:
            raise AssertionError("somebody is woken for ever")
        self.now = max(self.now, end)
        self._tick()
        self.settle()

    def _tick(self) -> None:
        self._carry_out(run(self.relay.tick(self.now)))
        for device in self.devices:
            wake = device.session.wake_at
            if device.alive and wake is not None and wake <= self.now:
                device.inbox.append(Ticked())

    # The network

    def connect(self, device: Device) -> None:
        self._drop_link(device)
        if not self.reachable:
            device.inbox.append(LinkClosed("refused"))
            return
        session, effects = self.relay.connect("192.0.2.1", self.now)
        device.link = session
        device.inbox.append(LinkOpened(b"", trusted=True, base=ADDRESS))
        self._carry_out(effects)

    def hang_up(self, device: Device) -> None:
        """The device closes its link; what it sent before still arrives."""
        self.forsake(device)

    def forsake(self, device: Device) -> None:
        if device.link is not None:
            self.adrift += [(device.link, frame) for frame in device.outbound]
        device.outbound.clear()
        device.link = None

    def cut(self, device: Device) -> None:
        """The network breaks; what was under way is lost."""
        if device.link is None:
            return
        self.relay.disconnect(device.link)
        device.outbound.clear()
        device.link = None
        device.inbox = deque(
            item for item in device.inbox if not isinstance(item, FrameArrived)
        )
        device.inbox.append(LinkClosed("lost"))

    def _drop_link(self, device: Device) -> None:
        if device.link is not None:
            self.relay.disconnect(device.link)
        device.outbound.clear()
        device.link = None

    def deliver(self, device: Device) -> bool:
        if device.link is None or not device.outbound:
            return False
        frame = device.outbound.popleft()
        self._carry_out(run(self.relay.handle(device.link, frame, self.now)))
        return True

    def deliver_adrift(self) -> bool:
        if not self.adrift:
            return False
        session, frame = self.adrift.pop(0)
        self._carry_out(run(self.relay.handle(session, frame, self.now)))
        return True

    def _carry_out(self, effects: Effects) -> None:
        for effect in effects:
            match effect:
                case Send(session, frame):
                    self._arrive((session,), frame)
                case Broadcast(sessions, frame):
                    self._arrive(sessions, frame)
                case HangUp(session):
                    for device in self._holders((session,)):
                        device.outbound.clear()
                        device.link = None
                        device.inbox.append(LinkClosed("hung up"))

    def _arrive(self, sessions: Collection[RelaySession], frame: Any) -> None:
        for device in self._holders(sessions):
            device.inbox.append(FrameArrived(frame))

    def _holders(self, sessions: Collection[RelaySession]) -> Iterator[Device]:
        for device in self.devices:
            if device.alive and any(device.link is each for each in sessions):
                yield device

    def restart_relay(self) -> None:
        """End the relay's process; what it stored stays."""
        for device in self.devices:
            if device.link is not None:
                device.outbound.clear()
                device.link = None
                device.inbox.append(LinkClosed("lost"))
        self.adrift.clear()
        self.relay = self._new_relay()

    # Blobs

    def upload(self, effect: UploadBlob) -> Item:
        piece = (effect.offset, effect.data[effect.offset :])
        try:
            run(self.relay.write_blob(effect.ticket, effect.blob, piece, self.now))
        except Refusal as refusal:
            return TransferFailed(effect.transfer, str(refusal))
        return Uploaded(effect.transfer)

    def download(self, effect: DownloadBlob) -> Item:
        part = (0, effect.size)
        try:
            _, data = run(
                self.relay.read_blob(effect.ticket, effect.blob, part, self.now)
            )
        except Refusal as refusal:
            return TransferFailed(effect.transfer, str(refusal))
        return Downloaded(effect.transfer, data)

    # Watching

    def watch(self, device: Device) -> None:
        """Called after each step; simulations look at what must always hold."""
