"""Our own relay: WebSocket, MessagePack frames, SQLite, synced before anybody hears.

Frames are sent under the mask 0, so that they need not be masked: the relay unmasks
them all the same.
"""

import time
from collections.abc import Iterator, Sequence
from itertools import count
from pathlib import Path
from typing import Any, Final, TypeVar

from bench.relay.load import Link, Manners, Seat, Template, has_tls
from bench.relay.server import Server
from bench.relay.systems.system import Shape
from tertulia.wire import (
    SUBPROTOCOL,
    WEBSOCKET_PATH,
    decode_from_relay,
    encode,
    first_hash,
    frames,
    next_hash,
)
from tests.running_relay import launch
from tests.wire_client import Person, authenticate

A = TypeVar("A", bound=frames.Answer)

FAST: Final = (
    "--accounts=open",
    "--rate=connections=1000000/1000000",
    "--rate=frames=1000000/60000000",
    "--rate=new-accounts=1000000/1000000",
    "--rate=new-rooms=1000000/1000000",
    "--log-level=warning",
)
_BINARY: Final = 0x82
_PONG: Final = bytes((0x8A, 0x80)) + bytes(4)  # unasked, which RFC 6455 5.5.3 allows
_KEY: Final = b"\xfe" * 16  # likewise, its last half
_REQUEST: Final = 2**32 - 1  # takes the most bytes; overwritten


def as_message(data: bytes) -> bytes:
    """Return a binary WebSocket message of a client."""
    size = len(data)
    if size < 126:
        head = bytes((_BINARY, 0x80 | size))
    elif size < 2**16:
        head = bytes((_BINARY, 0x80 | 126)) + size.to_bytes(2)
    else:
        head = bytes((_BINARY, 0x80 | 127)) + size.to_bytes(8)
    return head + bytes(4) + data


def messages_in(stream: bytes) -> Iterator[bytes]:
    """Yield the messages in what a relay sent, but not one that is cut off."""
    at = 0
    while at + 10 <= len(stream):
        size, head = stream[at + 1], 2
        if size >= 126:
            head = 4 if size == 126 else 10
            size = int.from_bytes(stream[at + 2 : at + head])
        if at + head + size > len(stream):
            return
        if stream[at] == _BINARY:
            yield stream[at + head : at + head + size]
        at += head + size


class Line:
    """A link to the relay, in frames."""

    def __init__(self, server: Server) -> None:
        self.link = Link(server.port, tls=server.tls)
        self._requests = count(1)
        self.link.send(
            f"GET {WEBSOCKET_PATH} HTTP/1.1\r\nHost: localhost:{server.port}\r\n"
            "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
            "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n"
            f"Sec-WebSocket-Protocol: {SUBPROTOCOL}\r\n\r\n".encode()
        )
        answer = self.link.read_until(b"\r\n\r\n")
        if not answer.startswith(b"HTTP/1.1 101 "):
            raise ConnectionError(answer.decode())

    def say(self, frame: frames.Frame) -> None:
        """Send a frame."""
        self.link.send(as_message(encode(frame)))

    def hear(self) -> Any:
        """Return the next frame."""
        kind, size = self.link.read(2)
        if size >= 126:
            size = int.from_bytes(self.link.read(2 if size == 126 else 8))
        data = self.link.read(size)
        return decode_from_relay(data) if kind == _BINARY else self.hear()

    def ask(self, frame: frames.Frame, expected: type[A]) -> A:
        """Send a request and return its answer; raise ConnectionError if refused."""
        self.say(frame)
        answer = self.hear()
        if not isinstance(answer, expected):
            raise ConnectionError(str(answer))
        return answer


class Tertulia:
    """The relay, with TLS 1.3 or without."""

    durability = "synced"
    manners = Manners(alive=_PONG)

    def __init__(self, *, tls: bool) -> None:
        self.name = "tertulia TLS" if tls else "tertulia"
        self._tls = tls

    def lacks(self) -> str | None:
        """TLS needs OpenSSL's headers."""
        return "OpenSSL's headers" if self._tls and not has_tls() else None

    def start(self, folder: Path) -> Server:
        """Start `tertulia serve`."""
        transport = () if self._tls else ("--http",)
        with (folder / "log").open("w") as log:
            begun = time.monotonic()
            process = launch(folder / "relay", *FAST, *transport, log=log)
        took = time.monotonic() - begun
        port = process.server.port
        return Server(process.popen, port, tls=self._tls, ready_after=took)

    def enter(self, server: Server, numbers: range) -> list[Link]:
        """Make accounts and be authenticated."""
        return [self.sign_in(server)[0].link for _ in numbers]

    def sign_in(self, server: Server) -> tuple[Line, Person]:
        """Connect as somebody new."""
        line, person = Line(server), Person()
        nonce = person.rng(32)
        line.say(frames.Hello((1,), nonce))
        challenge = line.hear()
        line.say(authenticate(person, challenge, nonce))
        answer = line.hear()
        if not isinstance(answer, frames.Authenticated):
            raise ConnectionError(str(answer))
        return line, person

    def gather(self, server: Server, shape: Shape) -> Sequence[Seat]:
        """The first of a room makes it and routes the others; all follow it."""
        seats: list[Seat] = []
        for number in range(shape.rooms):
            people = [self.sign_in(server) for _ in range(shape.members)]
            seats += self.join(people, shape, number)
        return seats

    def join(
        self, people: Sequence[tuple[Line, Person]], shape: Shape, number: int
    ) -> Iterator[Seat]:
        """Make one room of people."""
        founder, person = people[0]
        room = person.rng(16)
        founder.ask(frames.CreateRoom(1, room), frames.Done)
        route = tuple(other.device for _, other in people[1:])
        if route:
            bundle = frames.Bundle(route=route)
            founder.ask(frames.Repair(2, room, 0, bundle), frames.Done)
        for place, (line, _) in enumerate(people):
            line.ask(frames.FollowRoom(3, room, 0), frames.Followed)
            writes = place < shape.writers
            template = append_of(room, shape.payload) if writes else None
            yield Seat(line.link, number, template)

    def examine(self, stream: bytes) -> list[str]:
        """Places rise by one, and each entry follows from the one before it."""
        faults: list[str] = []
        place, running = 0, b""
        for message in messages_in(stream):
            page = decode_from_relay(message)
            if not isinstance(page, frames.Entries):
                continue
            if page.previous != (running or first_hash(page.room)):
                faults.append(f"the page after {place} does not follow")
            running = page.previous
            for entry in page.entries:
                if entry.place != place + 1:
                    faults.append(f"{entry.place} comes after {place}")
                place = entry.place
                running = next_hash(page.room, running, entry)
            if page.head.place == place and page.head.hash != running:
                faults.append(f"the head at {place} is not what we got")
        return faults


def append_of(room: bytes, payload: int) -> Template:
    """Return the frame that appends a payload to a room."""
    frame = encode(frames.Append(_REQUEST, room, _KEY, 0, bytes(payload)))
    message = as_message(frame)
    before = message[:-payload]
    request = before.index(_REQUEST.to_bytes(4))
    key = before.index(_KEY) + len(_KEY) // 2
    return Template(before, numbers=((request, 4), (key, 8)))
