"""Relays for tests: in this process, or as the process `tertulia serve` starts."""

import asyncio
import contextlib
import json
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Coroutine, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeVar

import uvloop

from tertulia.relay import DEFAULT_RATES, Settings
from tertulia.server import Config, Endpoint, Ready, Surroundings, serve
from tertulia.wire import ServerInviteLink, parse_link
from tests.wire_client import PATIENCE, Invite, Server

T = TypeVar("T")

LOOPBACK = "127.0.0.1"

# Tests come from one address and are in a hurry.
GENEROUS = {
    name: replace(rate, burst=1_000_000, per_minute=1_000_000)
    for name, rate in DEFAULT_RATES.items()
}


def run(story: Coroutine[Any, Any, T]) -> T:
    """Run a story on the loop that the relay uses in earnest."""
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(story)


@dataclass(frozen=True)
class Running:
    """A relay that accepts connections."""

    server: Server
    config: Config
    ready: Ready
    stop: asyncio.Event

    @property
    def owner_invite(self) -> Invite:
        assert self.ready.owner_invite is not None
        return invite_of(self.ready.owner_invite)


def invite_of(url: str) -> Invite:
    link = parse_link(url).link
    assert isinstance(link, ServerInviteLink)
    return Invite(link.invite, link.secret)


def config_for(folder: Path, **changes: Any) -> Config:
    """A relay on a port of the system's choice, with rates that tests do not reach."""
    base = Config(
        data=folder,
        listen=Endpoint(LOOPBACK, 0),
        relay=Settings(rates=GENEROUS),
    )
    return replace(base, **changes)


@contextlib.asynccontextmanager
async def running_relay(config: Config, **surroundings: Any) -> AsyncIterator[Running]:
    """Run a relay in this process."""
    ready: asyncio.Future[Ready] = asyncio.get_running_loop().create_future()
    stop = asyncio.Event()
    around = Surroundings(addresses=lambda _host: [], **surroundings)
    task = asyncio.create_task(serve(config, around, ready.set_result, stop))
    try:
        waiting: set[asyncio.Future[Any]] = {task, ready}
        await asyncio.wait(
            waiting, return_when=asyncio.FIRST_COMPLETED, timeout=PATIENCE
        )
        if task.done():
            task.result()
        at = Server(ready.result().port, tls=not config.http)
        yield Running(at, config, ready.result(), stop)
    finally:
        stop.set()
        async with asyncio.timeout(PATIENCE):
            await task


@dataclass
class Process:
    """`tertulia serve` as a process of its own."""

    popen: subprocess.Popen[str]
    line: dict[str, Any]

    @property
    def server(self) -> Server:
        tls = str(self.line["url"]).startswith("https")
        return Server(int(self.line["port"]), tls=tls)

    def stop(self) -> tuple[int, str]:
        """Ask it to end; return its exit code and its log."""
        self.popen.send_signal(signal.SIGTERM)
        _out, log = self.popen.communicate(timeout=PATIENCE)
        return self.popen.returncode, log

    def kill(self) -> None:
        self.popen.kill()
        self.popen.communicate(timeout=PATIENCE)


def command(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "tertulia", *arguments]


def environment(**more: str) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if name != "LANG"}
    kept = {
        name: value for name, value in kept.items() if not name.startswith("TERTULIA_")
    }
    return {**kept, "LC_ALL": "C", **more}


def launch(
    folder: Path,
    *arguments: str,
    prefix: Sequence[str] = (),
    log: Any = subprocess.PIPE,
) -> Process:
    """Start `tertulia serve`; return when it accepts connections."""
    popen = subprocess.Popen(
        [
            *prefix,
            *command("serve", "--json", "--data", str(folder)),
            *(() if "--listen" in arguments else ("--listen", f"{LOOPBACK}:0")),
            *arguments,
        ],
        stdout=subprocess.PIPE,
        stderr=log,
        text=True,
        env=environment(),
    )
    assert popen.stdout is not None
    line = popen.stdout.readline()
    if not line:
        _out, words = popen.communicate(timeout=PATIENCE)
        raise AssertionError(f"the relay did not start: {words}")
    return Process(popen, json.loads(line))


@contextlib.contextmanager
def launched(folder: Path, *arguments: str, **more: Any) -> Iterator[Process]:
    """Run `tertulia serve` for the length of a block."""
    process = launch(folder, *arguments, **more)
    try:
        yield process
    finally:
        if process.popen.poll() is None:
            process.kill()
