"""People who append as fast as they can, and remember what they were promised.

A promise is an acknowledgement: this entry, under this key, has this place. Whoever was
not answered sends the same again, under the same key, at the next connection.
"""

import asyncio
import contextlib
import random
import sys
from collections import deque
from dataclasses import dataclass, field
from typing import Any

from websockets.exceptions import WebSocketException

from tertulia.crypto import ED25519, Secret
from tertulia.wire import frames
from tests.wire_client import Client, Invite, Person, RefusedError, Server, sign_in

UNDER_WAY = 48
AGAIN = 20  # promises asked for anew at each connection

GONE = (OSError, EOFError, WebSocketException, TimeoutError, RefusedError)


@dataclass
class Writer:
    """One device that writes into one room."""

    room: bytes
    chance: random.Random
    person: Person = field(default_factory=Person)
    pending: dict[bytes, bytes] = field(default_factory=dict)
    promised: dict[bytes, int] = field(default_factory=dict)
    head: frames.SignedHead | None = None
    broken: list[str] = field(default_factory=list)
    refused: dict[str, int] = field(default_factory=dict)
    number: int = 0

    async def write(self, server: Server, count: int | None = None) -> None:
        """Connect and append until the relay is gone, or `count` entries are in."""
        with contextlib.suppress(*GONE):
            try:
                async with sign_in(server, self.person) as client:
                    await self._resend(client)
                    await self._append(client, count)
            except RefusedError as refusal:  # signing in has to be stored, too
                self._note(refusal.code)

    def _note(self, code: str) -> None:
        self.refused[code] = self.refused.get(code, 0) + 1

    async def _resend(self, client: Client) -> None:
        """Send again what was not answered, and some of what was."""
        old = self.chance.sample(sorted(self.promised), min(AGAIN, len(self.promised)))
        again = dict.fromkeys(old, b"encrypted anew") | self.pending
        sent = {key: client.append(self.room, again[key], key) for key in again}
        for key, answer in sent.items():
            await self._settle(key, answer)

    async def _append(self, client: Client, count: int | None) -> None:
        """Keep a few entries on the way at all times."""
        under_way: deque[tuple[bytes, asyncio.Future[Any]]] = deque()
        left = sys.maxsize if count is None else count
        while left or under_way:
            while left and len(under_way) < UNDER_WAY:
                left -= 1
                under_way.append(self._send(client))
            await self._settle(*under_way.popleft())

    def _send(self, client: Client) -> "tuple[bytes, asyncio.Future[Any]]":
        self.number += 1
        key = self.person.rng(16)
        self.pending[key] = self.number.to_bytes(8) + bytes(self.chance.randrange(400))
        return key, client.append(self.room, self.pending[key], key)

    async def _settle(self, key: bytes, answer: "asyncio.Future[Any]") -> None:
        match await answer:
            case frames.Accepted(_, place, _, head):
                before = self.promised.setdefault(key, place)
                self.pending.pop(key, None)
                if before != place:
                    self.broken.append(f"a resend moved from {before} to {place}")
                if self.head is None or head.place >= self.head.place:
                    self.head = head
            case frames.Refused(_, code):
                self._note(code)
            case other:
                self.broken.append(f"an unexpected answer: {other}")


def check(writers: list[Writer], entries: list[frames.Entry]) -> list[str]:
    """Return every promise of the relay that a room's entries break."""
    broken = [fault for writer in writers for fault in writer.broken]
    places = [entry.place for entry in entries]
    if places != sorted(set(places)):
        broken.append("places do not rise strictly")
    stored = {(entry.device, entry.key): entry.place for entry in entries}
    if len(stored) != len(entries):
        broken.append("an entry is there twice")
    for writer in writers:
        for key, place in writer.promised.items():
            if stored.get((writer.person.device, key)) != place:
                broken.append(f"the entry promised place {place} is not there")
    return broken


async def gather_room(
    server: Server, invite: Invite, size: int, chance: random.Random
) -> list[Writer]:
    """Make a room with `size` devices in it."""
    founder = Writer(b"", chance)
    async with sign_in(server, founder.person, invite) as client:
        founder.room = await client.create_room()
        others = [Writer(founder.room, chance) for _ in range(size - 1)]
        for other in others:
            ticket = await new_invite(client)
            async with sign_in(server, other.person, ticket):
                pass
        await client.route(founder.room, *(other.person.device for other in others))
    return [founder, *others]


async def new_invite(client: Client) -> Invite:
    """Let the owner make an invite to the relay."""
    invite = Invite(client.person.rng(16), client.person.rng(32))
    public = public_key_of(invite)
    await client.ask(frames.CreateServerInvite(1, invite.invite, public))
    return invite


def public_key_of(invite: Invite) -> bytes:
    """The key by which the relay knows an invite."""
    return ED25519.public_key(Secret(invite.secret))


async def read_alike(
    server: Server, writers: list[Writer]
) -> tuple[list[frames.Entry], bytes]:
    """Return the room as all writers read it; they must read the same."""
    views = []
    for writer in writers:
        async with sign_in(server, writer.person) as client:
            views.append(await client.read_room(writer.room))
    assert all(view == views[0] for view in views), "two readers see different rooms"
    return views[0]
