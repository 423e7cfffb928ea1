"""What one delivery costs a relay: one person writes, N read, everything durable.

    python -m bench.relay_fan_out --members 100 --seconds 5

Relay and load generator are processes of their own. The members count bytes and parse
nothing, but one, so that the generator is not what is measured. CPU time is the
relay's, of all its threads, user and system, as the kernel has it.
"""

import argparse
import asyncio
import os
import sys
import tempfile
import time
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from random import Random  # noqa: TID251 -- the same messages each time

from typing_extensions import override

from tertulia.wire import frames
from tests.chaos.writers import gather_room
from tests.running_relay import Process, invite_of, launch, run
from tests.wire_client import Client, sign_in

BLOB = bytes(512)  # a padded text of a line or two
FAST = (
    "--rate=connections=1000000/1000000",
    "--rate=frames=1000000/60000000",
    "--rate=new-accounts=1000000/1000000",
    "--log-level=warning",
)


class Counter(asyncio.Protocol):
    """A member that only counts."""

    def __init__(self, before: asyncio.BaseProtocol) -> None:
        self.bytes = 0
        self._before = before

    @override
    def data_received(self, data: bytes) -> None:
        self.bytes += len(data)

    @override
    def connection_lost(self, exc: Exception | None) -> None:
        self._before.connection_lost(exc)


@dataclass(frozen=True)
class Row:
    """One line of the table."""

    transport: str
    under_way: int
    entries: int
    seconds: float
    cpu: float
    deliveries: int

    @override
    def __str__(self) -> str:
        return (
            f"{self.transport:5}  {self.under_way:3} under way  "
            f"{self.entries / self.seconds:8.0f} entries/s  "
            f"{self.deliveries / self.seconds:9.0f} deliveries/s  "
            f"{1e6 * self.cpu / self.deliveries:6.2f} us CPU per delivery  "
            f"{100 * self.cpu / self.seconds:4.0f} % CPU"
        )


def cpu_time(process: int) -> float:
    """Return the CPU seconds a process has used."""
    fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


async def measure(
    process: Process, members: int, seconds: float, under_way: int
) -> Row:
    """Let one member write for some seconds."""
    invite = invite_of(process.line["owner_invite"])
    people = await gather_room(process.server, invite, members + 1, Random(1))  # noqa: S311
    async with AsyncExitStack() as stack:
        clients = [
            await stack.enter_async_context(sign_in(process.server, one.person))
            for one in people
        ]
        room = people[0].room
        for client in clients[1:]:
            await client.ask(frames.FollowRoom(1, room, 0))
        reference, *others = clients[1:]
        counters = [_count_only(client) for client in others]
        before, began = cpu_time(process.popen.pid), time.monotonic()
        entries = await _write(clients[0], room, seconds, under_way)
        await _all_there(reference, counters, entries)
        took = time.monotonic() - began
        cpu = cpu_time(process.popen.pid) - before
        for client in others:
            client.abort()
        kind = "TLS" if process.server.tls else "plain"
        return Row(kind, under_way, entries, took, cpu, entries * members)


def _count_only(client: Client) -> Counter:
    transport = client.socket.transport
    counter = Counter(transport.get_protocol())
    transport.set_protocol(counter)
    return counter


async def _write(client: Client, room: bytes, seconds: float, under_way: int) -> int:
    end = time.monotonic() + seconds
    waiting = [client.append(room, BLOB) for _ in range(under_way)]
    entries = under_way
    while waiting:
        answer = await waiting.pop(0)
        if not isinstance(answer, frames.Accepted):
            raise TypeError(answer)
        if time.monotonic() < end:
            waiting.append(client.append(room, BLOB))
            entries += 1
    return entries


async def _all_there(reference: Client, counters: list[Counter], entries: int) -> None:
    """Wait until every member has what the one that parses has."""
    pages = await reference.wait_for_pushed(frames.Entries)
    while sum(len(page.entries) for page in pages) < entries:
        pages = await reference.wait_for_pushed(frames.Entries, len(pages) + 1)
    while len({counter.bytes for counter in counters}) > 1:  # noqa: ASYNC110 -- counters tell nobody
        await asyncio.sleep(0.01)


def main(arguments: list[str]) -> int:
    """Print one row per transport and number of entries under way."""
    parser = argparse.ArgumentParser(description="What one delivery costs.")
    parser.add_argument("--members", type=int, default=100)
    parser.add_argument("--seconds", type=float, default=5.0)
    options = parser.parse_args(arguments)
    print(f"{options.members} members, {len(BLOB)} bytes per entry, durable (SQLite)")
    for transport in ((), ("--http",)):
        for under_way in (1, 64):
            with tempfile.TemporaryDirectory() as folder:
                process = launch(Path(folder) / "relay", *FAST, *transport)
                try:
                    print(
                        run(
                            measure(
                                process, options.members, options.seconds, under_way
                            )
                        ),
                        flush=True,
                    )
                finally:
                    process.kill()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
