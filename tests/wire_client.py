"""A small client of the protocol, for tests: real sockets, no cryptography of rooms.

It is not the product's client. It knows how to prove who it is, to ask and to get the
one answer, and it collects what comes unasked. What it appends are plain bytes.
"""

import asyncio
import base64
import contextlib
import ssl
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from hashlib import sha256
from types import TracebackType
from typing import Any, Self, TypeVar

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from msgspec.structs import replace
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed
from websockets.typing import Origin, Subprotocol

from tertulia.crypto import ED25519, KeyPair, Rng, Secret, system_rng
from tertulia.wire import (
    SUBPROTOCOL,
    WEBSOCKET_PATH,
    DeviceBinding,
    DeviceCredential,
    DeviceProof,
    InviteClaim,
    RelayProof,
    decode_from_relay,
    encode,
    first_hash,
    frames,
    next_hash,
)

PATIENCE = 20.0

A = TypeVar("A")


class RefusedError(Exception):
    """The relay said no; `code` says why."""

    def __init__(self, answer: frames.Refused | frames.Goodbye) -> None:
        super().__init__(answer)
        self.code = answer.code
        self.facts = answer.facts


@dataclass
class Person:
    """An account with one device."""

    rng: Rng = system_rng
    account: KeyPair = field(init=False)
    device_keys: KeyPair = field(init=False)
    device: bytes = field(init=False)
    counter: int = 0

    def __post_init__(self) -> None:
        self.account = ED25519.generate(self.rng)
        self.device_keys = ED25519.generate(self.rng)
        self.device = self.rng(16)

    def credential(self) -> bytes:
        binding = DeviceBinding(
            self.account.public, self.device, 1, self.device_keys.public
        )
        return DeviceCredential(
            1, self.account.public, self.device, 1, binding.sign(self.account.private)
        ).encode()


@dataclass(frozen=True)
class Invite:
    """The secret of a server invite."""

    invite: bytes
    secret: bytes


@dataclass(frozen=True)
class Server:
    """Where a relay is."""

    port: int
    tls: bool = True
    host: str = "127.0.0.1"

    @property
    def url(self) -> str:
        scheme = "wss" if self.tls else "ws"
        return f"{scheme}://{self.host}:{self.port}{WEBSOCKET_PATH}"

    def context(self) -> ssl.SSLContext | None:
        return unverified_context() if self.tls else None


def unverified_context() -> ssl.SSLContext:
    """The relay's identity is checked in its hello, not by an authority."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


class Client:
    """One connection of one person."""

    def __init__(self, socket: ClientConnection, person: Person) -> None:
        self.socket = socket
        self.person = person
        self.pushed: list[Any] = []
        self.goodbye: frames.Goodbye | None = None
        self.authenticated: frames.Authenticated
        self._request = 0
        self._waiting: dict[int, asyncio.Future[Any]] = {}
        self._arrived = asyncio.Event()
        self._reader: asyncio.Task[None]

    async def __aenter__(self) -> Self:
        self._reader = asyncio.create_task(self._read())
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.close()

    async def close(self) -> None:
        await self.socket.close()
        await self._reader

    def abort(self) -> None:
        self.socket.transport.abort()

    # Asking

    def send(self, frame: Any) -> asyncio.Future[Any]:
        """Send a request without waiting; the future gets the answer."""
        self._request += 1
        numbered = replace(frame, request=self._request)
        future: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self._waiting[self._request] = future
        # The library's own send would wait; requests go out in order, at once.
        self.socket.protocol.send_binary(encode(numbered))
        self.socket.send_data()
        return future

    async def ask(self, frame: Any) -> Any:
        """Send a request and return its answer; raise RefusedError."""
        async with asyncio.timeout(PATIENCE):
            answer = await self.send(frame)
        if isinstance(answer, frames.Refused):
            raise RefusedError(answer)
        return answer

    async def wait_for_pushed(self, kind: type[A], count: int = 1) -> list[A]:
        """Return what came unasked, once there are enough of a kind."""
        async with asyncio.timeout(PATIENCE):
            while True:
                found = [frame for frame in self.pushed if isinstance(frame, kind)]
                if len(found) >= count:
                    return found
                self._arrived.clear()
                await self._arrived.wait()

    async def wait_for_end(self) -> frames.Goodbye | None:
        """Wait until the relay has hung up; return its last words."""
        async with asyncio.timeout(PATIENCE):
            await asyncio.shield(self._reader)
        return self.goodbye

    # Rooms

    async def create_room(self) -> bytes:
        room = self.person.rng(16)
        await self.ask(frames.CreateRoom(1, room))
        return room

    def append(
        self, room: bytes, blob: bytes, key: bytes | None = None, handshake: int = 0
    ) -> asyncio.Future[Any]:
        frame = frames.Append(1, room, key or self.person.rng(16), handshake, blob)
        return self.send(frame)

    async def route(self, room: bytes, *devices: bytes, handshake: int = 0) -> None:
        """Let devices read a room, as a commit's bundle would."""
        await self.ask(frames.Repair(1, room, handshake, frames.Bundle(route=devices)))

    async def read_room(self, room: bytes) -> tuple[list[frames.Entry], bytes]:
        """Return all entries of a room, checked to be one chain, and the last hash."""
        entries: list[frames.Entry] = []
        running = first_hash(room)
        while True:
            after = entries[-1].place if entries else 0
            page = await self.ask(frames.FetchEntries(1, room, after))
            for entry in page.entries:
                running = next_hash(room, running, entry)
                entries.append(entry)
            if not page.more:
                assert page.head.hash == running or not page.entries
                return entries, running

    # Arriving

    async def _read(self) -> None:
        with contextlib.suppress(ConnectionClosed):
            async for message in self.socket:
                assert isinstance(message, bytes)
                self._take(decode_from_relay(message))
        for future in self._waiting.values():
            if not future.done():
                # Nobody may be waiting, which is no reason to complain.
                future.add_done_callback(_look_at)
                future.set_exception(ConnectionError("the relay hung up"))
        self._arrived.set()

    def _take(self, frame: Any) -> None:
        number = getattr(frame, "request", 0)
        future = self._waiting.get(number)
        if isinstance(frame, frames.Goodbye):
            self.goodbye = frame
        if number and future is not None and not future.done():
            if not isinstance(frame, frames.Queued):
                del self._waiting[number]
            future.set_result(frame)
        else:
            self.pushed.append(frame)
        self._arrived.set()


