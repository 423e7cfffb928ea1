import queue
import socket
import threading
import time
from collections.abc import Iterator

import pytest

from tertulia.classic import client as client_module
from tertulia.classic.client import Client, connect, is_farewell
from tertulia.classic.errors import ServerGoneError, UnreachableError
from tertulia.classic.messages import SHORT_PAUSE
from tertulia.classic.notices import departure_notice

TIMEOUT = 30.0


class Script:
    """A terminal at which nobody sits: the test types and reads."""

    def __init__(self) -> None:
        self.typed: queue.Queue[str | None] = queue.Queue()
        self.shown: queue.Queue[str] = queue.Queue()
        self.closed = False

    def ask(self, question: str) -> str:
        raise AssertionError(question)

    def lines(self) -> Iterator[str]:
        while (line := self.typed.get(timeout=TIMEOUT)) is not None:
            yield line

    def show(self, line: str) -> None:
        self.shown.put(line)

    def close(self) -> None:
        self.closed = True


class Conversation:
    """A client in a thread, with the server's end of its connection."""

    def __init__(self, key: int = 10) -> None:
        self.terminal = Script()
        with socket.create_server(("127.0.0.1", 0)) as listener:
            connection = connect(*listener.getsockname())
            self.server, _address = listener.accept()
        self.server.settimeout(TIMEOUT)
        self.port = self.server.getsockname()[1]
        self.outcome: queue.Queue[ServerGoneError | None] = queue.Queue()
        self.client = Client(connection, "Ordenador 2", key, self.terminal)
        self.thread = threading.Thread(target=self._run)
        self.thread.start()

    def _run(self) -> None:
        try:
            self.client.run()
        except ServerGoneError as error:
            self.outcome.put(error)
        else:
            self.outcome.put(None)

    def ended(self) -> ServerGoneError | None:
        outcome = self.outcome.get(timeout=TIMEOUT)
        self.thread.join(TIMEOUT)
        return outcome

    def close(self) -> None:
        self.terminal.typed.put(None)
        self.server.close()
        self.thread.join(TIMEOUT)
        assert not self.thread.is_alive()


@pytest.fixture
def conversation() -> Iterator[Conversation]:
    conversation = Conversation()
    yield conversation
    conversation.close()


def received(connection: socket.socket, length: int) -> bytes:
    data = b""
    while len(data) < length and (more := connection.recv(length - len(data))):
        data += more
    return data


def test_what_is_typed_is_sent_as_the_report_shows(conversation: Conversation) -> None:
    conversation.terminal.typed.put("¡Hola! Soy el Ordenador 2")
    expected = "Ybnoxknyb 2: ¡Ryvk! Cyi ov Ybnoxknyb 2".encode()
    assert received(conversation.server, len(expected)) == expected


def test_lines_are_sent_with_a_silence_between_them(conversation: Conversation) -> None:
    begin = time.monotonic()
    for line in ("a", "b", "c"):
        conversation.terminal.typed.put(line)
    expected = b"Ybnoxknyb 2: kYbnoxknyb 2: lYbnoxknyb 2: m"
    assert received(conversation.server, len(expected)) == expected
    assert time.monotonic() - begin >= 2 * SHORT_PAUSE


def test_what_arrives_is_shown_decrypted(conversation: Conversation) -> None:
    conversation.server.sendall("Kxk: Cí, ñkxnú".encode())
    assert conversation.terminal.shown.get(timeout=TIMEOUT) == "Ana: Sí, ñandú"


def test_what_arrives_cannot_command_the_terminal(conversation: Conversation) -> None:
    conversation.server.sendall(b"Kxk: \x1b]0;x\x07\r\xff")
    shown = conversation.terminal.shown.get(timeout=TIMEOUT)
    assert shown == "Ana: \\x1b]0;n\\x07\\r\ufffd"


def test_another_key_is_used_for_all_but_notices() -> None:
    conversation = Conversation(key=1)
    conversation.server.sendall(b"Bob: ipmb")
    assert conversation.terminal.shown.get(timeout=TIMEOUT) == "Ana: hola"
    conversation.server.sendall(departure_notice(("192.0.2.7", 9)).encode())
    notice = conversation.terminal.shown.get(timeout=TIMEOUT)
    assert notice == "('192.0.2.7', 9) has left"
    conversation.close()


@pytest.mark.parametrize("farewell", ["FIN", "fin", " Fin "])
def test_the_farewell_leaves_and_is_not_sent(
    conversation: Conversation, farewell: str
) -> None:
    conversation.terminal.typed.put("hola")
    conversation.terminal.typed.put("")
    conversation.terminal.typed.put(farewell)
    assert received(conversation.server, 1000) == b"Ybnoxknyb 2: ryvk"
    conversation.server.close()
    assert conversation.ended() is None
    assert conversation.terminal.closed


@pytest.mark.parametrize("line", ["FINAL", "el fin", "", "f i n"])
def test_other_words_are_no_farewell(line: str) -> None:
    assert not is_farewell(line)


def test_the_end_of_input_leaves_after_all_was_sent(conversation: Conversation) -> None:
    for line in ("uno", "dos", None):
        conversation.terminal.typed.put(line)
    # Unread messages at a closing client must not cost its own last lines.
    conversation.server.sendall(b"Kxk: dboc")
    assert received(conversation.server, 1000) == b"Ybnoxknyb 2: exyYbnoxknyb 2: nyc"
    conversation.server.close()
    assert conversation.ended() is None


def test_a_server_that_never_hangs_up_delays_a_departure_only_a_little(
    conversation: Conversation,
) -> None:
    conversation.terminal.typed.put(None)
    assert conversation.ended() is None


def test_a_server_that_hangs_up_delays_a_departure_not_at_all(
    conversation: Conversation, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(client_module, "LINGER", 2 * TIMEOUT)
    conversation.terminal.typed.put(None)
    assert conversation.server.recv(1) == b""
    conversation.server.close()
    assert conversation.ended() is None


def test_a_server_that_goes_is_told_with_its_address(
    conversation: Conversation,
) -> None:
    conversation.server.close()
    error = conversation.ended()
    assert error is not None
    assert (error.host, error.port) == ("127.0.0.1", conversation.port)
    assert conversation.terminal.closed


def test_nobody_there_is_refused() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        host, port = listener.getsockname()
    with pytest.raises(UnreachableError) as raised:
        connect(host, port)
    assert (raised.value.host, raised.value.port) == (host, port)
    assert raised.value.reason == "refused"


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (TimeoutError(), "no-answer"),
        (socket.gaierror(), "unknown-name"),
        (UnicodeError(), "unknown-name"),
        (OSError(113, "no route"), "no-route"),
    ],
)
def test_other_failures_keep_their_reason(
    error: Exception, reason: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_arguments: object, **_options: object) -> None:
        raise error

    monkeypatch.setattr(socket, "create_connection", fail)
    with pytest.raises(UnreachableError) as raised:
        connect("host", 8000)
    assert raised.value.reason == reason
