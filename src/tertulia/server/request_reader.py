"""Bytes to HTTP requests: httptools parses, this bounds what it parses.

One request at a time: a client that sends the next one before it has the answer is
served, then hung up on. Browsers and our clients never do that, so nothing is queued.
"""

from typing import ClassVar, Final, Protocol

import httptools

from tertulia.errors import PeerError
from tertulia.server.http_messages import Request

MAX_HEAD: Final = 16 * 1024  # a browser's cookies and languages fit; a flood does not
MAX_HEADERS: Final = 64


class BadRequestError(PeerError):
    """What came is not an HTTP request we take."""

    code: ClassVar[str] = "bad_request"
    sentence: ClassVar[str] = "not a request we take: {reason}"

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class RequestSink(Protocol):
    """Who gets what was read, during `feed`."""

    def on_request(self, request: Request) -> None:
        """Take the head of a request."""

    def on_body(self, data: bytes) -> None:
        """Take a part of its body."""

    def on_end(self) -> None:
        """Take note that the request is whole."""


class RequestReader:
    """Reads the requests of one connection."""

    __slots__ = ("_head", "_headers", "_parser", "_sink", "_url", "is_within_head")

    def __init__(self, sink: RequestSink) -> None:
        self._sink = sink
        self._parser = httptools.HttpRequestParser(_Callbacks(self))
        self._headers: dict[str, str] = {}
        self._url = b""
        self._head = 0
        self.is_within_head = True

    def feed(self, data: bytes) -> bytes | None:
        """Read on; return what follows an upgrade request, if there was one.

        Raises BadRequestError; then the connection is of no more use.
        """
        if self.is_within_head:
            self._head += len(data)
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserUpgrade as upgrade:
            return data[upgrade.args[0] :]
        except httptools.HttpParserCallbackError as error:
            if isinstance(error.__context__, BadRequestError):
                raise error.__context__ from None
            raise
        except httptools.HttpParserError as error:
            raise BadRequestError(type(error).__name__) from None
        if self.is_within_head and self._head > MAX_HEAD:
            raise BadRequestError("the head is too long")
        return None

    def close(self) -> None:
        """Let go of the parser, which holds on to us: nobody collects it for long."""
        del self._parser

    def begin(self) -> None:
        """Start anew."""
        self._headers = {}
        self._url = b""

    def add_url(self, url: bytes) -> None:
        """Take a part of the target."""
        self._url += url
        if len(self._url) > MAX_HEAD:
            raise BadRequestError("the target is too long")

    def add_header(self, name: bytes, value: bytes) -> None:
        """Take one header."""
        key = name.decode("latin-1").lower()
        # Two Hosts or two lengths are how one request becomes two for somebody else.
        if key in self._headers or len(self._headers) >= MAX_HEADERS:
            raise BadRequestError("a header is repeated, or there are too many")
        self._headers[key] = value.decode("latin-1").strip()

    def finish_head(self) -> None:
        """Hand over the head."""
        self.is_within_head = False
        size = len(self._url) + sum(map(len, (*self._headers, *self._headers.values())))
        if size > MAX_HEAD:
            raise BadRequestError("the head is too long")
        try:
            target = self._url.decode("ascii")
        except UnicodeDecodeError:
            raise BadRequestError("the target is not ASCII") from None
        method = self._parser.get_method().decode("ascii")
        version = self._parser.get_http_version()
        self._sink.on_request(Request(method, target, self._headers, version))

    def add_body(self, data: bytes) -> None:
        """Hand over a part of the body."""
        self._sink.on_body(data)

    def finish(self) -> None:
        """Hand over the end; what comes next is another head."""
        self._head = 0
        self.is_within_head = True
        self._sink.on_end()


class _Callbacks:
    """The names httptools calls."""

    __slots__ = (
        "on_body",
        "on_header",
        "on_headers_complete",
        "on_message_begin",
        "on_message_complete",
        "on_url",
    )

    def __init__(self, reader: RequestReader) -> None:
        self.on_message_begin = reader.begin
        self.on_url = reader.add_url
        self.on_header = reader.add_header
        self.on_headers_complete = reader.finish_head
        self.on_body = reader.add_body
        self.on_message_complete = reader.finish
