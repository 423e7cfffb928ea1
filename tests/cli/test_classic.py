import argparse
import os
import signal
import socket
import sys
import threading
from collections.abc import Iterator

import pytest

from tertulia.classic import Log, Server, UnreachableError, listen
from tertulia.cli import classic

TIMEOUT = 30.0


def parse(*words: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    classic.add_parser(parser.add_subparsers())
    return parser.parse_args(["classic", *words])


def test_alone_it_starts_the_server_and_tells_how_to_join() -> None:
    arguments = parse()
    assert arguments.run is classic.run_server
    assert (arguments.host, arguments.port, arguments.hint) == (None, None, True)


def test_the_server_takes_a_host_and_a_port_and_no_key() -> None:
    arguments = parse("server", "--host", "192.0.2.7", "--port", "0")
    assert arguments.run is classic.run_server
    assert (arguments.host, arguments.port, arguments.hint) == ("192.0.2.7", 0, False)
    with pytest.raises(SystemExit):
        parse("server", "--key", "3")


def test_the_client_takes_all_it_would_ask_for() -> None:
    arguments = parse(
        "client", "--host", "::1", "--port", "9", "--name", "Ana", "--key", "-3"
    )
    assert arguments.run is classic.run_client
    assert (arguments.host, arguments.port) == ("::1", 9)
    assert (arguments.name, arguments.key) == ("Ana", -3)


@pytest.mark.parametrize("port", ["65536", "-1", "http", "", "٣"])
def test_what_is_no_port_is_refused(
    port: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        parse("server", f"--port={port}")
    assert f"{port!r} is not a port" in capsys.readouterr().err


def test_what_is_no_key_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        parse("client", "--key", "diez")
    assert "'diez' is not a key" in capsys.readouterr().err


def welcome(*found: str, on: str = "0.0.0.0", port: int = 8000) -> list[str]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("tertulia.classic.reachable_addresses", lambda _on: [*found])
        return classic._welcome(on, port, hint=False)


def test_the_usual_welcome_is_that_of_the_first_server() -> None:
    assert welcome("192.0.2.7") == [
        "The server is at: 192.0.2.7",
        "Waiting for clients to connect...",
    ]


def test_all_addresses_and_an_unusual_port_are_told() -> None:
    assert welcome("192.0.2.7", "10.0.0.1", "10.0.0.2", port=9000) == [
        "The server is at: 192.0.2.7",
        "Other addresses of this machine: 10.0.0.1, 10.0.0.2",
        "Port: 9000",
        "Waiting for clients to connect...",
    ]


@pytest.mark.parametrize(
    ("listening_on", "shown"),
    [("0.0.0.0", "127.0.0.1"), ("::", "127.0.0.1"), ("::1", "::1")],
)
def test_an_address_that_others_cannot_reach_is_told_as_such(
    listening_on: str, shown: str
) -> None:
    assert welcome(on=listening_on)[:2] == [
        f"The server is at: {shown}",
        "Only programs on this machine can reach that address.",
    ]


def test_the_hint_is_a_command_that_works() -> None:
    lines = classic._welcome("192.0.2.7", 8000, hint=True)
    assert "Others join with: tertulia classic client --host 192.0.2.7" in lines


@pytest.fixture
def _handlers() -> Iterator[None]:
    """Restore what the server installs."""
    before = {number: signal.getsignal(number) for number in (2, 15)}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.mark.usefixtures("_handlers")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_stops_the_server(
    number: signal.Signals, monkeypatch: pytest.MonkeyPatch
) -> None:
    lines: list[str] = []

    def say(_log: Log, line: str) -> None:
        lines.append(line)
        if line.startswith("Waiting"):
            signal.raise_signal(number)

    monkeypatch.setattr(Log, "say", say)
    arguments = parse("server", "--host", "127.0.0.1", "--port", "0")
    assert classic.run_server(arguments) == 0
    assert lines[-1] == "The server has stopped."


@pytest.fixture
def server() -> Iterator[int]:
    listener = listen("127.0.0.1", 0)
    server = Server(listener, lambda _line: None)
    thread = threading.Thread(target=server.serve)
    thread.start()
    yield listener.getsockname()[1]
    server.stop()
    thread.join(TIMEOUT)


def talk(monkeypatch: pytest.MonkeyPatch, typed: str, *words: str) -> int:
    """Run the client with `typed` as its whole standard input."""
    reading, writing = os.pipe()
    with os.fdopen(writing, "wb") as writer:
        writer.write(typed.encode())
    with os.fdopen(reading) as standard_input:
        monkeypatch.setattr(sys, "stdin", standard_input)
        return classic.run_client(parse("client", *words))


def test_the_client_asks_for_what_is_not_given(
    server: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with socket.create_connection(("127.0.0.1", server), timeout=TIMEOUT) as other:
        typed = "127.0.0.1\nAna\nhola\nFIN\nnever sent\n"
        assert talk(monkeypatch, typed, "--port", str(server)) == 0
        assert other.recv(9) == b"Kxk: ryvk"
    output = capsys.readouterr().out
    assert output == "Type the server's IP: Type your user name: "


def test_the_client_uses_the_key(server: int, monkeypatch: pytest.MonkeyPatch) -> None:
    words = ["--host", "127.0.0.1", "--port", str(server), "--name", "Ana"]
    with socket.create_connection(("127.0.0.1", server), timeout=TIMEOUT) as other:
        assert talk(monkeypatch, "hola", *words, "--key", "1") == 0
        assert other.recv(9) == b"Bob: ipmb"


def test_a_question_without_an_answer_ends_the_client(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert talk(monkeypatch, "127.0.0.1\n") == 0


def test_a_server_that_is_not_there_is_an_error(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = str(closed.getsockname()[1])
    with pytest.raises(UnreachableError):
        talk(monkeypatch, "", "--host", "127.0.0.1", "--port", port, "--name", "A")
