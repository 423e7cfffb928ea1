"""The door to load.c: connections, who writes what in them, and what came of it.

`Link` is one connection, blocking, with TLS 1.3 or without: systems sign in over it.
`Load` takes links over as the members of rooms and runs messages through them.
"""

import ctypes
import socket
import struct
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any, Final

from bench.relay.compiler import build_library

LOOPBACK: Final = "127.0.0.1"
PATIENCE: Final = 20  # seconds for one answer while signing in
SMALLEST: Final = 64  # bytes of a payload: marker, writer, number, time and some filler
LARGEST: Final = 4000  # what load.c keeps of an unfinished payload
_BUCKETS: Final = 64 * 64
_BUFFER: Final = ctypes.create_string_buffer(1 << 16)  # of whoever reads just now


class NoTlsError(Exception):
    """load.c was built without OpenSSL."""


_FAULTS: Final = (
    "altered",
    "reordered",
    "disagreed",
    "unknown",
    "missing",
    "hung_up",
    "overrun",
)


_PLAN: Final = struct.Struct("@dddQI4x")
_OUTCOME: Final = struct.Struct(f"@2d{3 + len(_FAULTS) + 2 * _BUCKETS}Q")


@cache
def _library() -> Any:
    library = ctypes.CDLL(str(build_library("load.c")))
    pointer, word, size = ctypes.c_void_p, ctypes.c_uint32, ctypes.c_size_t
    signatures: dict[str, tuple[Any, tuple[Any, ...]]] = {
        "link_open": (pointer, (ctypes.c_int, ctypes.c_int)),
        "link_close": (None, (pointer,)),
        "link_send": (ctypes.c_int, (pointer, ctypes.c_char_p, size)),
        "link_receive": (ctypes.c_ssize_t, (pointer, pointer, size)),
        "load_has_tls": (ctypes.c_int, ()),
        "load_new": (pointer, (word,) * 6),
        "load_add_member": (word, (pointer, pointer, word)),
        "load_add_writer": (word, (pointer, word, ctypes.c_char_p, word, word)),
        "load_add_number": (None, (pointer, word, word, word)),
        "load_answer": (None, (pointer, ctypes.c_char_p, word, word)),
        "load_keep_alive": (None, (pointer, ctypes.c_char_p, word)),
        "load_capture": (None, (pointer, word, size)),
        "load_captured": (pointer, (pointer,)),
        "load_captured_size": (size, (pointer,)),
        "load_ready": (None, (pointer,)),
        "load_run": (None, (pointer, ctypes.c_char_p, pointer)),
        "load_free": (None, (pointer,)),
    }
    for name, (result, arguments) in signatures.items():
        function = getattr(library, name)
        function.restype, function.argtypes = result, arguments
    return library


def has_tls() -> bool:
    """Tell whether links can have TLS; raise NoCompilerError."""
    return bool(_library().load_has_tls())


class Link:
    """A connection that waits for its answers."""

    def __init__(self, port: int, *, tls: bool = False) -> None:
        if tls and not has_tls():
            raise NoTlsError
        library = _library()
        connection = socket.create_connection((LOOPBACK, port), PATIENCE)
        connection.settimeout(None)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        patience = struct.pack("ll", PATIENCE, 0)
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, patience)
        self.handle: int | None = library.link_open(connection.detach(), tls)
        if self.handle is None:
            raise ConnectionError("no TLS handshake")
        self._unread = bytearray()

    def send(self, data: bytes) -> None:
        """Send all of it; raise ConnectionError."""
        if _library().link_send(self.handle, data, len(data)):
            raise ConnectionError("the other side hung up")

    def _receive(self) -> None:
        got = _library().link_receive(self.handle, _BUFFER, len(_BUFFER))
        if got <= 0:
            raise ConnectionError(f"hung up, or silent; last: {bytes(self._unread)!r}")
        self._unread += ctypes.string_at(_BUFFER, got)

    def read(self, size: int) -> bytes:
        """Return that many bytes; raise ConnectionError."""
        while len(self._unread) < size:
            self._receive()
        data = bytes(self._unread[:size])
        del self._unread[:size]
        return data

    def read_until(self, *ends: bytes) -> bytes:
        """Return what comes up to one of some ends, with it; raise ConnectionError."""
        while True:
            found = [at for at in map(self._end_of, ends) if at]
            if found:
                return self.read(min(found))
            self._receive()

    def _end_of(self, end: bytes) -> int:
        at = self._unread.find(end)
        return at + len(end) if at >= 0 else 0

    def close(self) -> None:
        """Hang up."""
        if self.handle is not None:
            _library().link_close(self.handle)
            self.handle = None


