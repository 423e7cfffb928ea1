import errno
import queue
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from tertulia.classic import room as room_module
from tertulia.classic.errors import CannotListenError, PortInUseError
from tertulia.classic.messages import MESSAGE_LIMIT, SHORT_PAUSE, MessageReader
from tertulia.classic.notices import departure_notice, read_incoming
from tertulia.classic.server import Server, listen

TIMEOUT = 30.0


class RunningServer:
    """A server in a thread, its log, and people who connect to it."""

    def __init__(self, stack: ExitStack, host: str = "127.0.0.1") -> None:
        self._stack = stack
        self.log: queue.Queue[str] = queue.Queue()
        listener = listen(host, 0)
        self.port: int = listener.getsockname()[1]
        self.server = Server(listener, self.log.put)
        self.thread = threading.Thread(target=self.server.serve)
        self.thread.start()
        stack.callback(self.stop)

    def stop(self) -> None:
        self.server.stop()
        self.thread.join(TIMEOUT)
        assert not self.thread.is_alive()

    def enter(self, ip: str = "127.0.0.1") -> socket.socket:
        """Return a connection that the server has taken into the room."""
        person = socket.create_connection((ip, self.port), timeout=TIMEOUT)
        self._stack.enter_context(person)
        assert self.said() == f"Connection established from {address_of(person)}"
        return person

    def said(self) -> str:
        return self.log.get(timeout=TIMEOUT)


def address_of(person: socket.socket) -> tuple[str, int]:
    ip, port, *_rest = person.getsockname()
    return (ip, port)


def received(person: socket.socket, length: int) -> bytes:
    data = b""
    while len(data) < length and (more := person.recv(length - len(data))):
        data += more
    return data


@pytest.fixture
def running() -> Iterator[RunningServer]:
    with ExitStack() as stack:
        yield RunningServer(stack)


def test_a_message_reaches_all_but_its_sender_byte_for_byte(
    running: RunningServer,
) -> None:
    ana, blas, cira = running.enter(), running.enter(), running.enter()
    ana.sendall("Kxk: ¡Ryvk!".encode())
    assert running.said() == f"Message received from {address_of(ana)}: Kxk: ¡Ryvk!"
    blas.sendall(b"Lvkc: Aeo dkv")
    expected = "Kxk: ¡Ryvk!".encode() + b"Lvkc: Aeo dkv"
    assert received(cira, len(expected)) == expected
    assert received(blas, len("Kxk: ¡Ryvk!".encode())) == "Kxk: ¡Ryvk!".encode()
    assert received(ana, len(b"Lvkc: Aeo dkv")) == b"Lvkc: Aeo dkv"


def test_a_departure_is_logged_told_to_others_and_ends_the_thread(
    running: RunningServer,
) -> None:
    before = threading.active_count()
    ana, blas = running.enter(), running.enter()
    address = address_of(ana)
    ana.close()
    assert running.said() == f"Connection closed from {address}"
    assert read_incoming(MessageReader(blas).read() or "", 10) == f"{address} has left"
    assert len(running.server._room.members()) == 1
    blas.close()
    running.said()
    running.stop()
    assert threading.active_count() < before


def test_two_quick_messages_reach_a_reader_one_by_one(running: RunningServer) -> None:
    ana, blas, cira = running.enter(), running.enter(), running.enter()
    reader = MessageReader(cira)
    begin = time.monotonic()
    ana.sendall(b"Ana: one")
    running.said()
    blas.sendall(b"Blas: two")
    running.said()
    ana.sendall(b"Ana: three")
    assert [reader.read() for _ in range(3)] == ["Ana: one", "Blas: two", "Ana: three"]
    assert time.monotonic() - begin >= 2 * SHORT_PAUSE


def test_long_messages_of_simultaneous_senders_do_not_interleave(
    running: RunningServer,
) -> None:
    people = [running.enter() for _ in range(3)]
    reader = running.enter()
    messages = [mark * 60_000 for mark in (b"a", b"b", b"c")]
    threads = [
        threading.Thread(target=person.sendall, args=(message,))
        for person, message in zip(people, messages, strict=True)
    ]
    for thread in threads:
        thread.start()
    arrived = received(reader, 180_000)
    for thread in threads:
        thread.join(TIMEOUT)
    assert sorted(arrived[at : at + 60_000] for at in (0, 60_000, 120_000)) == messages


def test_a_character_cut_in_two_arrives_whole(running: RunningServer) -> None:
    ana, blas = running.enter(), running.enter()
    for byte in "Ana: Sí, señor".encode():
        ana.sendall(bytes([byte]))
    whole = "Ana: Sí, señor".encode()
    assert received(blas, len(whole)) == whole


