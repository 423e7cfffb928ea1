"""The relay behind `tertulia host`: found if it runs, or else started.

Its port and the room are remembered beside its data, in `host.json`; names are not, for
what lies there could be read by whoever gets hold of the relay's disk.
"""

import asyncio
import contextlib
import os
import socket
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

import msgspec
from msgspec import Struct

from tertulia.cli.errors import RelayEndedError, RelayNotStartedError
from tertulia.cli.words import ExitCode
from tertulia.errors import UsageError
from tertulia.l10n import _

if TYPE_CHECKING:
    from tertulia.server import Config, DataFolder

DEFAULT_PORT: Final = 8000
PORTS_TRIED: Final = 100
START_TIME: Final = 60.0  # seconds; a big store is checked
STOP_TIME: Final = 15.0
PAUSE: Final = 0.2  # until we look again whether a relay has let go of its store
PAUSES: Final = 50
LONGEST_SOCKET: Final = 100  # bytes of a path that systems take for one
INVITE_TIME: Final = 3_600_000  # milliseconds in which the host makes its account


class Memory(Struct, frozen=True):
    """What is kept from one start to the next."""

    port: int | None = None
    room: str = ""

    @classmethod
    def read(cls, data: Path) -> "Memory":
        """Return what was kept, or nothing if it cannot be read."""
        try:
            return msgspec.json.decode((data / "host.json").read_bytes(), type=cls)
        except (OSError, msgspec.MsgspecError):
            return cls()

    def write(self, data: Path) -> None:
        """Keep this from now on."""
        temporary = data / ".host.json.new"
        temporary.write_bytes(msgspec.json.encode(self))
        temporary.replace(data / "host.json")


@dataclass(frozen=True, slots=True)
class HostedRelay:
    """A relay that runs. `process` is None if somebody else started it."""

    url: str
    fingerprint: bytes
    owner_invite: str | None
    process: asyncio.subprocess.Process | None = None
    log: Path | None = None

    @property
    def is_for_others(self) -> bool:
        """Whether another machine can reach its address."""
        host = urlsplit(self.url).hostname or ""
        return host not in {"localhost", "::1"} and not host.startswith("127.")

    async def until_ended(self) -> None:
        """Wait as long as the relay runs; raise RelayEndedError."""
        if self.process is None:
            await asyncio.Event().wait()
            return
        raise RelayEndedError(await self.process.wait(), self.log)


@dataclass(frozen=True, slots=True)
class Wish:
    """What the host is to be; `port` None leaves it to us."""

    config: "Config"
    host: str
    port: int | None


@asynccontextmanager
async def hosted_relay(wish: Wish) -> AsyncIterator[HostedRelay]:
    """Have a relay for the length of a block. Raises TertuliaError.

    One that ran already goes on running afterwards.
    """
    relay = await _found_or_started(wish)
    try:
        yield relay
    finally:
        if relay.process is not None:
            await _stop(relay.process)


async def _found_or_started(wish: Wish) -> HostedRelay:
    from tertulia.server import DataFolder

    folder = DataFolder(wish.config.data)
    folder.prepare()
    failure: RelayNotStartedError | None = None
    for _attempt in range(PAUSES):
        if is_running(folder):
            return await asyncio.to_thread(_running, wish.config)
        try:
            return await _start(wish)
        except RelayNotStartedError as error:
            if error.cause != "store_in_use":
                raise
            failure = error
        await asyncio.sleep(PAUSE)  # one that is just coming up, or going down
    raise failure or UsageError


def is_running(folder: "DataFolder") -> bool:
    """Tell whether a relay answers on the control socket of this folder."""
    if not hasattr(socket, "AF_UNIX"):
        return False
    with contextlib.ExitStack() as stack:
        probe = stack.enter_context(socket.socket(socket.AF_UNIX))
        name = str(folder.control_socket)
        try:
            if len(os.fsencode(name)) > LONGEST_SOCKET:
                descriptor = os.open(folder.path, os.O_RDONLY)
                stack.callback(os.close, descriptor)
                name = f"/proc/self/fd/{descriptor}/{folder.control_socket.name}"
            probe.connect(name)
        except OSError:
            return False
    return True


def _running(config: "Config") -> HostedRelay:
    """Ask a relay that runs for an invite, which says all we need to know."""
    invite = make_owner_invite(config)
    from tertulia.wire import parse_link

    parsed = parse_link(invite)
    return HostedRelay(parsed.base, parsed.link.fingerprint, invite)


def make_owner_invite(config: "Config") -> str:
    """Have a relay make an invite for whoever has its data folder: its owner."""
    from tertulia.cli.serve import find_addresses
    from tertulia.server import CreateInvite, Surroundings, ask_relay

    command = CreateInvite(uses=1, duration=INVITE_TIME, makes_owner=True)
    answer = ask_relay(config, Surroundings(addresses=find_addresses), command)
    if answer.refused is not None:
        raise UsageError(answer.refused)
    return str(answer.rows[0]["link"])


# Starting


async def _start(wish: Wish) -> HostedRelay:
    """Start a relay on the port wished for, or the first one that is free."""
    data = wish.config.data
    if wish.port is not None:
        return await _launch(wish, wish.port)
    memory = Memory.read(data)
    first = memory.port or DEFAULT_PORT
    for port in range(first, min(first + PORTS_TRIED, 65_536)):
        try:
            relay = await _launch(wish, port)
        except RelayNotStartedError as error:
            if error.cause != "cannot_listen" or port + 1 == first + PORTS_TRIED:
                raise
        else:
            msgspec.structs.replace(memory, port=port).write(data)
            return relay
    raise UsageError


async def _launch(wish: Wish, port: int) -> HostedRelay:
    log = wish.config.data / "relay.log"
    with log.open("wb") as errors:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "tertulia.cli.leash", "--json"),
            *("--data", str(wish.config.data)),
            *("--listen", f"{_bracketed(wish.host)}:{port}"),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=errors,
            start_new_session=True,  # Ctrl-C at the terminal is for the host
        )
    try:
        line = await _first_line(process)
    except BaseException:
        await _stop(process)
        raise
    if line.get("event") == "ready":
        fingerprint = bytes.fromhex(line["fingerprint"])
        return HostedRelay(line["url"], fingerprint, line["owner_invite"], process, log)
    await process.wait()
    raise _failure(line, log)


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host else host


async def _first_line(process: asyncio.subprocess.Process) -> dict[str, Any]:
    if process.stdout is None:
        return {}
    async with asyncio.timeout(START_TIME):
        line = await process.stdout.readline()
    try:
        return msgspec.json.decode(line, type=dict[str, Any])
    except msgspec.DecodeError:
        return {}


def _failure(line: dict[str, Any], log: Path) -> RelayNotStartedError:
    if line.get("event") == "failed":
        words = line["words"]
        return RelayNotStartedError(line["code"], tuple(words), line["exit_code"])
    words = (
        _("The relay could not be started."),
        _("Nothing was changed."),
        _("{log} says why.").format(log=log),
    )
    return RelayNotStartedError("", words, ExitCode.UNAVAILABLE)


async def _stop(process: asyncio.subprocess.Process) -> None:
    if process.returncode is not None:
        return
    if process.stdin is not None:
        process.stdin.close()  # which is how it is told
    try:
        async with asyncio.timeout(STOP_TIME):
            await process.wait()
    except TimeoutError:
        process.kill()
        await process.wait()
