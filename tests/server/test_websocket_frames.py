"""Frames: the same verdicts as the library's, whatever comes in whatever pieces."""

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from websockets.frames import Frame, Opcode
from websockets.protocol import Protocol, Side, State

from tertulia.server.websocket_frames import (
    FRAMES_AT_ONCE,
    MAX_ODD,
    PING,
    CloseCode,
    FrameReader,
    close,
    frame,
    message,
)

MAX = 300


def masked(opcode: int, payload: bytes = b"", *, fin: bool = True) -> bytes:
    return Frame(Opcode(opcode), payload, fin=fin).serialize(mask=True)


BINARY, TEXT, CONT, CLOSE, PONG = 2, 1, 0, 8, 10


@pytest.mark.parametrize("size", [0, 1, 125, 126, 65_535, 65_536])
def test_frames_are_written_as_the_library_writes_them(size: int) -> None:
    payload = bytes(size)
    assert message(payload) == Frame(Opcode.BINARY, payload).serialize(mask=False)


def test_control_frames_are_written_as_the_library_writes_them() -> None:
    assert Frame(Opcode.PING, b"").serialize(mask=False) == PING
    assert close(CloseCode.TOO_BIG) == Frame(
        Opcode.CLOSE, (1009).to_bytes(2)
    ).serialize(mask=False)


@pytest.mark.parametrize("size", [0, 1, 125, 126, MAX])
def test_a_message_is_read_in_any_pieces(size: int) -> None:
    payload = Random(size).randbytes(size)
    data = masked(BINARY, payload)
    for step in (1, 2, 3, 7, len(data), len(data) - 1):
        reader = FrameReader(MAX)
        found = [
            whole
            for start in range(0, len(data), max(1, step))
            for whole in reader.feed(data[start : start + max(1, step)])
        ]
        assert found == [payload]


def test_several_messages_in_one_piece_are_read_in_order() -> None:
    payloads = [b"one", b"", b"three"]
    data = b"".join(masked(BINARY, payload) for payload in payloads)
    reader = FrameReader(MAX)
    assert reader.feed(data + data[:4]) == payloads
    assert reader.feed(data[4:]) == payloads


def test_a_large_frame_in_small_pieces_is_not_copied_for_each() -> None:
    reader = FrameReader(1 << 20)
    data = masked(BINARY, bytes(1 << 20))
    before: bytearray | None = None
    for start in range(0, len(data) - 1, 4096):
        assert reader.feed(data[start : min(start + 4096, len(data) - 1)]) == []
        held = reader._partial
        assert held is not None
        assert len(held) == min(start + 4096, len(data) - 1)
        assert before is None or held is before
        before = held
    assert reader.feed(data[-1:]) == [bytes(1 << 20)]


def test_fragments_make_one_message_and_pings_may_come_between() -> None:
    reader = FrameReader(MAX)
    assert reader.feed(masked(BINARY, b"a", fin=False)) == []
    assert reader.feed(masked(9, b"there?") + masked(PONG)) == []
    assert reader.take_replies() == frame(0xA, b"there?")
    assert reader.take_replies() == b""
    assert reader.feed(masked(CONT, b"", fin=False)) == []
    assert reader.feed(masked(CONT, b"b") + masked(BINARY, b"c")) == [b"ab", b"c"]


def test_thousands_of_frames_in_a_packet_are_read_by_and_by() -> None:
    reader = FrameReader(MAX)
    payloads = [n.to_bytes(2) for n in range(1_000)]
    data = b"".join(masked(BINARY, payload) for payload in payloads)
    found = reader.feed(data[:-1])
    turns = 1
    while reader.has_more:
        found += reader.feed(data[-1:] if turns == 3 else b"")
        turns += 1
    assert found == payloads
    assert turns == 1 + len(payloads) // FRAMES_AT_ONCE


@pytest.mark.parametrize(
    ("opcode", "fin"),
    [(9, True), (PONG, True), (CONT, False)],
    ids=["pings", "pongs", "fragments"],
)
def test_small_frames_without_end_are_no_conversation(
    opcode: int, *, fin: bool
) -> None:
    reader = FrameReader(MAX)
    assert reader.feed(masked(BINARY, b"a", fin=False)) == []
    ends, last = [], b""
    for count in (MAX_ODD - 1, MAX_ODD, 1):
        for _ in range(count):
            reader.feed(masked(opcode, fin=fin))
        ends.append(reader.is_over)
        if count < MAX_ODD and not reader.is_over:
            reader.forgive()
        last = reader.take_replies()
    assert ends == [False, False, True]
    assert last == close(CloseCode.POLICY_VIOLATION)


