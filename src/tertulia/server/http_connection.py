"""One HTTP connection: reads a request, lets a site answer it, writes the answer.

Rules: one request at a time; reading pauses while a request is answered and goes on
when its body is wanted; whoever is slow is cut off (`expire`). What a request may do is
the site's matter. An upgrade hands the transport to another protocol.
"""

import asyncio
from asyncio import Protocol as AsyncioProtocol
from collections.abc import Callable
from http import HTTPStatus
from typing import Final, Protocol, cast

from typing_extensions import override

from tertulia.server.client_address import UNKNOWN, plain_address
from tertulia.server.http_messages import Request, Response, Stream, text
from tertulia.server.request_reader import BadRequestError, RequestReader
from tertulia.server.shell import Shell

REQUEST_TIME: Final = 10.0  # seconds for a head, for a body, or between two requests
BODY_TIME: Final = 30.0
LINGER_TIME: Final = 2.0  # for the client to read our last words
WRITE_TIME: Final = 30.0  # for the client to take one piece of a stream


class Upgrade(Protocol):
    """An answer that makes the connection something else."""

    response: bytes

    def take_over(self, transport: asyncio.Transport, peer: str, early: bytes) -> None:
        """Carry on with the transport; `early` came right behind the request."""


class Exchange:
    """A request being answered, as a site sees it."""

    __slots__ = ("_connection", "request")

    def __init__(self, connection: "HttpConnection", request: Request) -> None:
        self._connection = connection
        self.request = request

    @property
    def peer(self) -> str:
        """The address at the other end of the connection."""
        return self._connection.peer

    async def body(self) -> bytes:
        """Read the body, whose announced size the site has checked before.

        Raises BadRequestError if the client goes away first.
        """
        return await self._connection.read_body()


class Site(Protocol):
    """What answers the requests of a listener."""

    async def answer(self, exchange: Exchange) -> Response | Upgrade:
        """Answer one request."""


