import asyncio

from tertulia.server.logs import Log
from tertulia.server.shell import Shell
from tests.running_relay import run


class Connection:
    """Ends when it is asked to, or not."""

    def __init__(self, shell: Shell, *, is_stubborn: bool = False) -> None:
        self._shell = shell
        self._is_stubborn = is_stubborn
        self.events: list[str] = []
        shell.watch(self)

    def expire(self, now: float) -> None:
        self.events.append("expire" if now > 0 else "?")

    def hang_up(self) -> None:
        self.events.append("hang up")
        if not self._is_stubborn:
            self._shell.unwatch(self)

    def abort(self) -> None:
        self.events.append("abort")
        self._shell.unwatch(self)


def test_everybody_is_watched_and_in_the_end_sent_home() -> None:
    async def story() -> None:
        async with asyncio.TaskGroup() as group:
            shell = Shell(group, lambda: 1, Log())
            polite, stubborn = Connection(shell), Connection(shell, is_stubborn=True)
            shell.expire_late()
            assert shell.connections == 2
            await shell.drain(0.01)
            assert polite.events == ["expire", "hang up"]
            assert stubborn.events == ["expire", "hang up", "abort"]
            assert shell.connections == 0

    run(story())


def test_a_bug_is_counted() -> None:
    async def story() -> None:
        async with asyncio.TaskGroup() as group:
            shell = Shell(group, lambda: 1, Log())
            shell.report("failed", ValueError())
            assert shell.metrics.bugs == 1

    run(story())
