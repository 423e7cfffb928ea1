"""The least that durable delivery costs a Python program on this machine.

The same way without any rules: the writer writes a page, syncs it and sends so many
bytes as an entry has; the relay writes, syncs and passes them on; the reader writes and
syncs. Three processes, blocking sockets, TLS 1.3, nothing else.
"""

import itertools
import multiprocessing
import os
import socket
import ssl
import time
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path

from tests.running_relay import LOOPBACK

MESSAGE = 700  # bytes of an entry with a short text
PAGE = bytes(4096)
PAGES = 1024
PAUSE = 0.02


@dataclass(frozen=True, slots=True)
class Limit:
    """Seconds of each round."""

    sync: list[float]
    whole: list[float]


class _Journal:
    """A file that is written over again and again, as SQLite does with its -wal file."""

    def __init__(self, path: Path) -> None:
        path.write_bytes(PAGE * PAGES)
        self._file = path.open("r+b", buffering=0)
        os.fsync(self._file.fileno())
        self._places = itertools.cycle(range(0, len(PAGE) * PAGES, len(PAGE)))

    def append(self) -> None:
        self._file.seek(next(self._places))
        self._file.write(PAGE)
        os.fdatasync(self._file.fileno())


def limit(folder: Path, rounds: int) -> Limit:
    """Measure it; `folder` has the certificate of a relay in `relay`."""
    context = multiprocessing.get_context("spawn")
    pipe, for_relay = context.Pipe()
    reader_pipe, for_reader = context.Pipe()
    relay = context.Process(target=_relay, args=(folder, for_relay), daemon=True)
    relay.start()
    for_relay.close()  # so that its end is heard here
    port = pipe.recv()
    reader = context.Process(
        target=_read, args=(folder, port, rounds, for_reader), daemon=True
    )
    reader.start()
    for_reader.close()
    try:
        reader_pipe.recv()
        entered, syncs = _write(folder, port, rounds)
        shown = reader_pipe.recv()
    finally:
        relay.kill()
        reader.kill()
        relay.join()
        reader.join()
    return Limit(syncs, [b - a for a, b in zip(entered, shown, strict=True)])


def _write(folder: Path, port: int, rounds: int) -> tuple[list[float], list[float]]:
    journal = _Journal(folder / "written")
    entered, syncs = [], []
    with _connect(port) as connection:
        for _ in range(rounds):
            entered.append(time.monotonic())
            journal.append()
            syncs.append(time.monotonic() - entered[-1])
            connection.sendall(bytes(MESSAGE))
            time.sleep(PAUSE)
    return entered, syncs


def _relay(folder: Path, pipe: Connection) -> None:
    """Pass on what the second connection sends to the first one."""
    journal = _Journal(folder / "relayed")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    data = folder / "relay"
    context.load_cert_chain(data / "certificate.pem", data / "certificate-key.pem")
    with socket.create_server((LOOPBACK, 0)) as server:
        pipe.send(server.getsockname()[1])
        reader, writer = (_accept(server, context) for _ in range(2))
        while _read_message(writer):
            journal.append()
            reader.sendall(bytes(MESSAGE))


def _accept(server: socket.socket, context: ssl.SSLContext) -> ssl.SSLSocket:
    connection, _address = server.accept()
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return context.wrap_socket(connection, server_side=True)


def _read(folder: Path, port: int, rounds: int, pipe: Connection) -> None:
    journal = _Journal(folder / "read")
    shown = []
    with _connect(port) as connection:
        pipe.send(None)  # here
        for _ in range(rounds):
            _read_message(connection)
            journal.append()
            shown.append(time.monotonic())
    pipe.send(shown)


def _connect(port: int) -> ssl.SSLSocket:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    connection = socket.create_connection((LOOPBACK, port))
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return context.wrap_socket(connection)


def _read_message(connection: ssl.SSLSocket) -> bool:
    """Read a whole message; False at the end."""
    missing = MESSAGE
    while missing:
        data = connection.recv(missing)
        if not data:
            return False
        missing -= len(data)
    return True
