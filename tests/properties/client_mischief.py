"""What a member with a modified client puts into a room's log, or tells the relay.

Each kind of mischief returns a frame that an honest client would never send. It goes
out on the connection of the member's own session, which knows nothing of it.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from random import Random
from typing import Final, TypeAlias
from unittest.mock import patch

from msgspec.structs import replace as changed_frame

from tertulia import mls
from tertulia.client import CreateInvite, RoomStatus
from tertulia.client.annotation import Annotation
from tertulia.client.handshake_blob import seal_commit
from tertulia.client.identity import member_of
from tertulia.client.judgement import RULES
from tertulia.client.room import Room
from tertulia.crypto import Rng, Secret
from tertulia.mls import committing, sending
from tertulia.mls.framing import AuthenticatedContent
from tertulia.mls.private_message import Padding
from tertulia.wire import Kind, first_hash, frames
from tests.properties.client_simulation import WatchedDevice, WatchedWorld

NUMBER = 2**31  # of requests that no session makes
MOVES = 40


class Mischief:
    """A member with ideas, and the room it has them in."""

    def __init__(self, device: WatchedDevice, room: Room, random: Random) -> None:
        self.world: WatchedWorld = device.world
        self.device = device
        self.room = room
        self.random = random

    def noise(self) -> bytes:
        return self.random.randbytes(self.random.choice((0, 1, 40, 700)))

    def commit(self, blob: bytes, bundle: frames.Bundle | None = None) -> frames.Commit:
        """Return a handshake at the place where one is taken."""
        log = self.world.log(self.room.id)
        latest = [entry.place for entry in log if entry.kind is Kind.HANDSHAKE]
        return frames.Commit(
            NUMBER,
            self.room.id,
            self.random.randbytes(16),
            max(latest, default=0),
            blob,
            frames.Bundle() if bundle is None else bundle,
        )

    def append(self, blob: bytes) -> frames.Append:
        commit = self.commit(blob)
        return frames.Append(
            NUMBER, commit.room, commit.key, commit.handshake, commit.blob
        )

    def earlier(self, kind: Kind) -> bytes:
        blobs = [
            entry.blob
            for entry in self.world.log(self.room.id)
            if entry.kind is kind and entry.blob
        ]
        return self.random.choice(blobs) if blobs else b""

    def honest_members(self) -> list[WatchedDevice]:
        return [
            device
            for device in self.world.people
            if not device.modified and device.status(self.room.id) is RoomStatus.MEMBER
        ]

    def deceivable(self) -> set[bytes]:
        """Return who can be told that it is out, with somebody left who can tell.

        Where all are deceived nobody speaks, and so nobody finds out.
        """
        honest = {device.device for device in self.honest_members()}
        deceived = self.world.deceived.setdefault(self.room.id, {}).keys()
        return honest if len(honest - deceived) > 1 else honest & deceived

    def await_commit(self, other: WatchedDevice) -> frames.Commit | None:
        """Let somebody change the room; return the commit before it arrives."""
        other.ask(CreateInvite(self.room.id))
        for _ in range(MOVES):
            if other.outbound and isinstance(other.outbound[0], frames.Commit):
                return other.outbound[0]
            if not (other.take() or self.world.deliver(other)):
                return None
        return None

    def false_advice(self) -> frames.GroupAdvice | None:
        """Return advice whose keys open nothing."""
        advice = self.world.engine._rooms[self.room.id].group
        if advice is None:
            return None
        wraps = tuple(
            changed_frame(wrap, wrapped=self.random.randbytes(80))
            for wrap in advice.wraps
        )
        return changed_frame(advice, member_wrap=self.random.randbytes(80), wraps=wraps)


_Frame: TypeAlias = frames.FromClient | None


def _noise(mischief: Mischief) -> _Frame:
    return mischief.commit(mischief.noise())


def _sealed_noise(mischief: Mischief) -> _Frame:
    return mischief.commit(b"\x01" + mischief.noise())


def _well_sealed_noise(mischief: Mischief) -> _Frame:
    policy = mischief.room.policy
    if policy is None:
        return None
    room, rng = mischief.room.id, mischief.random.randbytes
    return mischief.commit(seal_commit(policy.secret, room, mischief.noise(), rng))


def _replayed_commit(mischief: Mischief) -> _Frame:
    return mischief.commit(mischief.earlier(Kind.HANDSHAKE))


def _overtaking_copy(mischief: Mischief) -> _Frame:
    """Send as one's own what somebody else is about to send."""
    for other in mischief.world.people:
        if other.is_open and other is not mischief.device:
            frame = mischief.await_commit(other)
            if frame is not None:
                return mischief.commit(frame.blob)
    return None


