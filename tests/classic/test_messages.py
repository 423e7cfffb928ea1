import socket
import threading
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tertulia.classic.messages import (
    MESSAGE_LIMIT,
    PACKET,
    SILENCE,
    MessageReader,
    pause_after,
    prepare,
    to_bytes,
)

FOREVER = 30.0


@pytest.fixture
def pair() -> Iterator[tuple[socket.socket, socket.socket]]:
    near, far = socket.socketpair()
    with near, far:
        yield near, far


Pair = tuple[socket.socket, socket.socket]


def send_from_a_thread(connection: socket.socket, data: bytes) -> threading.Thread:
    thread = threading.Thread(target=connection.sendall, args=(data,))
    thread.start()
    return thread


def test_a_short_message_is_read_without_waiting(pair: Pair) -> None:
    near, far = pair
    far.sendall(to_bytes("Ana: ¡Hola!"))
    assert (
        MessageReader(near, silence=FOREVER, patience=FOREVER).read() == "Ana: ¡Hola!"
    )


def test_a_character_cut_in_two_waits_for_its_other_half(pair: Pair) -> None:
    near, far = pair
    reader = MessageReader(near, silence=FOREVER, patience=FOREVER)
    first, second = "Sí".encode()[:2], "Sí".encode()[2:]
    texts: list[str | None] = []
    thread = threading.Thread(target=lambda: texts.append(reader.read()))
    far.sendall(first)
    thread.start()
    far.sendall(second)
    thread.join(FOREVER)
    assert texts == ["Sí"]


def test_a_half_that_comes_too_late_still_makes_the_character(pair: Pair) -> None:
    near, far = pair
    reader = MessageReader(near, patience=0.0)
    far.sendall(b"S\xc3")
    assert reader.read() == "S"
    far.sendall(b"\xad, claro")
    assert reader.read() == "í, claro"


def test_a_long_message_arrives_whole(pair: Pair) -> None:
    near, far = pair
    text = "Ana: " + "ñandú " * 20_000
    thread = send_from_a_thread(far, to_bytes(text))
    assert MessageReader(near, silence=1.0).read() == text
    thread.join(FOREVER)


def test_a_silence_ends_a_message_that_fills_packets(pair: Pair) -> None:
    near, far = pair
    reader = MessageReader(near, silence=0.0)
    far.sendall(b"a" * PACKET)
    assert reader.read() == "a" * PACKET
    far.sendall(b"b")
    assert reader.read() == "b"


def test_no_message_is_longer_than_the_limit(pair: Pair) -> None:
    near, far = pair
    thread = send_from_a_thread(far, b"a" * MESSAGE_LIMIT + b"b")
    reader = MessageReader(near, silence=1.0)
    assert reader.read() == "a" * MESSAGE_LIMIT
    assert reader.read() == "b"
    thread.join(FOREVER)


def test_garbage_becomes_replacement_characters(pair: Pair) -> None:
    near, far = pair
    reader = MessageReader(near, patience=0.0)
    far.sendall(b"\xff\xfea\x80b")
    assert reader.read() == "\ufffd\ufffda\ufffdb"


def test_the_end_is_told_again_and_again(pair: Pair) -> None:
    near, far = pair
    far.sendall(b"adi\xc3")
    far.close()
    reader = MessageReader(near)
    assert reader.read() == "adi\ufffd"
    assert reader.read() is None
    assert reader.read() is None


def test_a_broken_connection_is_an_end(pair: Pair) -> None:
    near, _far = pair
    near.close()
    assert MessageReader(near).read() is None


@given(st.binary(min_size=1, max_size=2 * PACKET), st.integers(min_value=0))
def test_any_bytes_in_any_two_pieces_are_read_to_the_end(data: bytes, cut: int) -> None:
    near, far = socket.socketpair()
    with near, far:
        reader = MessageReader(near, silence=0.0, patience=0.0)
        at = cut % len(data)
        far.sendall(data[:at])
        texts = [reader.read()] if data[:at].isascii() and at else []
        far.sendall(data[at:])
        far.shutdown(socket.SHUT_WR)
        while (text := reader.read()) is not None:
            texts.append(text)
    assert "".join(text or "" for text in texts) == data.decode("utf-8", "replace")


def test_what_cannot_travel_becomes_a_question_mark() -> None:
    assert to_bytes("a\udc80ñ") == "a?ñ".encode()


def test_the_pause_after_a_long_message_outlasts_the_silence_that_ends_it() -> None:
    assert 0 < pause_after(b"a" * (PACKET - 1)) < pause_after(b"a" * PACKET)
    assert pause_after(b"a" * PACKET) > SILENCE


def test_a_prepared_connection_sends_at_once() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        with socket.create_connection(listener.getsockname()) as connection:
            prepare(connection)
            assert connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
            assert connection.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE)
        prepare(connection)  # closed by now: no error
