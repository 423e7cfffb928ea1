"""The client: encrypts what is typed, shows what arrives.

Two threads, as in the first program: one waits for the keyboard and sends, one waits
for the server and shows. The main thread waits for either to end, or for Ctrl-C, and
then leaves politely: it says that nothing more will come and reads on until the server
hangs up. To close at once would be quicker and worse: where unread messages lie in a
closed connection, TCP resets it, and the last lines we sent are thrown away.
"""

import contextlib
import queue
import socket
import threading
import time

from tertulia.classic.caesar import encrypt
from tertulia.classic.errors import ConnectReason, ServerGoneError, UnreachableError
from tertulia.classic.messages import MessageReader, pause_after, prepare, to_bytes
from tertulia.classic.notices import read_incoming
from tertulia.classic.terminal import Terminal, visible

CONNECT_TIMEOUT = 10.0

# Seconds for the server to hang up after us. The first server never did.
LINGER = 1.0

# Seconds between two moments at which Ctrl-C is surely noticed: some systems do not
# wake a waiting main thread for it.
LOOK_AROUND = 0.2


def connect(host: str, port: int) -> socket.socket:
    """Return a connection to the server. Raises UnreachableError."""
    try:
        connection = socket.create_connection((host, port), timeout=CONNECT_TIMEOUT)
    except (OSError, UnicodeError) as error:  # a name may be impossible to encode
        raise UnreachableError(host, port, _reason(error)) from error
    connection.settimeout(None)
    prepare(connection)
    return connection


def _reason(error: OSError | UnicodeError) -> ConnectReason:
    match error:
        case ConnectionRefusedError():
            return "refused"
        case TimeoutError():
            return "no-answer"
        case socket.gaierror() | UnicodeError():
            return "unknown-name"
        case _:
            return "no-route"


def is_farewell(line: str) -> bool:
    """Tell whether `line` is the word that leaves: FIN, in any case."""
    return line.strip().lower() == "fin"


class Client:
    """One conversation over `connection`, which it closes at the end."""

    def __init__(
        self, connection: socket.socket, name: str, key: int, terminal: Terminal
    ) -> None:
        self._connection = connection
        self._server = connection.getpeername()[:2]
        self._name = name
        self._key = key
        self._terminal = terminal
        self._leaving = False
        # Each thread puts one item when it ends: True if the person wants to leave.
        self._endings: queue.SimpleQueue[bool] = queue.SimpleQueue()

    def run(self) -> None:
        """Talk until the person leaves. Raises ServerGoneError if the server does."""
        receiver = threading.Thread(target=self._receive, daemon=True)
        receiver.start()
        threading.Thread(target=self._send_typed, daemon=True).start()
        try:
            wants_to_leave = self._first_ending()
        except KeyboardInterrupt:
            wants_to_leave = True
        finally:
            self._leave(receiver)
        if not wants_to_leave:
            raise ServerGoneError(*self._server)

    def _first_ending(self) -> bool:
        while True:
            with contextlib.suppress(queue.Empty):
                return self._endings.get(timeout=LOOK_AROUND)

    def _send_typed(self) -> None:
        try:
            for line in self._terminal.lines():
                if is_farewell(line):
                    break
                if line:
                    self._send(line)
            self._endings.put(True)  # noqa: FBT003
        except OSError:
            self._endings.put(False)  # noqa: FBT003

    def _send(self, line: str) -> None:
        message = to_bytes(encrypt(f"{self._name}: {line}", self._key))
        self._connection.sendall(message)
        time.sleep(pause_after(message))

    def _receive(self) -> None:
        reader = MessageReader(self._connection)
        while (ciphertext := reader.read()) is not None:
            if not self._leaving:
                self._terminal.show(visible(read_incoming(ciphertext, self._key)))
        self._endings.put(False)  # noqa: FBT003

    def _leave(self, receiver: threading.Thread) -> None:
        self._leaving = True
        self._terminal.close()
        self._shut_down(socket.SHUT_WR)
        receiver.join(LINGER)
        self._shut_down(socket.SHUT_RDWR)
        receiver.join(LINGER)
        self._connection.close()

    def _shut_down(self, direction: int) -> None:
        with contextlib.suppress(OSError):  # the server was faster
            self._connection.shutdown(direction)
