"""Scripting by hand: what a session wants, a relay that says anything, rogue members.

`outline` names effects in order. `Log` writes a room's entries as the relay would, or
as it never would, under heads that the relay's real key signed. `Rogue` is a member
whose program breaks the rules: it has the keys, and says with them what it likes. A
`Scene` has all three.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeVar

import msgspec
from msgspec.structs import replace as changed

from tertulia import mls
from tertulia.client.annotation import Annotation, Claim, NoClaim
from tertulia.client.content import Content, encode_content
from tertulia.client.effects import Effect, Emit, FrameArrived, Reply, Save, Transmit
from tertulia.client.events import Warned
from tertulia.client.padding import padding_for
from tertulia.client.room import Room
from tertulia.client.rows import PutEvidence
from tertulia.client.views import RoomStatus
from tertulia.crypto import Secret
from tertulia.wire import Head, Kind, first_hash, frames, next_hash, sign_heads
from tests.client.world import Device, World
from tests.relay.script import run

T = TypeVar("T")

ANYTHING = mls.AcceptEverything()


# What a session wants


def outline(effects: Iterable[Effect]) -> list[str]:
    """Return the effects by name: `Save`, `Transmit Hello`, `Emit RoomChanged`."""
    return [_name(effect) for effect in effects]


def _name(effect: Effect) -> str:
    match effect:
        case Transmit(frame):
            return f"Transmit {type(frame).__name__}"
        case Emit(event):
            return f"Emit {type(event).__name__}"
        case Reply(_, answer):
            return f"Reply {type(answer).__name__}"
        case _:
            return type(effect).__name__


def sent(effects: Iterable[Effect], kind: type[T]) -> list[T]:
    """Return the frames of a kind that go out."""
    written = [each.frame for each in effects if isinstance(each, Transmit)]
    return [frame for frame in written if isinstance(frame, kind)]


def saved(effects: Iterable[Effect], kind: type[T]) -> list[T]:
    """Return the row changes of a kind."""
    changes = [
        change for each in effects if isinstance(each, Save) for change in each.changes
    ]
    return [change for change in changes if isinstance(change, kind)]


def emitted(effects: Iterable[Effect], kind: type[T]) -> list[T]:
    """Return the events of a kind."""
    events = [each.event for each in effects if isinstance(each, Emit)]
    return [event for event in events if isinstance(event, kind)]


def answers(effects: Iterable[Effect]) -> list[Any]:
    """Return what commands are answered with."""
    return [each.answer for each in effects if isinstance(each, Reply)]


# A session by hand


def room_of(device: Device, room: bytes) -> Room:
    return device.session.rooms[room]


def group_of(device: Device, room: bytes) -> mls.Group:
    group = room_of(device, room).group
    assert group is not None
    return group


def status(device: Device, room: bytes) -> RoomStatus:
    return room_of(device, room).state.status


def alter(device: Device, room: Room) -> None:
    """Put a room into the session as if it had come to be so."""
    rooms = {**device.session.rooms, room.id: room}
    device.session = replace(device.session, rooms=rooms)


def asked_for(device: Device, kind: type[Any]) -> int:
    """Return the number of the newest request whose purpose is of a kind."""
    numbers = [
        number
        for number, purpose in device.session.requests.items()
        if type(purpose) is kind
    ]
    return numbers[-1]


def answer(device: Device, frame: Any) -> Sequence[Effect]:
    """Let the relay say something to a device, whatever else is under way."""
    return device.feed(FrameArrived(frame))


def refuse(
    device: Device, purpose: type[Any], code: Any, **facts: int
) -> Sequence[Effect]:
    """Refuse the newest request of a purpose."""
    number = asked_for(device, purpose)
    return answer(device, frames.Refused(number, code, frames.Facts(**facts)))


def lose_path_keys(device: Device, room: bytes) -> None:
    """Spoil a member's private keys: path secrets for it open for nobody."""
    spoil_keys(device, room, lambda key: Secret(bytes(len(key.reveal()))))


