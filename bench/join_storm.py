"""What it costs to fill a room through one link: `python -m bench.join_storm`.

A relay process, a host and a few members who stay online, as agents with vaults in a
process of their own; and newcomers, one after the other, in another process: each makes
a profile, joins by the same link, and goes offline, still a member. All newcomers come
through a proxy that counts their bytes, with TLS and the new account; one of those who
stay comes through another one, which so counts what each join costs a member.

    python -m bench.join_storm --joins 1000 --online 3
    python -m bench.join_storm --joins 490 --hybrid
"""

import argparse
import platform
import signal
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path

from bench.conversation_joins import Counted, counting_proxy
from bench.conversation_relay import relay_at
from bench.conversation_stage import Company, Stage, enter_room, found_room
from bench.conversation_table import Cost, Meter, cpu_seconds
from tertulia.client import JoinRoom
from tests.running_relay import Process

WINDOW = 10  # joins that one line of the table speaks of
MARKS = (10, 50, 100, 200, 500, 1000, 2000, 5000)


@dataclass(frozen=True, slots=True)
class Sample:
    """One join: what the newcomer needed, what went over its wire, and a member's."""

    cost: Cost
    up: int
    down: int
    member: float  # CPU seconds of each who is online
    member_down: int
    relay: float  # CPU seconds of the relay, until the next one begins


async def come_and_go(stage: Stage, folder: Path, link: str, relay: int) -> Cost:
    """Make a profile, join, and go offline; return what the join itself cost."""
    async with AsyncExitStack() as stack:
        newcomer = Stage(stack)
        newcomer.around = stage.around
        person = await newcomer.enter(folder, folder.name)
        meter = Meter(relay)
        await person.agent.ask(JoinRoom(link))
        return meter.cost()


class Storm:
    """A room that is filled through one link."""

    def __init__(
        self, folder: Path, relay: Process, online: Company, *, large: bool
    ) -> None:
        self._large = large
        self._folder = folder
        self._relay = relay
        self._online = online
        self._people = 0

    def fill(
        self, joins: int, members: int, proxies: tuple[Counted, Counted]
    ) -> Iterator[Sample]:
        """Yield what each join cost."""
        newcomers, watched = proxies
        link = self._found(members, watched)
        link = self._through(link, newcomers)
        with Company() as company:
            for number in range(joins):
                up, down, seen = newcomers.up, newcomers.down, watched.down
                used = cpu_seconds(self._online.process)
                relay = cpu_seconds(self._relay.popen.pid)
                folder = self._folder / f"newcomer{number}"
                cost = company.do(come_and_go, folder, link, self._relay.popen.pid)
                yield Sample(
                    cost,
                    newcomers.up - up,
                    newcomers.down - down,
                    (cpu_seconds(self._online.process) - used) / self._people,
                    watched.down - seen,
                    cpu_seconds(self._relay.popen.pid) - relay,
                )

    def _found(self, members: int, watched: Counted) -> str:
        invite = self._relay.line["owner_invite"]
        made = self._online.do(
            found_room, self._folder / "host", "host", invite, large=self._large
        )
        self._people = members
        for number in range(1, members):
            name = f"member{number}"
            link = self._through(made.link, watched) if number == 1 else made.link
            self._online.do(enter_room, self._folder / name, name, link)
        return made.link

    def _through(self, link: str, proxy: Counted) -> str:
        port = f":{self._relay.server.port}/"
        return link.replace(port, f":{proxy.port}/", 1)


def lines(samples: Sequence[Sample], online: int) -> Iterator[str]:
    """Yield a table: the last joins before each mark, and what all took together."""
    yield (
        "| room of | join, wall | slowest | CPU, joiner | CPU, relay | CPU, each member"
        " | kB up | kB down | kB down, member |"
    )
    yield "|---:|---:|---:|---:|---:|---:|---:|---:|---:|"
    marks = [mark for mark in MARKS if mark < len(samples)] + [len(samples)]
    for mark in marks:
        yield _line(samples[max(0, mark - WINDOW) : mark], mark + online)


def _line(window: Sequence[Sample], size: int) -> str:
    def middle(value: Callable[[Sample], float], unit: float = 1000) -> str:
        return f"{unit * statistics.mean(map(value, window)):,.1f}"

    wall = statistics.median(each.cost.wall for each in window)
    slowest = max(each.cost.wall for each in window)
    cells = (
        f"{size:,}",
        f"{1000 * wall:,.0f}",
        f"{1000 * slowest:,.0f}",
        middle(lambda each: each.cost.own),
        middle(lambda each: each.relay),
        middle(lambda each: each.member),
        middle(lambda each: each.up, 1 / 1000),
        middle(lambda each: each.down, 1 / 1000),
        middle(lambda each: each.member_down, 1 / 1000),
    )
    return f"| {' | '.join(cells)} |"


def main(arguments: list[str]) -> int:
    """Fill a room and print what that cost."""
    parser = argparse.ArgumentParser(description="What a room filled by a link costs.")
    parser.add_argument("--joins", type=int, default=1000)
    parser.add_argument("--online", type=int, default=3, help="who stay, host included")
    parser.add_argument("--hybrid", action="store_true", help="up to 500 people")
    options = parser.parse_args(arguments)
    # Whoever ends this ends what it started, too.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    print(f"CPython {platform.python_version()}, {platform.machine()}; milliseconds")
    with (
        tempfile.TemporaryDirectory() as folder,
        relay_at(Path(folder) / "relay") as relay,
        counting_proxy(relay.server.port) as newcomers,
        counting_proxy(relay.server.port) as watched,
        Company() as online,
    ):
        began = time.monotonic()
        storm = Storm(Path(folder), relay, online, large=not options.hybrid)
        proxies = (newcomers, watched)
        samples = list(storm.fill(options.joins, options.online, proxies))
        whole = time.monotonic() - began
    print("\n".join(["", *lines(samples, options.online)]))
    up, down = (sum(each.up for each in samples), sum(each.down for each in samples))
    print(
        f"\nAll {len(samples):,} joins: {up / 1e6:,.1f} MB up, {down / 1e6:,.1f} MB"
        f" down, {whole:,.0f} s with making the profiles."
    )
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
