"""An afternoon in the classic chat: real processes, in Spanish, as the report has it."""

import os
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import ExitStack

import pytest

TIMEOUT = 30.0
LOCALE = {"LANGUAGE", "LANG", "LC_ALL", "LC_CTYPE", "LC_MESSAGES", "PYTHONUTF8"}


def spanish() -> dict[str, str]:
    """Return an environment that speaks Spanish, whatever locales are installed."""
    rest = {name: value for name, value in os.environ.items() if name not in LOCALE}
    return {**rest, "LANGUAGE": "es", "LANG": "es_ES.UTF-8"}


class Program:
    """`tertulia classic`, with pipes for a terminal."""

    def __init__(self, *arguments: str) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tertulia", "classic", *arguments],
            env=spanish(),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            encoding="utf-8",
        )
        self._watchdog = threading.Timer(TIMEOUT, self.process.kill)
        self._watchdog.start()

    def shows(self) -> str:
        assert self.process.stdout is not None
        return self.process.stdout.readline().removesuffix("\n")

    def types(self, line: str) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()

    def ends(self) -> tuple[int, str, str]:
        """Return the exit code and what was left to read of both outputs."""
        output, errors = self.process.communicate(timeout=TIMEOUT)
        return self.process.returncode, output, errors

    def close(self) -> None:
        self._watchdog.cancel()
        self.process.kill()
        with self.process:  # closes the pipes and waits
            pass


class Afternoon:
    """A server and those who enter it."""

    def __init__(self, stack: ExitStack) -> None:
        self._stack = stack
        self.server = self.start("server", "--host", "127.0.0.1", "--port", "0")
        assert self.server.shows() == "El servidor se encuentra en: 127.0.0.1"
        self.server.shows()  # that others cannot reach it
        self.port = self.server.shows().removeprefix("Puerto: ")
        assert self.server.shows() == "Esperando conexión con clientes..."

    def start(self, *arguments: str) -> Program:
        program = Program(*arguments)
        self._stack.callback(program.close)
        return program

    def enter(self, name: str) -> tuple[Program, str]:
        """Return a client that the server has let in, and its address."""
        client = self.start("client", "--port", self.port)
        client.types("127.0.0.1")
        client.types(name)
        welcome = self.server.shows()
        found = re.fullmatch(
            r"Conexión establecida desde (\('127\.0\.0\.1', \d+\))", welcome
        )
        assert found, welcome
        return client, found[1]


QUESTIONS = "Escribe la IP del servidor: Escribe tu nombre de usuario: "


@pytest.fixture
def afternoon() -> Iterator[Afternoon]:
    with ExitStack() as stack:
        yield Afternoon(stack)


def test_a_conversation_a_crash_a_farewell_and_the_end(afternoon: Afternoon) -> None:
    server = afternoon.server
    ana, _ana_at = afternoon.enter("Ana")
    two, two_at = afternoon.enter("Ordenador 2")
    cira, cira_at = afternoon.enter("Cira")

    two.types("¡Hola! Soy el Ordenador 2")
    ciphertext = "Ybnoxknyb 2: ¡Ryvk! Cyi ov Ybnoxknyb 2"
    assert server.shows() == f"Mensaje recibido desde {two_at}: {ciphertext}"
    greeting = "Ordenador 2: ¡Hola! Soy el Ordenador 2"
    assert ana.shows() == QUESTIONS + greeting
    assert cira.shows() == QUESTIONS + greeting

    cira.types("Sí, ¿qué tal el pingüino de Íñigo?")
    assert server.shows().startswith(f"Mensaje recibido desde {cira_at}: Msbk: Cí, ¿")
    assert two.shows() == QUESTIONS + "Cira: Sí, ¿qué tal el pingüino de Íñigo?"
    assert ana.shows() == "Cira: Sí, ¿qué tal el pingüino de Íñigo?"

    cira.process.kill()
    assert server.shows() == f"Conexión cerrada desde {cira_at}"
    assert ana.shows() == f"{cira_at} se ha ido"
    assert two.shows() == f"{cira_at} se ha ido"

    two.types("fin")
    assert server.shows() == f"Conexión cerrada desde {two_at}"
    assert two.ends() == (0, "", "")
    assert ana.shows() == f"{two_at} se ha ido"

    server.process.send_signal(signal.SIGINT)
    code, output, errors = server.ends()
    assert (code, errors) == (0, "")
    assert output.endswith("El servidor se ha detenido.\n")
    code, output, errors = ana.ends()
    assert code != 0
    assert output == ""
    assert afternoon.port in errors
    assert "Traceback" not in errors


def test_a_script_sends_all_its_lines_before_it_leaves(afternoon: Afternoon) -> None:
    reader, _at = afternoon.enter("Ana")
    script, at = afternoon.enter("Guion")
    lines = [f"línea {number}" for number in range(10)]
    for line in lines:
        script.types(line)
    assert script.process.stdin is not None
    script.process.stdin.close()
    expected = "".join(f"Guion: {line}" for line in lines) + f"{at} se ha ido"
    # Lines that a busy system delivers together are shown together.
    heard = reader.shows().removeprefix(QUESTIONS)
    while len(heard) < len(expected) and (more := reader.shows()):
        heard += more
    assert heard == expected


def test_an_interrupted_client_ends_cleanly(
    afternoon: Afternoon,
) -> None:
    client, at = afternoon.enter("Ana")
    client.process.send_signal(signal.SIGINT)
    code, output, errors = client.ends()
    assert (code, output.rstrip(), errors) == (0, QUESTIONS.rstrip(), "")
    assert afternoon.server.shows() == f"Conexión cerrada desde {at}"


def test_a_second_server_on_the_same_port_is_told_why_not(afternoon: Afternoon) -> None:
    second = afternoon.start("server", "--host", "127.0.0.1", "--port", afternoon.port)
    code, output, errors = second.ends()
    assert code != 0
    assert output == ""
    assert afternoon.port in errors
    assert "Traceback" not in errors
