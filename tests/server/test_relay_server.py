import asyncio
from pathlib import Path

import pytest

from tertulia.server import Endpoint
from tertulia.server.errors import CannotListenError
from tertulia.server.relay_server import retry_after
from tertulia.wire import ErrorCode, frames
from tests.chaos.writers import new_invite
from tests.running_relay import Running, config_for, run, running_relay
from tests.wire_client import Person, sign_in


@pytest.mark.parametrize("http", [False, True], ids=["tls", "plain"])
def test_two_people_talk(tmp_path: Path, *, http: bool) -> None:
    async def story() -> None:
        async with running_relay(config_for(tmp_path, http=http)) as running:
            ana, luis = Person(), Person()
            async with sign_in(running.server, ana, running.owner_invite) as first:
                assert first.authenticated.is_owner
                room = await first.create_room()
                link = await new_invite(first)
                async with sign_in(running.server, luis, link) as second:
                    await first.route(room, luis.device)
                    await second.ask(frames.FollowRoom(1, room, 0))
                    accepted = await first.append(room, b"sealed")
                    assert isinstance(accepted, frames.Accepted)
                    (got,) = await second.wait_for_pushed(frames.Entries)
                    assert [entry.blob for entry in got.entries] == [b"sealed"]
                    assert got.entries[0].place == accepted.place

    run(story())


def test_a_stop_tells_clients_when_to_come_back(tmp_path: Path) -> None:
    async def story() -> None:
        async with running_relay(config_for(tmp_path)) as running:
            invite = running.owner_invite
            async with sign_in(running.server, Person(), invite) as client:
                stopping = asyncio.create_task(stop(running))
                goodbye = await client.wait_for_end()
                await stopping
                assert goodbye is not None
                assert goodbye.code is ErrorCode.GOING_AWAY
                assert goodbye.facts.retry_after

    async def stop(running: Running) -> None:
        running.stop.set()

    run(story())


def test_a_manager_is_told_of_start_and_stop(tmp_path: Path) -> None:
    told: list[str] = []

    async def story() -> None:
        async with running_relay(config_for(tmp_path), notify=told.append):
            assert told == ["READY=1"]

    run(story())
    assert told == ["READY=1", "STOPPING=1"]


def test_a_port_that_is_taken_is_said(tmp_path: Path) -> None:
    async def story() -> None:
        async with running_relay(config_for(tmp_path / "a")) as running:
            taken = Endpoint("127.0.0.1", running.server.port)
            with pytest.raises(CannotListenError):
                async with running_relay(config_for(tmp_path / "b", listen=taken)):
                    pass

    run(story())


def test_the_more_there_are_the_later_they_come_back() -> None:
    assert [retry_after(count) for count in (0, 1_000, 5_000)] == [2_000, 2_000, 10_000]