def test_garbage_harms_nobody(running: RunningServer) -> None:
    ana, blas = running.enter(), running.enter()
    ana.sendall(b"\xff\xfe\x1b[2J\r\nok")
    assert running.said().endswith(": \ufffd\ufffd\\x1b[2J\\r\\nok")
    assert received(blas, 14) == "\ufffd\ufffd\x1b[2J\r\nok".encode()
    blas.sendall(b"still here")
    assert received(ana, 10) == b"still here"


def test_a_slow_reader_is_disconnected_and_the_room_goes_on(
    running: RunningServer,
) -> None:
    ana, blas, slow = running.enter(), running.enter(), running.enter()
    block = b"a" * MESSAGE_LIMIT
    verdict = f"Disconnected for reading too slowly: {address_of(slow)}"
    said: list[str] = []
    heard = b""
    for _ in range(100):  # 100 MiB: far more than any system keeps for a reader
        ana.sendall(block * 4)
        heard = received(blas, len(block) * 4)
        while not running.log.empty():
            said.append(running.log.get_nowait())
        if verdict in said:
            break
    assert verdict in said
    closed = f"Connection closed from {address_of(slow)}"
    while closed not in said:
        said.append(running.said())
    # The notice may have come before the last of the blocks.
    notice = departure_notice(address_of(slow)).encode()
    heard += received(blas, len(notice))
    assert heard.count(notice) == 1
    assert heard.replace(notice, b"") == block * 4


def test_a_full_room_turns_people_away(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room_module.Room.__init__, "__defaults__", (1,))
    with ExitStack() as stack:
        running = RunningServer(stack)
        running.enter()
        late = running.enter()
        assert running.said() == f"The room is full: {address_of(late)} was turned away"
        assert late.recv(1) == b""


def test_stopping_ends_every_connection_and_frees_the_port(
    running: RunningServer,
) -> None:
    ana, blas = running.enter(), running.enter()
    running.stop()
    read_to_the_end(ana)  # times out if it does not end
    read_to_the_end(blas)
    with listen("127.0.0.1", running.port) as again:
        assert again.getsockname()[1] == running.port


def read_to_the_end(person: socket.socket) -> None:
    while person.recv(MESSAGE_LIMIT):
        pass


def test_a_port_in_use_is_said_so() -> None:
    with listen("127.0.0.1", 0) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(PortInUseError) as raised:
            listen("127.0.0.1", port)
    assert (raised.value.host, raised.value.port) == ("127.0.0.1", port)


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (OSError(errno.EACCES, "no"), "forbidden"),
        (OSError(errno.EADDRNOTAVAIL, "no"), "not-here"),
        (socket.gaierror(), "not-here"),
        (OSError(errno.EIO, "no"), "failed"),
    ],
)
def test_other_refusals_of_the_system_keep_their_reason(
    error: OSError, reason: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_arguments: object, **_options: object) -> None:
        raise error

    monkeypatch.setattr(socket, "create_server", refuse)
    with pytest.raises(CannotListenError) as raised:
        listen("host", 80)
    assert (raised.value.reason, raised.value.__cause__) == (reason, error)


@pytest.mark.skipif(not socket.has_dualstack_ipv6(), reason="no IPv6 on this machine")
def test_both_families_are_served_and_ipv4_is_shown_as_such() -> None:
    with ExitStack() as stack:
        running = RunningServer(stack, "::")
        running.enter("127.0.0.1")
        running.enter("::1")


class Unwilling:
    """A listener whose first answer is a failure of the system."""

    def __init__(self, server_side: socket.socket) -> None:
        self._answers: list[OSError | tuple[socket.socket, tuple[str, int]]] = [
            OSError(errno.ECONNABORTED, "gone before it was taken"),
            (server_side, ("192.0.2.1", 9)),
        ]
        self.used_up = threading.Event()

    def settimeout(self, _seconds: float) -> None:
        pass

    def accept(self) -> tuple[socket.socket, tuple[str, int]]:
        if not self._answers:
            self.used_up.set()
            raise TimeoutError
        answer = self._answers.pop(0)
        if isinstance(answer, OSError):
            raise answer
        return answer

    def close(self) -> None:
        pass


def test_a_failed_accept_does_not_end_the_server() -> None:
    near, far = socket.socketpair()
    with near, far:
        listener = Unwilling(near)
        log: list[str] = []
        server = Server(listener, log.append)  # type: ignore[arg-type]
        thread = threading.Thread(target=server.serve)
        thread.start()
        assert listener.used_up.wait(TIMEOUT)
        server.stop()
        thread.join(TIMEOUT)
    assert log == [
        "Connection established from ('192.0.2.1', 9)",
        "Connection closed from ('192.0.2.1', 9)",
    ]
