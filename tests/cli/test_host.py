import argparse
import asyncio
import contextlib
import json
import os
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tertulia.cli.host import WantedRoom, _find_room, _introduce, _notice, read_wish
from tertulia.cli.hosting import HostedRelay, Memory, Wish
from tertulia.cli.main import build_parser
from tertulia.client import CreateRoom, RelayView, RoomStatus, limits
from tertulia.server import Config
from tests.cli.fake_agent import GARDEN, RELAY, FakeAgent, as_agent, room_view
from tests.running_relay import command, environment

URL = "https://192.0.2.1:8000"
PATIENCE = 60


def parsed(*arguments: str) -> argparse.Namespace:
    return build_parser().parse_args(["host", *arguments])


@pytest.mark.parametrize(
    ("listen", "host", "port"),
    [
        ((), "", None),
        (("--listen", "127.0.0.1"), "127.0.0.1", None),
        (("--listen", ":8123"), "", 8123),
        (("--listen", "127.0.0.1:0"), "127.0.0.1", 0),
    ],
)
def test_the_port_is_left_to_the_host_unless_named(
    listen: tuple[str, ...],
    host: str,
    port: int | None,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for variable in ("TERTULIA_LISTEN", "TERTULIA_DATA", "TERTULIA_CONFIG"):
        monkeypatch.delenv(variable, raising=False)
    wish = read_wish(parsed(*listen, "--data", str(tmp_path)))
    assert (wish.host, wish.port, wish.config.data) == (host, port, tmp_path)


def test_an_account_is_made_once_and_the_address_kept_up_to_date(
    tmp_path: Path,
) -> None:
    wish = Wish(Config(tmp_path), "", None)
    relay = HostedRelay(URL, RELAY, "https://invite")
    stranger = FakeAgent(relays_known=[])
    asyncio.run(_introduce(as_agent(stranger), relay, wish))
    assert stranger.added == ["https://invite"]
    known = FakeAgent()
    asyncio.run(_introduce(as_agent(known), relay, wish))
    assert known.added == [f"{URL}#{RELAY.hex()}"]


def test_who_comes_later_asks_the_relay_for_an_invite(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        "tertulia.cli.hosting.make_owner_invite", lambda _config: "https://later"
    )
    stranger = FakeAgent(relays_known=list[RelayView]())
    relay = HostedRelay(URL, RELAY, None)
    asyncio.run(_introduce(as_agent(stranger), relay, Wish(Config(tmp_path), "", None)))
    assert stranger.added == ["https://later"]


def found(
    agent: FakeAgent, data: Path, name: str | None, *, large: bool = False
) -> tuple[str, str]:
    relay, wanted = HostedRelay(URL, RELAY, None), WantedRoom(name, large=large)
    room, link = asyncio.run(_find_room(as_agent(agent), relay, data, wanted))
    assert Memory.read(data).room == room.room.hex()
    return room.name, link


def test_the_room_is_made_once_and_found_again(tmp_path: Path) -> None:
    agent = FakeAgent(rooms_known=[])
    assert found(agent, tmp_path, None)[0] == "Tertulia"
    assert found(agent, tmp_path, "Garden")[0] == "Garden"
    assert found(agent, tmp_path, None)[0] == "Garden"
    assert found(agent, tmp_path, "Tertulia")[0] == "Tertulia"
    made = [one for one in agent.asked if isinstance(one, CreateRoom)]
    assert made == [CreateRoom("Tertulia"), CreateRoom("Garden")]


def test_a_room_for_many_is_made_only_when_asked_for(tmp_path: Path) -> None:
    agent = FakeAgent(rooms_known=[])
    found(agent, tmp_path, "Garden")
    found(agent, tmp_path, "Square", large=True)
    made = [one for one in agent.asked if isinstance(one, CreateRoom)]
    assert made == [CreateRoom("Garden"), CreateRoom("Square", large=True)]


def test_a_room_that_exists_is_not_made_larger_and_that_is_said(tmp_path: Path) -> None:
    agent = FakeAgent(rooms_known=[GARDEN])
    found(agent, tmp_path, "Garden", large=True)
    assert not [one for one in agent.asked if isinstance(one, CreateRoom)]
    small, large = room_view("Garden", hybrid=True), room_view("Garden", hybrid=False)
    assert f" {limits.HYBRID_DEVICES} devices " in str(
        _notice(WantedRoom("Garden", large=True), small)
    )
    assert _notice(WantedRoom("Garden", large=True), large) is None
    assert _notice(WantedRoom("Garden"), small) is None


def test_rooms_of_other_relays_and_those_one_left_are_no_rooms_here(
    tmp_path: Path,
) -> None:
    elsewhere = room_view("Garden", b"\x01" * 16, relay=b"\x08" * 32)
    left = room_view("Garden", b"\x02" * 16, status=RoomStatus.LEFT)
    agent = FakeAgent(rooms_known=[elsewhere, left, GARDEN])
    found(agent, tmp_path, "Garden")
    assert Memory.read(tmp_path).room == GARDEN.room.hex()


class Process:
    """A command of the real program, with pipes for a terminal."""

    def __init__(self, home: Path, *arguments: str) -> None:
        self.popen = subprocess.Popen(
            command(*arguments),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=environment(HOME=str(home)),
        )

    def hears(self, event: str) -> dict[str, Any]:
        """Return the next line of that event."""
        assert self.popen.stdout is not None
        for line in self.popen.stdout:
            found: dict[str, Any] = json.loads(line)
            if found["event"] == event:
                return found
        raise AssertionError(self.popen.communicate(timeout=PATIENCE)[1])

    def types(self, line: str) -> None:
        assert self.popen.stdin is not None
        self.popen.stdin.write(line + "\n")
        self.popen.stdin.flush()

    def ends(self) -> int:
        self.popen.communicate(timeout=PATIENCE)
        return self.popen.returncode

    def close(self) -> None:
        self.popen.kill()
        self.popen.communicate(timeout=PATIENCE)


def close_input(process: Process) -> None:
    assert process.popen.stdin is not None
    process.popen.stdin.close()
    process.popen.stdin = None


@contextlib.contextmanager
def started(home: Path, *arguments: str) -> Iterator[Process]:
    process = Process(home, *arguments)
    try:
        yield process
    finally:
        process.close()


@pytest.mark.skipif(os.name == "nt", reason="tried on POSIX systems only")
def test_one_hosts_another_joins_and_they_talk(tmp_path: Path) -> None:
    hosting = (
        *("host", "--room", "Garden", "--name", "Ana", "--listen", "127.0.0.1:0"),
        *("--data", str(tmp_path / "relay"), "--profile", str(tmp_path / "ana")),
        "--json",
    )
    blas = ("--profile", str(tmp_path / "blas"))
    with started(tmp_path, *hosting) as host:
        first = host.hears("hosting")
        assert first["reachable"] is False
        joining = ("join", first["invite"], "--name", "Blas", *blas, "--json")
        with started(tmp_path, *joining) as join:
            assert join.hears("joined")["room"] == first["room"]
            join.types("hello Ana")
            while (heard := host.hears("message"))["kind"] != "text":
                assert heard["sender"]["name"] == "Blas"
            assert heard["text"] == "hello Ana"
            host.types("hello Blas")
            while join.hears("message")["text"] != "hello Blas":
                pass
            close_input(join)
            assert join.ends() == 0
        # The end of the input leaves only the conversation: the relay is still there.
        close_input(host)
        with started(tmp_path, "send", "Garden", "are you there?", *blas) as send:
            assert send.ends() == 0
        host.popen.send_signal(signal.SIGTERM)
        assert host.ends() == 0
    with started(tmp_path, *hosting) as again:
        assert again.hears("hosting")["room"] == first["room"]
        again.popen.send_signal(signal.SIGTERM)
        assert again.ends() == 0
