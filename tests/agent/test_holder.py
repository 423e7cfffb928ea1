import asyncio
import socket
from pathlib import Path
from typing import Any

import pytest

from tertulia.agent.errors import NameNeededError
from tertulia.agent.holder import hold
from tertulia.agent.listeners import Listeners
from tertulia.agent.local_socket import NAME
from tertulia.agent.opening import Opening
from tertulia.agent.session_task import Surroundings
from tertulia.client import ChangeName
from tertulia.errors import VaultError
from tertulia.vault import KeySource, ProfileLock, VaultInUseError, VaultStorageError
from tests.agent.patience import within


def opening(folder: Path) -> Opening:
    return Opening(folder, "Ana", key_source=KeySource.FILE)


async def hold_for_a_moment(folder: Path) -> bool:
    """Hold a profile and let go; tell whether there was a socket meanwhile."""
    async with (
        hold(opening(folder), Listeners(), Surroundings()) as holder,
        asyncio.TaskGroup() as group,
    ):
        running = group.create_task(holder.run())
        await holder.agent.settled()
        was_there = (folder / NAME).exists()
        await holder.agent.close()
        await running
    return was_there


def test_a_holder_lets_go_of_everything(tmp_path: Path) -> None:
    assert asyncio.run(within(hold_for_a_moment(tmp_path)))
    assert not (tmp_path / NAME).exists()
    ProfileLock(tmp_path).close()


def test_without_such_sockets_a_profile_is_held_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        "tertulia.agent.holder.hasattr", lambda *_: False, raising=False
    )
    assert not asyncio.run(within(hold_for_a_moment(tmp_path)))
    assert hasattr(socket, "AF_UNIX")


def test_a_profile_that_is_held_is_not_taken(tmp_path: Path) -> None:
    async def story() -> None:
        with ProfileLock(tmp_path), pytest.raises(VaultInUseError):
            async with hold(opening(tmp_path), Listeners(), Surroundings()):
                pass

    asyncio.run(within(story()))


def test_what_cannot_be_opened_is_not_held(tmp_path: Path) -> None:
    async def story() -> None:
        with pytest.raises(NameNeededError):
            async with hold(Opening(tmp_path), Listeners(), Surroundings()):
                pass

    asyncio.run(within(story()))
    ProfileLock(tmp_path).close()


def test_a_vault_that_fails_ends_the_holder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def story() -> None:
        async with hold(opening(tmp_path), Listeners(), Surroundings()) as holder:
            running = asyncio.create_task(holder.run())
            link = f"http://127.0.0.1:1#{bytes(32).hex()}"
            await holder.agent.add_relay(link)

            def fail(_vault: Any, _changes: Any) -> None:
                raise VaultStorageError(tmp_path / "vault.db", "no space")

            monkeypatch.setattr("tertulia.vault.Vault.save", fail)
            with pytest.raises(VaultError):
                await holder.agent.ask(ChangeName("Anna"))
            with pytest.raises(VaultStorageError):
                await running

    asyncio.run(within(story()))
    ProfileLock(tmp_path).close()
