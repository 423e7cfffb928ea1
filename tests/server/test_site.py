from dataclasses import replace
from pathlib import Path

import pytest

from tests.raw_http import request
from tests.running_relay import config_for, run, running_relay


def test_plain_http_on_the_tls_port_is_redirected(tmp_path: Path) -> None:
    async def story() -> None:
        async with running_relay(config_for(tmp_path)) as running:
            plain = replace(running.server, tls=False)
            reply = await request(plain, "/i?x=1")
            assert reply.status == 308
            expected = f"https://127.0.0.1:{plain.port}/i?x=1"
            assert reply.headers["location"] == expected
            strange = await request(plain, "/", Host="evil.example")
            assert strange.status == 421

    run(story())


@pytest.mark.parametrize(("path", "status"), [("/", 200), ("/i", 200), ("/no", 404)])
def test_pages_are_served(tmp_path: Path, path: str, status: int) -> None:
    async def story() -> None:
        async with running_relay(config_for(tmp_path)) as running:
            assert (await request(running.server, path)).status == status

    run(story())
