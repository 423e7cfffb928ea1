"""The process that holds a profile: its vault, its sessions, and a desk for others."""

import asyncio
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

from tertulia.agent import local_socket
from tertulia.agent.desk import Desk, DeskPatience
from tertulia.agent.listeners import Listeners
from tertulia.agent.local_agent import LocalAgent
from tertulia.agent.opening import Opening, OpenVault, open_profile
from tertulia.agent.session_task import SessionTask, Surroundings
from tertulia.agent.suspension import Watch, watch_for_sleep
from tertulia.agent.worker import Worker


class Holder:
    """Everything that belongs to holding a profile."""

    def __init__(
        self, folder: Path, agent: LocalAgent, task: SessionTask, around: Surroundings
    ) -> None:
        self.agent = agent
        self._folder = folder
        self._task = task
        self._around = around

    async def run(self) -> None:
        """Work until told to stop.

        Raises VaultError if the vault fails, ProfileFolderError.
        """
        with self._socket() as listening:
            async with asyncio.TaskGroup() as group:
                await self._work(group, listening)
        if self._task.failure is not None:
            raise self._task.failure

    async def _work(
        self, group: asyncio.TaskGroup, listening: socket.socket | None
    ) -> None:
        clock, tell = self._around.clock, self._task.change_network
        watch = group.create_task(watch_for_sleep(clock, tell, Watch()))
        desk = Desk(self.agent, group, DeskPatience())
        server: asyncio.AbstractServer | None = None
        if listening is not None:
            server = await asyncio.start_unix_server(desk.connected, sock=listening)
        try:
            await self._task.run()
        finally:
            if server is not None:
                server.close()
        await desk.close()
        watch.cancel()

    @contextmanager
    def _socket(self) -> Iterator[socket.socket | None]:
        """Yield where others find us; None on systems that have no such sockets."""
        if not hasattr(socket, "AF_UNIX"):
            yield None
            return
        with local_socket.bind(self._folder) as listening:
            try:
                yield listening
            finally:
                local_socket.unbind(self._folder)


@asynccontextmanager
async def hold(
    opening: Opening, listeners: Listeners, around: Surroundings
) -> AsyncIterator[Holder]:
    """Take hold of a profile for the length of a block.

    Raises VaultInUseError if another process has it, or what opening it raises.
    """
    worker = Worker()
    held: list[OpenVault] = []

    def take() -> OpenVault:
        held.append(open_profile(opening, around.clock(), around.rng))
        return held[0]

    def let_go() -> None:
        for opened in held:
            opened.close()

    try:
        opened = await worker.run(take)
        task = SessionTask(opened.vault, worker, listeners, around)
        await task.load(opened.profile)
        agent = LocalAgent(task, opened, worker, listeners)
        yield Holder(opening.folder, agent, task, around)
    finally:
        worker.close(let_go)
