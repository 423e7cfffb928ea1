import asyncio
from pathlib import Path

import pytest

from tertulia.server import Endpoint, ListAccounts, PutBan
from tertulia.server.control import ask_running_relay, read_metrics
from tertulia.server.errors import NotRunningError
from tests.raw_http import request
from tests.running_relay import config_for, run, running_relay
from tests.wire_client import Server


def test_the_owner_asks_over_the_socket_also_in_a_deep_folder(tmp_path: Path) -> None:
    deep = tmp_path / ("x" * 120)

    async def story() -> None:
        async with running_relay(config_for(deep)):
            path = deep / "control.sock"
            answer = await asyncio.to_thread(ask_running_relay, path, ListAccounts())
            assert (answer.rows, answer.refused) == ([], None)
            wrong = await asyncio.to_thread(ask_running_relay, path, PutBan("x"))
            assert wrong.refused == "an id has 64 hexadecimal digits"
            assert "tertulia_accepted_total 0\n" in await asyncio.to_thread(
                read_metrics, path
            )

    run(story())


def test_nobody_answers_where_no_relay_runs(tmp_path: Path) -> None:
    with pytest.raises(NotRunningError):
        ask_running_relay(tmp_path / "control.sock", ListAccounts())


def test_the_loopback_port_has_numbers_and_nothing_else(tmp_path: Path) -> None:
    config = config_for(tmp_path, metrics=Endpoint("127.0.0.1", 0))

    async def story() -> None:
        async with running_relay(config) as running:
            port = int(running.ready.metrics.rpartition(":")[2].partition("/")[0])
            server = Server(port, tls=False)
            numbers = await request(server, "/metrics")
            assert b"tertulia_connections 0\n" in numbers.body
            assert (await request(server, "/command", method="POST")).status == 404
            rebound = await request(server, "/metrics", Host="evil.example")
            assert rebound.status == 421

    run(story())
