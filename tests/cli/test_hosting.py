import asyncio
import contextlib
import os
import signal
import socket
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tertulia.cli import hosting
from tertulia.cli.errors import RelayEndedError, RelayNotStartedError
from tertulia.cli.hosting import (
    HostedRelay,
    Memory,
    Wish,
    hosted_relay,
    is_running,
    make_owner_invite,
)
from tertulia.server import Config, DataFolder, Endpoint
from tertulia.wire import parse_link
from tests.running_relay import LOOPBACK, launched

pytestmark = pytest.mark.skipif(os.name == "nt", reason="no control socket there")


def wish(data: Path, port: int | None = 0) -> Wish:
    return Wish(Config(data, listen=Endpoint(LOOPBACK, port or 0)), LOOPBACK, port)


@pytest.fixture
def taken() -> Iterator[int]:
    """A port that somebody else listens on, with a free one after it."""
    with contextlib.ExitStack() as stack:
        while True:
            first = stack.enter_context(socket.create_server((LOOPBACK, 0)))
            port: int = first.getsockname()[1]
            with contextlib.suppress(OSError):
                socket.create_server((LOOPBACK, port + 1)).close()
                break
        yield port


def test_what_is_kept_is_numbers_and_ids(tmp_path: Path) -> None:
    assert Memory.read(tmp_path) == Memory()
    Memory(8001, "ab" * 16).write(tmp_path)
    assert Memory.read(tmp_path) == Memory(8001, "ab" * 16)
    assert [path.name for path in tmp_path.iterdir()] == ["host.json"]
    (tmp_path / "host.json").write_text("{")
    assert Memory.read(tmp_path) == Memory()


@pytest.mark.parametrize(
    ("url", "is_for_others"),
    [
        ("https://192.0.2.1:8000", True),
        ("https://chat.example", True),
        ("https://127.0.0.1:8000", False),
        ("https://localhost:8000", False),
        ("https://[::1]:8000", False),
    ],
)
def test_some_addresses_are_for_this_machine_only(
    url: str,
    is_for_others: bool,  # noqa: FBT001
) -> None:
    assert HostedRelay(url, b"", None).is_for_others is is_for_others


def test_a_relay_runs_for_the_length_of_a_block(tmp_path: Path) -> None:
    async def story() -> None:
        async with hosted_relay(wish(tmp_path)) as relay:
            assert relay.url.startswith("https://127.0.0.1:")
            assert relay.owner_invite is not None
            parsed = parse_link(relay.owner_invite)
            assert parsed.link.fingerprint == relay.fingerprint
            assert is_running(DataFolder(tmp_path))
            # Whoever hosts the same a second time uses the first.
            async with hosted_relay(wish(tmp_path)) as second:
                assert (second.url, second.process) == (relay.url, None)
                assert second.fingerprint == relay.fingerprint
            assert is_running(DataFolder(tmp_path))
        assert not is_running(DataFolder(tmp_path))

    asyncio.run(story())


def test_a_taken_port_gives_way_to_the_next_which_is_kept(
    tmp_path: Path, taken: int
) -> None:
    async def story() -> None:
        Memory(port=taken, room="ab").write(tmp_path)
        async with hosted_relay(wish(tmp_path, None)) as relay:
            port = int(relay.url.rpartition(":")[2])
            assert taken < port < taken + hosting.PORTS_TRIED
        assert Memory.read(tmp_path) == Memory(port, "ab")

    asyncio.run(story())


def test_a_port_that_was_wished_for_is_not_replaced(tmp_path: Path, taken: int) -> None:
    async def story() -> None:
        with pytest.raises(RelayNotStartedError) as raised:
            async with hosted_relay(wish(tmp_path, taken)):
                pass
        assert raised.value.cause == "cannot_listen"
        assert str(taken) in raised.value.happened

    asyncio.run(story())


def test_a_relay_that_somebody_else_started_goes_on(tmp_path: Path) -> None:
    async def story() -> None:
        async with hosted_relay(wish(tmp_path)) as relay:
            assert relay.process is None
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0.01):
                    await relay.until_ended()

    with launched(tmp_path) as process:
        asyncio.run(story())
        assert process.popen.poll() is None
        link = parse_link(make_owner_invite(wish(tmp_path).config))
        assert link.base == process.line["url"]


def test_a_relay_that_ends_by_itself_is_noticed(tmp_path: Path) -> None:
    async def story() -> None:
        async with hosted_relay(wish(tmp_path)) as relay:
            assert relay.process is not None
            relay.process.send_signal(signal.SIGKILL)
            with pytest.raises(RelayEndedError) as raised:
                await relay.until_ended()
            assert raised.value.log == str(tmp_path / "relay.log")

    asyncio.run(story())


def test_a_relay_that_does_not_even_say_why_is_an_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "executable", "/bin/false")

    async def story() -> None:
        with pytest.raises(RelayNotStartedError) as raised:
            async with hosted_relay(wish(tmp_path)):
                pass
        assert "relay.log says why" in raised.value.next

    asyncio.run(story())


def test_a_store_that_stays_in_use_is_an_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fail(_wish: Wish) -> HostedRelay:
        raise RelayNotStartedError("store_in_use", ("It", "is", "held."), 74)

    monkeypatch.setattr(hosting, "_start", fail)
    monkeypatch.setattr(hosting, "PAUSE", 0)

    async def story() -> None:
        async with hosted_relay(wish(tmp_path)):
            pass

    with pytest.raises(RelayNotStartedError):
        asyncio.run(story())


def test_a_folder_with_a_long_path_is_looked_into_too(tmp_path: Path) -> None:
    deep = tmp_path / ("x" * 60) / ("y" * 60)
    deep.mkdir(parents=True)
    assert not is_running(DataFolder(deep))
    with launched(deep):
        assert is_running(DataFolder(deep))