@dataclass(frozen=True)
class Template:
    """A frame around a payload; `numbers` are (offset, width) of what differs each time."""

    before: bytes
    after: bytes = b""
    numbers: tuple[tuple[int, int], ...] = ()


@dataclass(frozen=True)
class Seat:
    """A member of a room, and what it writes, if it does."""

    link: Link
    room: int
    template: Template | None = None


@dataclass(frozen=True)
class Manners:
    """What the core has to know of a protocol.

    `echoes`: writers get their own messages. `ordered`: all members of a room see one
    order. `answer`: what members reply to each delivery, followed by as many bytes as
    `answer_take` of those before the payload. `alive`: what keeps a connection open.
    """

    echoes: bool = True
    ordered: bool = True
    answer: bytes = b""
    answer_take: int = 0
    alive: bytes = b""


@dataclass(frozen=True)
class Plan:
    """One run. `rate` is in messages a second; none: `window` per writer under way."""

    seconds: float
    rate: float | None = None
    window: int = 64
    seed: int = 1
    patience: float = 10.0


@dataclass(frozen=True)
class Histogram:
    """Times, by buckets that are 1.6 % wide."""

    buckets: Sequence[int]

    def percentile(self, share: float) -> float:
        """Return the time in seconds that a share (0 to 1) of all times is within."""
        left = share * sum(self.buckets)
        for bucket, count in enumerate(self.buckets):
            left -= count
            if left <= 0 and count:
                return _upper_end(bucket) / 1e9
        return 0.0


def _upper_end(bucket: int) -> int:
    power, part = divmod(bucket, 64)
    return bucket if power == 0 else (65 + part) << (power - 1)


@dataclass(frozen=True)
class Outcome:
    """What a run did. Times are in seconds, `cpu` is the generator's own."""

    seconds: float
    cpu: float
    messages: int
    deliveries: int
    received: int
    latency: Histogram
    lateness: Histogram
    faults: dict[str, int] = field(default_factory=dict)


class Load:
    """Everybody who is in the rooms of one system, ready to talk."""

    def __init__(self, payload: int, seats: Sequence[Seat], manners: Manners) -> None:
        if not SMALLEST <= payload <= LARGEST:
            raise ValueError(f"payloads have {SMALLEST} to {LARGEST} bytes")
        self._links = [seat.link for seat in seats]
        rooms = len({seat.room for seat in seats})
        writers = sum(seat.template is not None for seat in seats)
        self._library = _library()
        self._handle = self._library.load_new(
            payload, rooms, len(seats), writers, manners.echoes, manners.ordered
        )
        for seat in seats:
            self._add(payload, seat)
        self._library.load_answer(
            self._handle, manners.answer, len(manners.answer), manners.answer_take
        )
        self._library.load_keep_alive(self._handle, manners.alive, len(manners.alive))
        self._library.load_ready(self._handle)

    def _add(self, payload: int, seat: Seat) -> None:
        member = self._library.load_add_member(
            self._handle, seat.link.handle, seat.room
        )
        if seat.template is None:
            return
        frame = seat.template.before + bytes(payload) + seat.template.after
        at = len(seat.template.before)
        writer = self._library.load_add_writer(
            self._handle, member, frame, len(frame), at
        )
        for offset, width in seat.template.numbers:
            self._library.load_add_number(self._handle, writer, offset, width)

    def capture(self, member: int, capacity: int) -> None:
        """Keep the first bytes that one member gets."""
        self._library.load_capture(self._handle, member, capacity)

    def captured(self) -> bytes:
        """Return what `capture` kept."""
        size = self._library.load_captured_size(self._handle)
        return ctypes.string_at(self._library.load_captured(self._handle), size)

    def run(self, plan: Plan) -> Outcome:
        """Let everybody write; return once all is delivered, or nothing comes."""
        written = _PLAN.pack(
            plan.rate or 0, plan.seconds, plan.patience, plan.seed, plan.window
        )
        buffer = ctypes.create_string_buffer(_OUTCOME.size)
        self._library.load_run(self._handle, written, buffer)
        seconds, cpu, *words = _OUTCOME.unpack(buffer)
        messages, deliveries, received, *rest = words
        faults = dict(zip(_FAULTS, rest[: len(_FAULTS)], strict=True))
        buckets = rest[len(_FAULTS) :]
        return Outcome(
            seconds,
            cpu,
            messages,
            deliveries,
            received,
            Histogram(buckets[:_BUCKETS]),
            Histogram(buckets[_BUCKETS:]),
            {name: count for name, count in faults.items() if count},
        )

    def close(self) -> None:
        """Hang everybody up."""
        self._library.load_free(self._handle)
        for link in self._links:
            link.close()