class HttpConnection(AsyncioProtocol):
    """One connection, until it is closed or upgraded."""

    __slots__ = (
        "_body",
        "_deadline",
        "_early",
        "_ended",
        "_extra",
        "_is_lingering",
        "_leave",
        "_reader",
        "_shell",
        "_site",
        "_task",
        "_transport",
        "_wanted",
        "_writable",
        "peer",
    )

    def __init__(
        self, shell: Shell, site: Site, leave: Callable[[], None] | None = None
    ) -> None:
        self._shell = shell
        # Called once, when this is no longer an HTTP connection.
        self._leave = leave
        self._site = site
        self._reader: RequestReader | None = RequestReader(self)
        self._transport: asyncio.Transport | None = None
        self._task: asyncio.Task[None] | None = None
        self._deadline = shell.time() + REQUEST_TIME
        self._body = bytearray()
        self._early = b""
        self._ended = False
        self._extra = False
        self._is_lingering = False
        self._wanted: asyncio.Future[None] | None = None
        self._writable: asyncio.Future[None] | None = None
        self.peer = UNKNOWN

    # Called by the event loop

    @override
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # uvloop's transports have the methods, but not the class.
        self._transport = cast(asyncio.Transport, transport)
        name = transport.get_extra_info("peername")
        self.peer = plain_address(name[0]) if isinstance(name, tuple) else UNKNOWN
        self._shell.watch(self)

    @override
    def data_received(self, data: bytes) -> None:
        if self._reader is None:
            return  # the last answer is out; what still comes is of no interest
        try:
            early = self._reader.feed(data)
        except BadRequestError as error:
            self._stop_reading()
            self._object(error)
            return
        if early is not None:
            self._early = early
            self._stop_reading()

    @override
    def connection_lost(self, exc: Exception | None) -> None:
        self._retire()
        self._stop_reading()
        for future in (self._wanted, self._writable):
            if future is not None and not future.done():
                future.set_exception(BadRequestError("the client went away"))
        if self._task is not None:
            self._task.cancel()

    @override
    def pause_writing(self) -> None:
        self._writable = self._shell.loop.create_future()

    @override
    def resume_writing(self) -> None:
        if self._writable is not None and not self._writable.done():
            self._writable.set_result(None)
        self._writable = None

    @property
    def has_begun(self) -> bool:
        """Whether there ever was a transport."""
        return self.peer != UNKNOWN or self._transport is not None

    def _stop_reading(self) -> None:
        reader, self._reader = self._reader, None
        if reader is not None:
            reader.close()

    def _retire(self) -> None:
        self._shell.unwatch(self)
        leave, self._leave = self._leave, None
        if leave is not None:
            leave()

    # Called by the watch

    def expire(self, now: float) -> None:
        """Cut the connection off if it is late."""
        if now <= self._deadline or self._transport is None:
            return
        if self._is_lingering and not self._transport.is_closing():
            self._deadline = now + LINGER_TIME
            self._transport.close()
            return
        self._shell.metrics.timeouts += 1
        self._transport.abort()

    def hang_up(self) -> None:
        """Close when the relay shuts down."""
        if self._transport is not None and self._task is None:
            self._transport.close()

    def abort(self) -> None:
        """End at once."""
        if self._transport is not None:
            self._transport.abort()

    # Called by the reader

    def on_request(self, request: Request) -> None:
        """Start to answer; nothing more is read until that is done."""
        if self._task is not None or self._transport is None:
            self._extra = True
            return
        self._transport.pause_reading()
        self._body.clear()
        self._ended = False
        self._deadline = self._shell.time() + BODY_TIME
        self._task = self._shell.start(self._serve(request))

    def on_body(self, data: bytes) -> None:
        """Keep a part of the body; the announced size bounds it."""
        if not self._extra:
            self._body += data

    def on_end(self) -> None:
        """Note that the body is whole."""
        if self._extra:
            return
        self._ended = True
        if self._wanted is not None and not self._wanted.done():
            self._wanted.set_result(None)

    # Answering

    async def read_body(self) -> bytes:
        """Let the rest of the body come."""
        if not self._ended and self._transport is not None:
            self._wanted = self._shell.loop.create_future()
            self._transport.resume_reading()
            await self._wanted
            self._transport.pause_reading()
        return bytes(self._body)

    async def _serve(self, request: Request) -> None:
        try:
            answer = await self._site.answer(Exchange(self, request))
            await self._give(request, answer)
        except BadRequestError as error:
            self._refuse(error)
        except Exception as error:  # noqa: BLE001 -- one request must not stop the relay
            self._shell.report("request_failed", error)
            self._last(text(HTTPStatus.INTERNAL_SERVER_ERROR, "The server failed."))

    async def _give(self, request: Request, answer: "Response | Upgrade") -> None:
        transport = self._transport
        if transport is None or transport.is_closing():
            return
        if not isinstance(answer, Response):
            self._retire()
            self._task = None
            self._transport = None
            transport.write(answer.response)
            answer.take_over(transport, self.peer, self._early)
            transport.resume_reading()
            return
        keep_alive = self._may_go_on(request)
        transport.write(answer.head(keep_alive=keep_alive))
        if request.method != "HEAD":
            await self._write_body(transport, answer.body)
        if keep_alive:
            self._task = None
            self._deadline = self._shell.time() + REQUEST_TIME
            transport.resume_reading()
        else:
            self._linger()

    def _may_go_on(self, request: Request) -> bool:
        wants = request.headers.get("connection", "").lower() != "close"
        return (
            wants
            and self._ended
            and not self._extra
            and request.version == "1.1"
            and self._reader is not None
            and not self._shell.is_stopping
        )

    async def _write_body(
        self, transport: asyncio.Transport, body: "bytes | Stream"
    ) -> None:
        if isinstance(body, bytes):
            transport.write(body)
            return
        async for piece in body.pieces:
            transport.write(piece)
            self._deadline = self._shell.time() + WRITE_TIME
            if self._writable is not None:
                await self._writable

    def _object(self, error: BadRequestError) -> None:
        """Refuse what came, unless an answer to something earlier is on its way."""
        if self._task is None:
            self._refuse(error)
        elif self._wanted is not None and not self._wanted.done():
            self._wanted.set_exception(error)

    def _refuse(self, error: BadRequestError) -> None:
        self._shell.metrics.bad_requests += 1
        self._last(text(HTTPStatus.BAD_REQUEST, str(error)))

    def _last(self, answer: Response) -> None:
        if self._transport is not None and not self._transport.is_closing():
            self._transport.write(answer.head(keep_alive=False) + _whole(answer))
            self._linger()

    def _linger(self) -> None:
        """Close so that the answer arrives: unread input would make it a reset."""
        self._stop_reading()
        self._is_lingering = True
        self._deadline = self._shell.time() + LINGER_TIME
        transport = self._transport
        if transport is None:
            return
        if self._ended:
            transport.close()
            return
        if transport.can_write_eof():
            transport.write_eof()
        transport.resume_reading()


def _whole(answer: Response) -> bytes:
    return answer.body if isinstance(answer.body, bytes) else b""