def _look_at(future: "asyncio.Future[Any]") -> None:
    future.exception()


@contextlib.asynccontextmanager
async def open_socket(
    server: Server, *, origin: str | None = None, host: str | None = None
) -> AsyncIterator[ClientConnection]:
    """Connect a WebSocket and say nothing."""
    headers = {"Host": host} if host else None
    async with connect(
        server.url,
        ssl=server.context(),
        subprotocols=[Subprotocol(SUBPROTOCOL)],
        origin=Origin(origin) if origin else None,
        additional_headers=headers,
        compression=None,
        max_size=2**21,
        max_queue=None,
        open_timeout=PATIENCE,
        close_timeout=PATIENCE,
        ping_interval=None,
        proxy=None,
    ) as socket:
        yield socket


async def hello(socket: ClientConnection, rng: Rng) -> tuple[bytes, frames.Challenge]:
    """Greet the relay; return our nonce and its challenge, whose proof is checked."""
    nonce = rng(32)
    await socket.send(encode(frames.Hello((1,), nonce)))
    challenge = await answer_of(socket)
    assert isinstance(challenge, frames.Challenge)
    proof = RelayProof(
        (1,),
        challenge.version,
        nonce,
        challenge.nonce,
        challenge.certificate,
        challenge.incarnation,
    )
    proof.verify(challenge.identity, challenge.signature)
    if challenge.certificate:
        assert challenge.certificate == seen_certificate(socket)
    return nonce, challenge


async def answer_of(socket: ClientConnection) -> Any:
    async with asyncio.timeout(PATIENCE):
        message = await socket.recv()
    assert isinstance(message, bytes)
    return decode_from_relay(message)


def seen_certificate(socket: ClientConnection) -> bytes:
    """The hash of the certificate's key, as this end of the connection saw it."""
    tls = socket.transport.get_extra_info("ssl_object")
    if tls is None:
        return b""
    certificate = x509.load_der_x509_certificate(tls.getpeercert(binary_form=True))
    info = certificate.public_key().public_bytes(
        Encoding.DER, PublicFormat.SubjectPublicKeyInfo
    )
    return sha256(info).digest()


def authenticate(
    person: Person,
    challenge: frames.Challenge,
    nonce: bytes,
    invite: Invite | None = None,
) -> frames.Authenticate:
    """The answer to a challenge."""
    person.counter += 1
    proof = DeviceProof(
        challenge.version,
        challenge.identity,
        challenge.certificate,
        nonce,
        challenge.nonce,
        person.device,
        person.counter,
    )
    claim = None
    if invite is not None:
        signed = InviteClaim(
            challenge.identity,
            nonce,
            challenge.nonce,
            b"",
            invite.invite,
            person.device,
        ).sign(Secret(invite.secret))
        claim = frames.InviteProof(invite.invite, signed)
    return frames.Authenticate(
        person.credential(),
        person.device_keys.public,
        person.counter,
        challenge.certificate,
        proof.sign(person.device_keys.private),
        claim,
    )


@contextlib.asynccontextmanager
async def sign_in(
    server: Server, person: Person, invite: Invite | None = None
) -> AsyncIterator[Client]:
    """Connect and prove who we are; raise RefusedError."""
    async with open_socket(server) as socket:
        nonce, challenge = await hello(socket, person.rng)
        await socket.send(encode(authenticate(person, challenge, nonce, invite)))
        answer = await answer_of(socket)
        if isinstance(answer, frames.Goodbye):
            raise RefusedError(answer)
        assert isinstance(answer, frames.Authenticated)
        async with Client(socket, person) as client:
            client.authenticated = answer
            yield client


def bearer(ticket: bytes) -> str:
    """The Authorization header of a blob's ticket."""
    return f"Bearer {base64.urlsafe_b64encode(ticket).rstrip(b'=').decode()}"
