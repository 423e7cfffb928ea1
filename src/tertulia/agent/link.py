"""The link: frames to and from one relay, over a WebSocket.

The addresses are tried in order, the next one as soon as the one before failed or makes
us wait; the first that answers is the link. Pings notice a network that died silently.
What the relay sends waits in the network while nobody reads it. What we send waits in a
bounded queue: a relay that takes nothing for that long loses the link, and the session
sends again what was not acknowledged.
"""

import asyncio
import contextlib
import logging
import socket
import ssl
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from typing import Final

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import (
    ConnectionClosed,
    WebSocketException,
)
from websockets.frames import CloseCode
from websockets.typing import Subprotocol

from tertulia.agent.address import Address
from tertulia.agent.errors import BadCertificateError, LinkFailedError
from tertulia.crypto import CryptoError, certified_key_hash
from tertulia.errors import PeerError
from tertulia.wire import (
    SUBPROTOCOL,
    UnknownFrameError,
    decode_from_relay,
    encode,
    frames,
    limits,
)

SEND_QUEUE: Final = 4 * limits.FRAME  # bytes

# What the library would tell a terminal, a face tells in its own words.
LOGGER: Final = logging.getLogger("tertulia.agent.link")
LOGGER.addHandler(logging.NullHandler())


@dataclass(frozen=True, slots=True)
class Patience:
    """How long a link waits, in seconds."""

    opening: float = 10
    before_next: float = 1.5  # a first address that is silent delays no longer
    between_pings: float = 20
    answer_to_ping: float = 15
    closing: float = 2


class Link:
    """An open link."""

    def __init__(self, address: Address, websocket: ClientConnection) -> None:
        self.address = address
        if websocket.subprotocol != SUBPROTOCOL:
            raise LinkFailedError(address.base, "not_a_relay")
        self.certificate = _certificate_of(websocket)
        self._websocket = websocket
        self._queue: asyncio.Queue[bytes] = asyncio.Queue()  # bounded by its bytes
        self._queued = 0
        self._overflowed = False

    def put(self, frame: frames.FromClient) -> None:
        """Send a frame after those before it; a full queue ends the link."""
        data = encode(frame)
        self._queued += len(data)
        if self._queued > SEND_QUEUE:
            self._overflowed = True
            self._websocket.transport.abort()
            return
        self._queue.put_nowait(data)

    async def write(self) -> None:
        """Send what is put, until the link ends."""
        with contextlib.suppress(ConnectionClosed):
            while True:
                data = await self._queue.get()
                await self._websocket.send(data)
                self._queued -= len(data)

    async def receive(self) -> frames.FromRelay:
        """Return the next frame of the relay; raise LinkFailedError at the end."""
        try:
            while True:
                message = await self._websocket.recv()
                if not isinstance(message, bytes):
                    raise await self._refuse("not a binary message")
                # A kind unknown is of a newer relay, which knows what we speak.
                with contextlib.suppress(UnknownFrameError):
                    return decode_from_relay(message)
        except ConnectionClosed as error:
            raise self._failed(self._reason(error)) from None
        except PeerError as error:
            raise await self._refuse(str(error)) from None

    async def close(self) -> None:
        """Say goodbye, if the other side listens."""
        try:
            await self._websocket.close()
        finally:
            self._websocket.transport.abort()

    async def _refuse(self, why: str) -> LinkFailedError:
        # The reason of a close frame has at most 123 bytes.
        reason = why.encode()[:120].decode(errors="ignore")
        await self._websocket.close(CloseCode.PROTOCOL_ERROR, reason)
        return self._failed("malformed")

    def _reason(self, error: ConnectionClosed) -> str:
        if self._overflowed:
            return "send_queue_full"
        if error.rcvd is not None:
            return "closed"
        if error.sent is None:
            return "lost"
        # The library's word for a ping without an answer; all others are its
        # complaints about what it got.
        return "silent" if error.sent.code == CloseCode.INTERNAL_ERROR else "malformed"

    def _failed(self, reason: str) -> LinkFailedError:
        return LinkFailedError(self.address.base, reason)


@contextlib.asynccontextmanager
async def open_link(
    addresses: Sequence[str], patience: Patience, *, trusted: bool = False
) -> AsyncIterator[Link]:
    """Open a link to the first address that answers; raise LinkFailedError."""
    link = await _first_to_answer(addresses, patience, trusted=trusted)
    try:
        yield link
    finally:
        await link.close()


async def _first_to_answer(
    addresses: Sequence[str], patience: Patience, *, trusted: bool
) -> Link:
    """Try each address, the next one once the one before failed or is slow."""
    links: list[Link] = []
    failures: list[LinkFailedError] = []
    news = asyncio.Event()

    async def attempt(base: str) -> None:
        try:
            links.append(await _open(base, patience, trusted=trusted))
        except LinkFailedError as error:
            failures.append(error)
        news.set()

    try:
        async with asyncio.TaskGroup() as group:
            attempts = []
            for base in addresses:
                attempts.append(group.create_task(attempt(base)))
                await _wait_for(news, patience.before_next)
                if links:
                    break
            while not links and len(failures) < len(addresses):
                await _wait_for(news, patience.opening)
            for task in attempts:
                task.cancel()
        if not links:
            raise failures[0] if failures else LinkFailedError("", "no_address")
        return links.pop(0)
    finally:
        for late in links:
            await late.close()


async def _wait_for(news: asyncio.Event, seconds: float) -> None:
    news.clear()
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await news.wait()


async def _open(base: str, patience: Patience, *, trusted: bool) -> Link:
    address = Address.parse(base)
    if trusted and not address.is_secure:
        raise LinkFailedError(base, "untrusted_certificate")
    try:
        websocket = await connect(
            address.websocket_url,
            ssl=address.tls(trusted=trusted),
            subprotocols=[Subprotocol(SUBPROTOCOL)],
            compression=None,
            max_size=limits.FRAME,
            open_timeout=patience.opening,
            ping_interval=patience.between_pings,
            ping_timeout=patience.answer_to_ping,
            close_timeout=patience.closing,
            user_agent_header=None,
            # A proxy of the environment is made for web pages and sees who talks to
            # whom; who needs one gives the address of one that forwards.
            proxy=None,
            logger=LOGGER,
        )
    except (OSError, WebSocketException, ValueError) as error:
        raise LinkFailedError(base, _reason(error)) from error
    try:
        return Link(address, websocket)
    except (PeerError, LinkFailedError):
        websocket.transport.abort()
        raise LinkFailedError(base, "not_a_relay") from None


def _reason(error: Exception) -> str:
    match error:
        case TimeoutError():
            return "timeout"
        case ssl.SSLCertVerificationError():
            return "untrusted_certificate"
        case ssl.SSLError():
            return "no_tls"
        case socket.gaierror():
            return "unknown_host"
        case OSError():
            return "unreachable"
        case _:
            return "not_a_relay"


def _certificate_of(websocket: ClientConnection) -> bytes:
    """Return the hash of the key that the other end of TLS showed, empty without TLS.

    Raises BadCertificateError.
    """
    tls = websocket.transport.get_extra_info("ssl_object")
    if tls is None:
        return b""
    try:
        return certified_key_hash(tls.getpeercert(binary_form=True) or b"")
    except CryptoError:
        raise BadCertificateError from None
