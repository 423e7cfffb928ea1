import gc
import weakref
from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tertulia.server.http_messages import Request
from tertulia.server.request_reader import MAX_HEAD, BadRequestError, RequestReader


@dataclass
class Sink:
    requests: list[Request] = field(default_factory=list)
    body: bytes = b""
    ends: int = 0

    def on_request(self, request: Request) -> None:
        self.requests.append(request)

    def on_body(self, data: bytes) -> None:
        self.body += data

    def on_end(self) -> None:
        self.ends += 1


REQUEST = b"PUT /a?b HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc"


@given(st.integers(1, len(REQUEST)))
def test_a_request_may_come_in_pieces(size: int) -> None:
    sink = Sink()
    reader = RequestReader(sink)
    for start in range(0, len(REQUEST), size):
        assert reader.feed(REQUEST[start : start + size]) is None
    (request,) = sink.requests
    assert (request.method, request.target, request.path) == ("PUT", "/a?b", "/a")
    assert (request.content_length, request.is_upgrade) == (3, False)
    assert (sink.body, sink.ends) == (b"abc", 1)


def test_what_follows_an_upgrade_is_handed_back() -> None:
    sink = Sink()
    head = b"GET / HTTP/1.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n"
    assert RequestReader(sink).feed(head + b"frame") == b"frame"
    assert sink.requests[0].is_upgrade


@pytest.mark.parametrize(
    "data",
    [
        b"nonsense\r\n\r\n",
        b"GET / HTTP/1.1\r\nA: 1\r\na: 2\r\n\r\n",
        b"GET / HTTP/1.1\r\nA: " + bytes([97]) * (MAX_HEAD + 1),
        b"GET / HTTP/1.1\r\nA: " + bytes([97]) * (MAX_HEAD + 1) + b"\r\n\r\n",
        b"GET / HTTP/1.1\r\n" + b"".join(b"a%d: b\r\n" % n for n in range(66)),
        b"GET /\xff HTTP/1.1\r\n\r\n",
    ],
)
def test_what_is_no_request_is_refused(data: bytes) -> None:
    with pytest.raises(BadRequestError):
        RequestReader(Sink()).feed(data)


@given(st.binary(max_size=400))
def test_any_bytes_are_read_or_refused(data: bytes) -> None:
    try:
        RequestReader(Sink()).feed(data)
    except BadRequestError:
        return


def test_a_closed_reader_goes_without_being_collected() -> None:
    gc.disable()
    try:
        sink = Sink()
        gone = weakref.ref(sink)
        reader = RequestReader(sink)
        reader.feed(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        reader.close()
        del sink, reader
        assert gone() is None
    finally:
        gc.enable()
