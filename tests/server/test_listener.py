import asyncio
import ssl
from dataclasses import replace
from pathlib import Path

import pytest

from tertulia.relay import Settings
from tertulia.server.config import Bounds, Endpoint, WebRules
from tertulia.server.errors import CannotListenError
from tertulia.server.listener import open_sockets
from tertulia.wire import limits
from tests.raw_http import request
from tests.running_relay import GENEROUS, config_for, run, running_relay


def test_all_addresses_are_listened_on_without_a_host() -> None:
    (listening,) = open_sockets(Endpoint("", 0))
    with listening:
        assert listening.getsockname()[1] > 0
        with pytest.raises(CannotListenError):
            open_sockets(Endpoint("", listening.getsockname()[1]))


def test_an_address_that_is_not_ours_is_said() -> None:
    with pytest.raises(CannotListenError):
        open_sockets(Endpoint("192.0.2.1", 0))


def test_who_comes_too_often_is_turned_away_before_tls(tmp_path: Path) -> None:
    few = replace(limits.CONNECTIONS, burst=1, per_minute=1)
    rates = {**GENEROUS, few.name: few}
    config = config_for(tmp_path, relay=Settings(rates=rates))

    async def story() -> None:
        async with running_relay(config) as running:
            for _ in range(limits.ARRIVALS_PER_CONNECTION):
                assert (await request(running.server, "/healthz")).status == 200
            with pytest.raises((ConnectionError, ssl.SSLError)):
                await request(running.server, "/healthz")

    run(story())


def test_a_proxy_stands_for_everybody(tmp_path: Path) -> None:
    few = replace(limits.CONNECTIONS, burst=1, per_minute=1)
    config = config_for(
        tmp_path,
        http=True,
        web=WebRules(proxies=("127.0.0.1",)),
        relay=Settings(rates={**GENEROUS, few.name: few}),
    )

    async def story() -> None:
        async with running_relay(config) as running:
            for _ in range(2 * limits.ARRIVALS_PER_CONNECTION):
                assert (await request(running.server, "/healthz")).status == 200

    run(story())


def test_one_place_does_not_take_all_connections(tmp_path: Path) -> None:
    config = replace(config_for(tmp_path, http=True), bounds=Bounds(connections=30))

    async def story() -> None:
        async with running_relay(config) as running:
            address = ("127.0.0.1", running.server.port)
            held = [await asyncio.open_connection(*address) for _ in range(3)]
            reader, writer = await asyncio.open_connection(*address)
            assert await reader.read() == b"", "the fourth is turned away"
            for _reader, other in (*held, (reader, writer)):
                other.close()
                await other.wait_closed()
            while (await ask(running.server)) != 200:
                pass

    async def ask(server: object) -> int:
        try:
            return (await request(server, "/healthz")).status  # type: ignore[arg-type]
        except (IndexError, ConnectionError):
            return 0

    async def bounded() -> None:
        async with asyncio.timeout(15):
            await story()

    run(bounded())