def spoil_keys(device: Device, room: bytes, change: Any) -> None:
    kept = room_of(device, room)
    group = group_of(device, room)
    mine = group.epoch.private_keys
    by_node = {node: change(key) for node, key in mine.by_node.items()}
    epoch = replace(group.epoch, private_keys=replace(mine, by_node=by_node))
    alter(device, replace(kept, group=replace(group, epoch=epoch)))


def run_until(device: Device, kind: type[T]) -> T:
    """Let everything happen until a device is about to send a frame of a kind.

    The frame is returned, and does not get through.
    """
    world = device.world
    for _ in range(10_000):
        for each in tuple(world.devices):
            each.take()
            if each is device and each.outbound:
                frame = each.outbound[0]
                if isinstance(frame, kind):
                    each.outbound.popleft()
                    return frame
            world.deliver(each)
    raise AssertionError(f"no {kind.__name__} goes out")


# A relay that says anything


def signed_head(
    world: World,
    room: bytes,
    place: int,
    running: bytes,
    incarnation: bytes | None = None,
) -> frames.SignedHead:
    """Return a head under the relay's own signature."""
    which = world.engine.incarnation if incarnation is None else incarnation
    said = Head(room, which, place, running)
    (signed,) = sign_heads(world.identity.private, [said])
    return signed


@dataclass
class Log:
    """A room's log as this relay tells it, from where a device stands."""

    world: World
    room: bytes
    place: int
    hash: bytes
    handshake: int

    @classmethod
    def after(cls, device: Device, room: bytes) -> "Log":
        state = room_of(device, room).state
        last = state.hash or first_hash(room)
        return cls(device.world, room, state.place, last, state.handshake)

    def entry(
        self,
        blob: bytes | None,
        device: bytes,
        key: bytes,
        kind: Kind = Kind.APPLICATION,
        place: int | None = None,
    ) -> frames.Entry:
        """Return the entry that comes next, at the next place unless said otherwise."""
        where = self.place + 1 if place is None else place
        return frames.Entry(
            where, kind, device, self.world.now, key, self.handshake, blob
        )

    def page(
        self,
        *entries: frames.Entry,
        request: int = 0,
        more: bool = False,
        head: frames.SignedHead | None = None,
    ) -> frames.Entries:
        """Return these entries as a page, and go on after them."""
        previous = self.hash
        for entry in entries:
            self.hash = next_hash(self.room, self.hash, entry)
            self.place = entry.place
            if entry.kind is Kind.HANDSHAKE:
                self.handshake = entry.place
        said = head or signed_head(self.world, self.room, self.place, self.hash)
        return frames.Entries(request, self.room, previous, entries, said, more)


# Rogue members


@dataclass
class Rogue:
    """A member with a program of its own making. Its real session stands still."""

    device: Device
    room: bytes

    def __post_init__(self) -> None:
        self.group = group_of(self.device, self.room)
        self.key = bytes(16)
        self.device.alive = False

    @property
    def world(self) -> World:
        return self.device.world

    def annotation(self, claim: Claim | None = None, **fields: Any) -> Annotation:
        """Return what is said with a message, true unless said otherwise."""
        state = room_of(self.device, self.room).state
        self.key = self.world.rng(16)
        said = Annotation(
            self.key,
            state.place,
            state.hash or first_hash(self.room),
            NoClaim() if claim is None else claim,
        )
        return replace(said, **fields)

    def text(
        self, content: Content | bytes, annotation: Annotation | None = None
    ) -> bytes:
        """Return a message that holds any content."""
        data = content if isinstance(content, bytes) else encode_content(content)
        said = annotation or self.annotation()
        framing = mls.Framing(authenticated_data=said.encode(), padding=padding_for)
        self.group, message = mls.protect(self.group, data, self.world.rng, framing)
        return mls.encode_message(message)

    def commit(
        self,
        *proposals: mls.Proposal,
        annotation: Annotation | None = None,
        **plan: Any,
    ) -> mls.Committed:
        """Return a commit that nobody's rules were asked about."""
        said = annotation or self.annotation()
        framing = mls.Framing(authenticated_data=said.encode(), padding=padding_for)
        return mls.commit(
            self.group,
            mls.CommitPlan(proposals=proposals, framing=framing, **plan),
            ANYTHING,
            self.world.rng,
        )

    # Through the real relay

    @property
    def handshake(self) -> int:
        """The latest handshake that the relay has."""
        state = run(self.world.engine.room(self.room))
        assert state is not None
        return state.handshake

    def append(self, blob: bytes, key: bytes | None = None) -> None:
        named = key or self.key
        self._post(frames.Append(9_001, self.room, named, self.handshake, blob))

    def say(self, content: Content | bytes, **annotation: Any) -> None:
        said = self.annotation(**annotation)
        self.append(self.text(content, said))

    def publish(self, blob: bytes, key: bytes | None = None) -> None:
        """Append a handshake, with a bundle that says nothing."""
        named = key or self.key
        self._post(
            frames.Commit(
                9_002, self.room, named, self.handshake, blob, frames.Bundle()
            )
        )

    def publish_commit(self, *proposals: mls.Proposal, **plan: Any) -> mls.Committed:
        committed = self.commit(*proposals, **plan)
        self.publish(mls.encode_message(committed.message))
        return committed

    def _post(self, frame: frames.FromClient) -> None:
        self.device.outbound.append(frame)
        self.world.settle()


