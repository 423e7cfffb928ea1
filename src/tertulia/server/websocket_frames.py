"""Frames of RFC 6455 as a server reads and writes them: bytes in, messages out.

No extension, no text, one limit. Reading is half of what a relay does for a short
message, so it is written here rather than left to the library that shakes hands: that
one reads a frame by a dozen steps of a generator and keeps a kilobyte and a half per
connection for it. Their verdicts are compared in the tests.

What is incomplete is kept once and never copied again before it is whole, however
small the pieces are that it comes in. A packet holds thousands of tiny frames: only
some are read at once, so that nobody else waits for them, and pings, pongs and
fragments are counted, since no rate of the relay's sees them.
"""

import struct
from enum import IntEnum
from typing import Final

from websockets.frames import apply_mask  # type: ignore[attr-defined]  # in C if it can be

BINARY: Final = 0x2
CONTROL_SIZE: Final = 125  # RFC 6455, section 5.5
FRAMES_AT_ONCE: Final = 128  # read in less than a millisecond
# Pings, pongs and fragments until `forgive`; a frame of 1 MiB in parts of 1 KiB fits.
MAX_ODD: Final = 1_100

_CONTINUATION, _TEXT, _CLOSE, _PING, _PONG = 0x0, 0x1, 0x8, 0x9, 0xA
_OPCODES: Final = frozenset({_CONTINUATION, _TEXT, BINARY, _CLOSE, _PING, _PONG})
_FINAL: Final = 0x80
_WHOLE_MESSAGE: Final = _FINAL | BINARY
_MASKED: Final = 0x80
_MEDIUM, _LARGE = 126, 127  # the length stands in the next 2 bytes, or 8
_MASK: Final = 4

_medium: Final = struct.Struct(">BBH").pack
_large: Final = struct.Struct(">BBQ").pack


class CloseCode(IntEnum):
    """Why a connection is closed: those of RFC 6455, section 7.4.1, that we send."""

    NORMAL = 1000
    PROTOCOL_ERROR = 1002
    UNSUPPORTED_DATA = 1003
    INVALID_DATA = 1007
    POLICY_VIOLATION = 1008
    TOO_BIG = 1009


def frame(opcode: int, payload: bytes) -> bytes:
    """Return a whole frame; a server's are not masked, so the same for everybody."""
    size = len(payload)
    if size < _MEDIUM:
        return bytes((_FINAL | opcode, size)) + payload
    if size < 1 << 16:
        return _medium(_FINAL | opcode, _MEDIUM, size) + payload
    return _large(_FINAL | opcode, _LARGE, size) + payload


def message(payload: bytes) -> bytes:
    """Return a binary message in one frame."""
    return frame(BINARY, payload)


def close(code: CloseCode) -> bytes:
    """Return a close frame."""
    return frame(_CLOSE, code.to_bytes(2))


PING: Final = frame(_PING, b"")


