"""Somebody between a relay and one member, who changes what the member gets."""

import contextlib
import socket
import threading
from collections.abc import Callable, Iterator

from bench.relay.load import LOOPBACK

MARKER = b"@tertulia@"
PAYLOAD = 300

# From the messages of the relay that hold payloads, in order, to what is passed on.
Meddling = Callable[[Iterator[bytes]], Iterator[bytes]]


def lose_first(messages: Iterator[bytes]) -> Iterator[bytes]:
    next(messages)
    yield from messages


def repeat_first(messages: Iterator[bytes]) -> Iterator[bytes]:
    first = next(messages)
    yield first
    yield first
    yield from messages


def alter_first(messages: Iterator[bytes]) -> Iterator[bytes]:
    yield _flip(next(messages), PAYLOAD - 1)
    yield from messages


def misdate_first(messages: Iterator[bytes]) -> Iterator[bytes]:
    """Change the last digit of when the message was due."""
    yield _flip(next(messages), len(MARKER) + 4 + 8 + 15)
    yield from messages


def swap_first_two(messages: Iterator[bytes]) -> Iterator[bytes]:
    """The first two payloads change places, in one message or in two."""
    data = b""
    while data.count(MARKER) < 2:
        data += next(messages)
    one = data.index(MARKER)
    other = data.index(MARKER, one + PAYLOAD)
    yield (
        data[:one]
        + data[other : other + PAYLOAD]
        + data[one + PAYLOAD : other]
        + data[one : one + PAYLOAD]
        + data[other + PAYLOAD :]
    )
    yield from messages


def end_after_first(messages: Iterator[bytes]) -> Iterator[bytes]:
    yield next(messages)


def _flip(message: bytes, offset: int) -> bytes:
    at = message.index(MARKER) + offset
    return message[:at] + bytes((message[at] ^ 1,)) + message[at + 1 :]


@contextlib.contextmanager
def between(port: int, meddling: Meddling) -> Iterator[int]:
    """Pass one connection on to a port; yield the port to connect to instead."""
    listener = socket.create_server((LOOPBACK, 0))
    ends: list[socket.socket] = [listener]

    def up(client: socket.socket, relay: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while data := client.recv(65536):
                relay.sendall(data)
        with contextlib.suppress(OSError):
            relay.shutdown(socket.SHUT_RDWR)

    def down() -> None:
        client, _ = listener.accept()
        relay = socket.create_connection((LOOPBACK, port))
        ends.extend((client, relay))
        threads.append(threading.Thread(target=up, args=(client, relay)))
        threads[-1].start()
        with contextlib.suppress(OSError, EOFError):
            client.sendall(_head(relay))
            for message in meddling(_payloads(client, relay)):
                client.sendall(message)
            client.shutdown(socket.SHUT_RDWR)

    threads = [threading.Thread(target=down)]
    threads[0].start()
    try:
        yield int(listener.getsockname()[1])
    finally:
        for end in ends:
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
            end.close()
        for thread in threads:
            thread.join(10)


def _payloads(client: socket.socket, relay: socket.socket) -> Iterator[bytes]:
    """Yield the messages with payloads; pass on all others at once."""
    while True:
        message = _message(relay)
        if MARKER in message:
            yield message
        else:
            client.sendall(message)


def _head(relay: socket.socket) -> bytes:
    head = b""
    while not head.endswith(b"\r\n\r\n"):
        head += _read(relay, 1)
    return head


def _message(relay: socket.socket) -> bytes:
    head = _read(relay, 2)
    size = head[1]
    if size >= 126:
        length = _read(relay, 2 if size == 126 else 8)
        head, size = head + length, int.from_bytes(length)
    return head + _read(relay, size)


def _read(relay: socket.socket, size: int) -> bytes:
    data = b""
    while len(data) < size:
        got = relay.recv(size - len(data))
        if not got:
            raise EOFError
        data += got
    return data