def decode(data: bytes, kind: type[T]) -> T:
    """Read a stored row back."""
    return msgspec.msgpack.decode(data, type=kind)


# Somebody listens


class Scene:
    """Somebody who listens, somebody who says what it likes, and the log between."""

    def __init__(self, *others: str, speaker: int = 1) -> None:
        self.world = World()
        names = ("Ana", "Luis", *others)
        self.room, self.people = self.world.circle(*names)
        self.listener = self.people[1 - speaker] if speaker < 2 else self.people[0]
        self.rogue = Rogue(self.people[speaker], self.room)
        self.log = Log.after(self.listener, self.room)

    def hear(
        self, blob: bytes | None, kind: Kind = Kind.APPLICATION, **fields: Any
    ) -> Sequence[Effect]:
        """Let the listener get an entry of the rogue's device."""
        device = fields.pop("device", self.rogue.device.device)
        key = fields.pop("key", self.rogue.key)
        entry = self.log.entry(blob, device, key, kind)
        return answer(self.listener, self.log.page(changed(entry, **fields)))

    def hear_commit(self, committed: mls.Committed, **fields: Any) -> Sequence[Effect]:
        blob = mls.encode_message(committed.message)
        return self.hear(blob, Kind.HANDSHAKE, **fields)

    @property
    def kept(self) -> Room:
        return room_of(self.listener, self.room)

    @property
    def epoch(self) -> int:
        return group_of(self.listener, self.room).context.epoch

    def last(self) -> Any:
        return self.listener.lines(self.room)[-1]


def warnings(effects: Sequence[Effect]) -> list[tuple[str, str]]:
    return [(each.code, each.person) for each in emitted(effects, Warned)]


def evidence(effects: Sequence[Effect]) -> list[str]:
    return [each.row.code for each in saved(effects, PutEvidence)]


def out_of_step() -> tuple[Scene, Sequence[Effect]]:
    """Return a commit that fits all others, and not the one who listens."""
    scene = Scene("Eva")
    lose_path_keys(scene.listener, scene.room)
    committed = scene.rogue.commit()
    effects = scene.hear_commit(committed)
    scene.rogue.group = committed.after
    return scene, effects


def removal(scene: Scene) -> mls.Committed:
    policy = scene.kept.policy
    assert policy is not None
    new = replace(policy, secret=Secret(b"n" * 32), invites=())
    return scene.rogue.commit(
        mls.Remove(group_of(scene.listener, scene.room).leaf_index),
        mls.GroupContextExtensions((new.extension(),)),
    )


def follows_a_link(speaker: int = 1) -> Scene:
    """Let the listener, told that it is out, read on while it enters by a link."""
    scene = Scene("Eva", speaker=speaker)
    told = scene.kept.with_state(
        status=RoomStatus.JOINING,
        former=RoomStatus.REMOVED,
        doubt=scene.kept.state.place,
        link=next(iter(room_of(scene.people[0], scene.room).links.values())),
    )
    alter(scene.listener, told.with_live(entered=True))
    waiting = {scene.room: 77}
    scene.listener.session = replace(scene.listener.session, entering=waiting)
    return scene
