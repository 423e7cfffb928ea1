"""Our programs against the first ones, on the wire, byte for byte."""

import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from tertulia.classic.client import Client, connect
from tertulia.classic.server import Server, listen
from tests.classic import origin

TIMEOUT = 30.0
PROGRAM = Path(origin.__file__)


class Program:
    """One of the first programs, running."""

    def __init__(self, *arguments: str) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-X", "utf8", PROGRAM, *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            encoding="utf-8",
        )

    def types(self, line: str) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(line + "\n")
        self._process.stdin.flush()

    def shows(self) -> str:
        assert self._process.stdout is not None
        return self._process.stdout.readline().rstrip("\n")

    def ends(self) -> int:
        return self._process.wait(TIMEOUT)

    def kill(self) -> None:
        self._process.kill()
        self._process.communicate()


@contextmanager
def program(*arguments: str) -> Iterator[Program]:
    running = Program(*arguments)
    watchdog = threading.Timer(TIMEOUT, running.kill)  # a read has no timeout
    watchdog.start()
    try:
        yield running
    finally:
        watchdog.cancel()
        running.kill()


class OurServer:
    """Our server in a thread."""

    def __init__(self) -> None:
        listener = listen("127.0.0.1", 0)
        self.port: int = listener.getsockname()[1]
        self._entered = threading.Semaphore(0)
        self._server = Server(listener, self._notice)
        self._thread = threading.Thread(target=self._server.serve)
        self._thread.start()

    def _notice(self, line: str) -> None:
        if line.startswith("Connection established"):
            self._entered.release()

    def someone_enters(self) -> None:
        assert self._entered.acquire(timeout=TIMEOUT)

    def stop(self) -> None:
        self._server.stop()
        self._thread.join(TIMEOUT)
        assert not self._thread.is_alive()


@pytest.fixture
def our_server() -> Iterator[OurServer]:
    server = OurServer()
    yield server
    server.stop()


class Person:
    """Our client, with a script for a terminal."""

    def __init__(self, port: int, name: str, lines: list[str]) -> None:
        self._lines = lines
        self._speak = threading.Semaphore(0)
        self._shown: list[str] = []
        self._heard = threading.Semaphore(0)
        self._client = Client(connect("127.0.0.1", port), name, 10, self)
        self._thread = threading.Thread(target=self._client.run)
        self._thread.start()

    def ask(self, question: str) -> str:
        raise AssertionError(question)

    def lines(self) -> Iterator[str]:
        for line in [*self._lines, "FIN"]:
            assert self._speak.acquire(timeout=TIMEOUT)
            yield line

    def show(self, line: str) -> None:
        self._shown.append(line)
        self._heard.release()

    def close(self) -> None:
        pass

    def speaks(self) -> None:
        self._speak.release()

    def hears(self) -> str:
        assert self._heard.acquire(timeout=TIMEOUT)
        return self._shown[-1]

    def leaves(self) -> None:
        self._speak.release()
        self._thread.join(TIMEOUT)
        assert not self._thread.is_alive()


def test_the_known_fault_of_the_first_cipher() -> None:
    assert origin.decrypt(origin.encrypt("Sí")) == "Sk"


def test_first_clients_talk_through_our_server(our_server: OurServer) -> None:
    port = str(our_server.port)
    with ExitStack() as stack:
        ana = stack.enter_context(program("client", "127.0.0.1", port, "Ana"))
        two = stack.enter_context(program("client", "127.0.0.1", port, "Ordenador 2"))
        our_server.someone_enters()
        our_server.someone_enters()
        two.types("¡Hola! Soy el Ordenador 2")
        assert ana.shows() == "Ordenador 2: ¡Hola! Soy el Ordenador 2"
        ana.types("¿Eres Ordenador 2?")
        assert two.shows() == "Ana: ¿Eres Ordenador 2?"
        two.types("fin")
        assert two.ends() == 0
        departure = ana.shows()
        assert departure.startswith("('127.0.0.1', ")
        assert departure.endswith(") has left")


def test_our_client_and_a_first_client_through_our_server(
    our_server: OurServer,
) -> None:
    ours = Person(our_server.port, "Ordenador 2", ["¡Hola! Soy el Ordenador 2"])
    our_server.someone_enters()
    with program("client", "127.0.0.1", str(our_server.port), "Ana") as first:
        our_server.someone_enters()
        first.types("¿Quién anda ahí?")
        assert ours.hears() == "Ana: ¿Quign anda ahk?"  # garbled by the sender
        ours.speaks()
        assert first.shows() == "Ordenador 2: ¡Hola! Soy el Ordenador 2"
        ours.leaves()
        assert first.shows().endswith(") has left")


def test_our_clients_talk_through_the_first_server() -> None:
    with program("server", "0") as server:
        assert server.shows() == "El servidor se encuentra en: 127.0.0.1"
        port = int(server.shows().removeprefix("Puerto: "))
        assert server.shows() == "Esperando conexión con clientes..."
        ana = Person(port, "Ana", ["Sí, ¿qué tal?"])
        assert server.shows().startswith("Conexión establecida desde ('127.0.0.1', ")
        two = Person(port, "Ordenador 2", ["¡Hola! Soy el Ordenador 2"])
        assert server.shows().startswith("Conexión establecida desde ('127.0.0.1', ")
        two.speaks()
        assert server.shows().endswith("): Ybnoxknyb 2: ¡Ryvk! Cyi ov Ybnoxknyb 2")
        assert ana.hears() == "Ordenador 2: ¡Hola! Soy el Ordenador 2"
        ana.speaks()
        assert server.shows().endswith("): Kxk: Cí, ¿aeé dkv?")
        assert two.hears() == "Ana: Sí, ¿qué tal?"
        ana.leaves()
        two.leaves()
