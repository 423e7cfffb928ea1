"""A storm of joiners: many ask for admission through one invite, and never join."""

import asyncio
from dataclasses import dataclass
from hashlib import sha256

from tertulia.crypto import ED25519, Secret
from tertulia.wire import BLOBS_PATH, InviteClaim, frames
from tests.chaos.abuse.line import Line
from tests.chaos.abuse.stage import Stage, come_back
from tests.raw_http import request
from tests.wire_client import Invite, Person, Server, bearer

ASK_AGAIN = 0.02  # seconds, for those who cannot wait
WRAP = bytes(16)


@dataclass(frozen=True)
class Door:
    """A room and the invite that opens it."""

    room: bytes
    invite: Invite


async def storm(stage: Stage) -> None:
    """Let everybody queue for one room; every other one asks all the time."""
    people: dict[int, Person] = {}
    host = await come_back(stage, people, stage.size)
    door = await _open_door(stage, host)

    async def misbehave(index: int) -> None:
        line = await come_back(stage, people, index)
        try:
            stage.begun()
            line.hear = lambda _message: stage.tally.update(("answers",))
            while not line.is_lost:
                line.put(_admission(line, people[index], door))
                stage.tally["asked"] += 1
                pause = ASK_AGAIN if index % 2 else 2 + stage.chance.random()
                await asyncio.wait((line.ended,), timeout=pause)
            raise ConnectionError
        finally:
            line.abort()

    await stage.each(misbehave, swing=stage.size)


def _admission(line: Line, person: Person, door: Door) -> frames.RequestAdmission:
    claim = InviteClaim(
        line.challenge.identity,
        line.nonce,
        line.challenge.nonce,
        door.room,
        door.invite.invite,
        person.device,
    )
    signature = claim.sign(Secret(door.invite.secret))
    return frames.RequestAdmission(
        line.number(), door.room, door.invite.invite, signature
    )


async def _open_door(stage: Stage, host: Line) -> Door:
    """Make a room that can be entered, as a commit's bundle would."""
    room = stage.chance.randbytes(16)
    invite = Invite(stage.chance.randbytes(16), stage.chance.randbytes(32))
    await host.ask(frames.CreateRoom(host.number(), room))
    tree = await _store(stage, host, room, b"a sealed tree")
    listed = frames.Invite(
        invite.invite, ED25519.public_key(Secret(invite.secret)), WRAP
    )
    wraps = (frames.Wrap(WRAP, bytes(60)),)
    advice = frames.GroupAdvice(
        bytes(16), b"a sealed group", bytes(60), tree, None, wraps, (listed,)
    )
    bundle = frames.Bundle(group=advice)
    await host.ask(frames.Repair(host.number(), room, 0, bundle))
    return Door(room, invite)


async def _store(
    stage: Stage, host: Line, room: bytes, data: bytes
) -> frames.BlobReference:
    digest = sha256(data).digest()
    begin = frames.BeginUpload(host.number(), room, len(data), digest)
    upload = await host.ask(begin)
    await request(
        Server(stage.target.port, tls=stage.target.tls),
        f"{BLOBS_PATH}/{upload.blob.hex()}",
        method="PUT",
        body=data,
        Authorization=bearer(upload.ticket),
        Upload_Offset="0",
    )
    return frames.BlobReference(upload.blob, len(data), digest)