class FrameReader:
    """Reads what one client sends.

    `replies` are frames to write back, taken by who writes them. Once `is_over`,
    nothing more is read: the client closed, or broke the rules and is told so. While
    it `has_more`, it is to be fed again, with nothing if need be.
    """

    __slots__ = (
        "_fragments",
        "_needed",
        "_odd",
        "_partial",
        "has_more",
        "is_over",
        "max_size",
        "replies",
    )

    def __init__(self, max_size: int) -> None:
        # Of a message, in bytes.
        self.max_size = max_size
        self.is_over = False
        self.has_more = False
        self._odd = 0
        self.replies: list[bytes] | None = None
        self._partial: bytearray | None = None
        self._needed = 0
        self._fragments: bytearray | None = None

    def feed(self, data: bytes) -> list[bytes]:
        """Read on; return the messages that are whole now."""
        partial = self._partial
        if partial is not None:
            partial += data
            if len(partial) < self._needed:
                return []
            data = bytes(partial)
            self._partial = None
        self.has_more = False
        messages: list[bytes] = []
        start = 0
        for _ in range(FRAMES_AT_ONCE):
            if self.is_over:
                return messages
            stop = self._read_frame(data, start, messages)
            if stop == start:
                return messages
            start = stop
        if start < len(data):
            self.has_more = True
            self._keep(data, start, 0)
        return messages

    def forgive(self) -> None:
        """Count pings, pongs and fragments anew."""
        self._odd = 0

    @property
    def unfinished(self) -> int:
        """Bytes that are held of a message that is not whole yet."""
        held = 0
        for part in (self._partial, self._fragments):
            held += len(part) if part is not None else 0
        return held

    def _read_frame(self, data: bytes, start: int, messages: list[bytes]) -> int:
        """Read one frame; return where it ends, `start` if it is not whole."""
        there = len(data) - start
        if there < 2:
            return self._keep(data, start, 2)
        head, size = data[start], data[start + 1]
        at = start + 2 + _MASK
        length = size & ~_MASKED
        if head != _WHOLE_MESSAGE or not size & _MASKED:
            code = _object(head, size)
            if code is not None:
                return self._fail(code)
        if length >= _MEDIUM:
            at += 2 if length == _MEDIUM else 8
            if len(data) < at:
                return self._keep(data, start, at - start)
            length = int.from_bytes(data[start + 2 : at - _MASK])
        so_far = len(self._fragments) if self._fragments is not None else 0
        if length + so_far > self.max_size:
            return self._fail(CloseCode.TOO_BIG)
        stop = at + length
        if len(data) < stop:
            return self._keep(data, start, stop - start)
        payload = apply_mask(data[at:stop], data[at - _MASK : at])
        if head == _WHOLE_MESSAGE and self._fragments is None:
            messages.append(payload)
        else:
            self._take(head, payload, messages)
        return stop

    def _keep(self, data: bytes, start: int, needed: int) -> int:
        if start < len(data):
            self._partial = bytearray(data[start:])
            self._needed = needed
        return start

    def _take(self, head: int, payload: bytes, messages: list[bytes]) -> None:
        """Take anything but a message in one frame."""
        self._odd += 1
        if self._odd > MAX_ODD:
            self._fail(CloseCode.POLICY_VIOLATION)
            return
        opcode = head & 0xF
        if opcode == _PING:
            self._reply(frame(_PONG, payload))
        elif opcode == _CLOSE:
            self._close(payload)
        elif opcode != _PONG:
            self._take_fragment(head, payload, messages)

    def _take_fragment(self, head: int, payload: bytes, messages: list[bytes]) -> None:
        is_first = head & 0xF == BINARY
        if is_first is (self._fragments is not None):
            self._fail(CloseCode.PROTOCOL_ERROR)
            return
        fragments = self._fragments if self._fragments is not None else bytearray()
        fragments += payload
        self._fragments = fragments
        if head & _FINAL:
            self._fragments = None
            messages.append(bytes(fragments))

    def _close(self, payload: bytes) -> None:
        """Answer a close frame as RFC 6455, section 5.5.1, has it: with the same."""
        try:
            payload[2:].decode()
        except UnicodeDecodeError:
            self._fail(CloseCode.INVALID_DATA)
            return
        if len(payload) == 1 or not _is_close_code(payload):
            self._fail(CloseCode.PROTOCOL_ERROR)
            return
        self.is_over = True
        self._reply(frame(_CLOSE, payload))

    def _fail(self, code: CloseCode) -> int:
        self.is_over = True
        self._fragments = None
        self._reply(close(code))
        return 0

    def _reply(self, reply: bytes) -> None:
        if self.replies is None:
            self.replies = []
        self.replies.append(reply)

    def take_replies(self) -> bytes:
        """Return what is to be written back, and forget it."""
        replies, self.replies = self.replies, None
        return b"".join(replies) if replies else b""


def _object(head: int, size: int) -> CloseCode | None:
    """Return what is wrong with the first two bytes of a frame, or None."""
    opcode = head & 0xF
    is_control = opcode >= _CLOSE
    length = size & ~_MASKED
    if (
        head & 0x70  # reserved: no extension was agreed on
        or opcode not in _OPCODES
        or not size & _MASKED
        or (is_control and not (head & _FINAL and length <= CONTROL_SIZE))
    ):
        return CloseCode.PROTOCOL_ERROR
    return CloseCode.UNSUPPORTED_DATA if opcode == _TEXT else None


def _is_close_code(payload: bytes) -> bool:
    """Tell whether a peer may send this code, or none (RFC 6455, section 7.4)."""
    code = int.from_bytes(payload[:2])
    return (
        not payload
        or 3000 <= code < 5000
        or (1000 <= code <= 1014 and code not in {1004, 1005, 1006})
    )