WRONG = {
    "a reserved bit": (b"\xc2" + masked(BINARY)[1:], 1002),
    "an unknown opcode": (b"\x83" + masked(BINARY)[1:], 1002),
    "no mask": (Frame(Opcode.BINARY, b"x").serialize(mask=False), 1002),
    "text": (masked(TEXT, b"hello"), 1003),
    "a part of a text": (masked(TEXT, b"hello", fin=False), 1003),
    "a continuation of nothing": (masked(CONT, b"x"), 1002),
    "a message within a message": (masked(BINARY, b"x", fin=False) * 2, 1002),
    "a ping in parts": (b"\x09" + masked(9, b"x")[1:], 1002),
    "a long ping": (b"\x89\xfe\x00\x7e" + bytes(4), 1002),
    "a message too long": (masked(BINARY, bytes(MAX + 1))[:4], 1009),
    "parts too long together": (
        masked(BINARY, bytes(MAX), fin=False) + masked(CONT, b"x"),
        1009,
    ),
    "a length with its highest bit set": (
        b"\x82\xff" + bytes([255] * 8) + bytes(4),
        1009,
    ),
    "half a close code": (masked(CLOSE, b"\x03"), 1002),
    "a close code nobody sends": (masked(CLOSE, (1005).to_bytes(2)), 1002),
    "a close code beyond": (masked(CLOSE, (5000).to_bytes(2)), 1002),
    "a reason that is no text": (masked(CLOSE, (1000).to_bytes(2) + b"\xff"), 1007),
}


@pytest.mark.parametrize("name", WRONG)
def test_what_breaks_the_rules_ends_the_connection(name: str) -> None:
    data, code = WRONG[name]
    reader = FrameReader(MAX)
    before = masked(BINARY, b"before")
    assert reader.feed(before + data + masked(BINARY, b"after")) == [b"before"]
    assert reader.is_over
    assert reader.take_replies() == close(CloseCode(code))
    assert reader.feed(masked(BINARY, b"after")) == []


@pytest.mark.parametrize("payload", [b"", (1000).to_bytes(2) + b"bye", b"\x0f\xa0"])
def test_a_close_is_answered_with_the_same(payload: bytes) -> None:
    reader = FrameReader(MAX)
    assert reader.feed(masked(CLOSE, payload) + masked(BINARY)) == []
    assert reader.is_over
    assert reader.take_replies() == frame(0x8, payload)


def library(pieces: list[bytes]) -> tuple[list[bytes], bytes, bool]:
    """Return messages, replies and whether it is over, as the library has them."""
    protocol = Protocol(Side.SERVER, state=State.OPEN, max_size=MAX)
    messages: list[bytes] = []
    parts = b""
    replies = b""
    for piece in pieces:
        protocol.receive_data(piece)
        for event in protocol.events_received():
            assert isinstance(event, Frame)
            if event.opcode in {Opcode.BINARY, Opcode.CONT}:
                parts += event.data
                if event.fin:
                    messages.append(parts)
                    parts = b""
        for out in protocol.data_to_send():
            if not out:
                return messages, replies, True
            replies += out
    return messages, replies, False


frames_of_all_kinds = st.builds(
    lambda head, is_masked, payload: (
        bytes([head, (0x80 if is_masked else 0) | len(payload)])
        + bytes(4 if is_masked else 0)
        + payload
    ),
    st.sampled_from([0x82, 0x82, 0x02, 0x00, 0x80, 0x89, 0x8A, 0x88, 0x09, 0xC2]),
    st.sampled_from([True, True, True, False]),
    st.binary(max_size=100) | st.just((1000).to_bytes(2)),
)


@given(st.lists(frames_of_all_kinds, max_size=8), st.integers(1, 50))
def test_our_verdicts_are_the_librarys(whole: list[bytes], step: int) -> None:
    data = b"".join(whole)
    pieces = [data[start : start + step] for start in range(0, len(data), step)]
    reader = FrameReader(MAX)
    messages: list[bytes] = []
    replies = b""
    for piece in pieces:
        messages += reader.feed(piece)
        replies += reader.take_replies()
    expected, their_replies, is_over = library(pieces)
    assert reader.is_over is is_over
    # Reasons are words of the library; the code before them is what counts.
    assert _without_reason(replies) == _without_reason(their_replies)
    assert messages == expected


def _without_reason(replies: bytes) -> bytes:
    start = replies.find(b"\x88")
    return replies if start < 0 else replies[:start] + replies[start + 2 : start + 4]