def _overreach(mischief: Mischief) -> _Frame:
    """Remove somebody without the right to: no rule of MLS forbids it."""
    try:
        _removal(mischief, RULES)
    except mls.InvalidError:
        return _removal(mischief, mls.AcceptEverything())
    return None


def _half_removal(mischief: Mischief) -> _Frame:
    """Remove somebody by a commit that all others find broken, but not who is removed.

    Its signature and proposals are right; only the confirmation tag is not. Whom it
    names must hear somebody honest to know better.
    """
    victims = sorted(mischief.deceivable())
    if not victims:
        return None
    victim = mischief.random.choice(victims)
    length = len(mischief.world.log(mischief.room.id))
    mischief.world.deceived[mischief.room.id][victim] = length
    honest = sending.frame

    def frame(
        group: mls.Group, signed: AuthenticatedContent, padding: Padding, rng: Rng
    ) -> tuple[mls.Group, mls.PublicMessage | mls.PrivateMessage]:
        auth = replace(signed.auth, confirmation_tag=bytes(32))
        return honest(group, replace(signed, auth=auth), padding, rng)

    with patch.object(committing, "frame", frame):
        return _removal(mischief, mls.AcceptEverything(), victim)


def _removal(
    mischief: Mischief, policy: mls.Policy, victim: bytes | None = None
) -> _Frame:
    group = mischief.room.group
    if group is None or mischief.room.policy is None:
        return None
    others = [
        leaf
        for leaf, node in group.tree.members()
        if leaf != group.leaf_index and victim in {None, member_of(node).device}
    ]
    if not others:
        return None
    rng = mischief.random.randbytes
    state, key = mischief.room.state, rng(16)
    annotation = Annotation(
        key, state.place, state.hash or first_hash(mischief.room.id)
    )
    changed = replace(mischief.room.policy, secret=Secret(rng(32)), invites=())
    extensions = mls.GroupContextExtensions((changed.extension(),))
    plan = mls.CommitPlan(
        proposals=(mls.Remove(mischief.random.choice(others)), extensions),
        framing=mls.Framing(authenticated_data=annotation.encode()),
    )
    made = mls.commit(group, plan, policy, rng)
    commit = mischief.commit(mls.encode_message(made.message))
    return changed_frame(commit, key=key)


def _void_text(mischief: Mischief) -> _Frame:
    return mischief.append(mischief.noise())


def _replayed_text(mischief: Mischief) -> _Frame:
    return mischief.append(mischief.earlier(Kind.APPLICATION))


def _misled_relay(mischief: Mischief) -> _Frame:
    advice = mischief.false_advice()
    return mischief.commit(mischief.noise(), frames.Bundle(group=advice))


def _false_repair(mischief: Mischief) -> _Frame:
    latest, advice = mischief.commit(b"").handshake, mischief.false_advice()
    bundle = frames.Bundle(group=advice)
    return frames.Repair(NUMBER, mischief.room.id, latest, bundle)


MISCHIEF: Final[Mapping[str, Callable[[Mischief], _Frame]]] = {
    "noise": _noise,
    "sealed noise": _sealed_noise,
    "well sealed noise": _well_sealed_noise,
    "replayed commit": _replayed_commit,
    "overtaking copy": _overtaking_copy,
    "overreach": _overreach,
    "half removal": _half_removal,
    "void text": _void_text,
    "replayed text": _replayed_text,
    "misled relay": _misled_relay,
    "false repair": _false_repair,
}
