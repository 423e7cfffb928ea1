import asyncio
from pathlib import Path
from typing import Any

import pytest

from tertulia.server import commands
from tertulia.server.commands import Answer
from tertulia.server.control import ask_running_relay
from tertulia.wire import ErrorCode
from tests.running_relay import Running, config_for, invite_of, run, running_relay
from tests.wire_client import Person, RefusedError, sign_in


async def ask(running: Running, command: Any) -> Answer:
    path = running.config.data / "control.sock"
    return await asyncio.to_thread(ask_running_relay, path, command)


def test_a_ban_ends_connections_at_once_and_can_be_lifted(tmp_path: Path) -> None:
    async def story() -> None:
        async with running_relay(config_for(tmp_path)) as running:
            person = Person()
            async with sign_in(running.server, person, running.owner_invite) as client:
                account = client.authenticated.account.hex()
                assert (await ask(running, commands.PutBan(account))).refused is None
                goodbye = await client.wait_for_end()
                assert goodbye is not None
                assert goodbye.code is ErrorCode.BANNED
            with pytest.raises(RefusedError):
                async with sign_in(running.server, person):
                    pass
            await ask(running, commands.LiftBan(account))
            async with sign_in(running.server, person):
                pass

    run(story())


def test_an_invite_counts_until_it_is_removed(tmp_path: Path) -> None:
    async def story() -> None:
        async with running_relay(config_for(tmp_path)) as running:
            made = await ask(running, commands.CreateInvite(uses=5))
            invite = invite_of(str(made.rows[0]["link"]))
            async with sign_in(running.server, Person(), invite):
                pass
            await ask(running, commands.RemoveInvite(invite.invite.hex()))
            with pytest.raises(RefusedError) as refused:
                async with sign_in(running.server, Person(), invite):
                    pass
            assert refused.value.code is ErrorCode.INVITE_INVALID

    run(story())


@pytest.mark.parametrize(
    "command",
    [
        commands.RemoveRoom("00" * 16),
        commands.RemoveRoom("zz"),
        commands.LiftBan("192.0.2.1"),
        commands.PutBan("nobody"),
        commands.RemoveInvite("00" * 16),
    ],
)
def test_what_is_not_there_is_said(tmp_path: Path, command: Any) -> None:
    async def story() -> None:
        async with running_relay(config_for(tmp_path)) as running:
            assert (await ask(running, command)).refused

    run(story())
