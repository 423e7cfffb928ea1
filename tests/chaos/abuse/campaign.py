"""One abuse after the other, each beside a room that was quiet before.

Relay, room and abuse are processes of their own. The quiet stretch comes first, with
the same connections; then the abuse begins, and once it is in full swing the room talks
again. What counts is how much later others' messages come, what the relay's memory
was at most, and that nobody in the room noticed anything else.
"""

import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from typing_extensions import override

from tertulia.wire import frames
from tests.chaos.abuse.abuses import ABUSES, Abuse
from tests.chaos.abuse.line import Target, arrive
from tests.chaos.abuse.measures import MIB, Use, Watch, counters
from tests.chaos.writers import public_key_of
from tests.running_relay import Process, environment, invite_of, launch, run
from tests.wire_client import Invite, Person

RELAY = ("--metrics=127.0.0.1:0", "--log-level=warning")
STOPPING = 20.0
RETURNING = 120.0


@dataclass(frozen=True)
class Stretch:
    """How the room fared for a while, and what the relay used."""

    p50: float  # milliseconds
    p99: float
    slowest: float
    deliveries: int
    room_cpu: float  # share of a core
    relay: Use

    @override
    def __str__(self) -> str:
        share = 100 * self.relay.cpu / self.relay.seconds
        return (
            f"p50 {self.p50:7.1f} ms, p99 {self.p99:7.1f} ms, "
            f"slowest {self.slowest:7.1f} ms, relay {share:3.0f} % CPU "
            f"{self.relay.memory / MIB:5.0f} MiB, room {100 * self.room_cpu:3.0f} % CPU"
        )


@dataclass(frozen=True)
class Row:
    """What one abuse did."""

    name: str
    quiet: Stretch
    abused: Stretch
    tally: dict[str, int]
    attacker_cpu: float  # share of a core
    faults: tuple[str, ...]

    @property
    def ratio(self) -> float:
        """How much later others' messages came, at the 99th percentile."""
        return self.abused.p99 / self.quiet.p99

    @override
    def __str__(self) -> str:
        tally = ", ".join(f"{what} {count}" for what, count in self.tally.items())
        return (
            f"{self.name}: p99 x {self.ratio:.1f}\n"
            f"  quiet   {self.quiet}\n"
            f"  abused  {self.abused}\n"
            f"  attacker {100 * self.attacker_cpu:.0f} % CPU: {tally}"
        )


class Party:
    """A child process of the campaign."""

    def __init__(self, target: Target, name: str, size: int, seed: int) -> None:
        self._popen = subprocess.Popen(
            [sys.executable, "-m", "tests.chaos.abuse.party"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=environment(),
        )
        self._order(
            name=name,
            port=target.port,
            tls=target.tls,
            invite=target.invite.invite.hex(),
            secret=target.invite.secret.hex(),
            size=size,
            seed=seed,
        )

    def __enter__(self) -> Self:
        self.hear()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._popen.kill()
        self._popen.communicate()

    def ask(self, do: str, **order: Any) -> dict[str, Any]:
        """Give an order and return the answer."""
        self._order(do=do, **order)
        return self.hear()

    def _order(self, **order: Any) -> None:
        stream = self._popen.stdin
        assert stream is not None
        stream.write(json.dumps(order) + "\n")
        stream.flush()

    def hear(self) -> dict[str, Any]:
        stream = self._popen.stdout
        assert stream is not None
        line = stream.readline()
        if not line:
            raise ChildProcessError(f"a party ended with {self._popen.wait()}")
        words: dict[str, Any] = json.loads(line)
        return words


@dataclass(frozen=True)
class Options:
    """How long and how much."""

    seconds: float = 12.0
    seed: int = 1
    scale: float = 1.0  # of the number of attackers
    http: bool = False
    relay: tuple[str, ...] = ()


def abuse_relay(folder: Path, name: str, options: Options) -> Row:
    """Let one abuse go on beside a room, at a relay of its own."""
    abuse = ABUSES[name]
    with started(folder, (*abuse.relay, *options.relay), options) as (process, target):
        size = max(2, round(abuse.size * options.scale))
        with Party(target, "room", abuse.members, options.seed) as room:
            quiet = _stretch(process, room, abuse, options)
            with Party(target, name, size, options.seed) as attacker:
                before, began = attacker.ask("account"), time.monotonic()
                abused = _stretch(process, room, abuse, options)
                after = attacker.ask("end")
                share = (after["cpu"] - before["cpu"]) / (time.monotonic() - began)
            faults = list(room.ask("end")["faults"])
        bugs = counters(process.line["metrics"])["tertulia_bugs_total"]
        if bugs:
            faults.append(f"the relay met {bugs:.0f} bugs of its own")
    return Row(name, quiet, abused, after["tally"], share, tuple(faults))


def _stretch(process: Process, room: Party, abuse: Abuse, options: Options) -> Stretch:
    with Watch(process.popen.pid) as watch:
        figures = room.ask("talk", rate=abuse.rate, seconds=options.seconds)
    return Stretch(
        figures["p50"],
        figures["p99"],
        figures["slowest"],
        figures["deliveries"],
        figures["cpu"] / figures["seconds"],
        watch.use,
    )


@contextmanager
def started(
    folder: Path, relay: tuple[str, ...], options: Options
) -> Iterator[tuple[Process, Target]]:
    """Start a relay with an invite for everybody."""
    more = ("--http",) if options.http else ()
    with (folder.with_suffix(".log")).open("w") as log:
        process = launch(folder, *RELAY, *relay, *more, log=log)
        try:
            invite = invite_of(process.line["owner_invite"])
            owner = Target(process.server.port, invite, tls=not options.http)
            yield process, run(for_everybody(owner))
        finally:
            process.kill()


async def for_everybody(owner: Target) -> Target:
    """Let the owner make an invite that never ends."""
    person = Person()
    line = await arrive(owner, person, "127.0.0.1")
    invite = Invite(person.rng(16), person.rng(32))
    public = public_key_of(invite)
    await line.ask(frames.CreateServerInvite(line.number(), invite.invite, public))
    line.abort()
    return Target(owner.port, invite, tls=owner.tls)


# After a restart


@dataclass(frozen=True)
class Return:
    """How a crowd came back."""

    size: int
    is_gentle: bool
    seconds: float  # from the relay's end until the last was back
    ready: float  # seconds from the relay's end until it accepted again
    use: Use
    tally: dict[str, int]

    @override
    def __str__(self) -> str:
        how = "stopped" if self.is_gentle else "killed"
        return (
            f"return: {self.size} back {self.seconds:.1f} s after the relay was {how} "
            f"(up after {self.ready:.1f} s), relay "
            f"{1000 * self.use.cpu / self.size:.2f} ms CPU each, "
            f"{self.use.memory / MIB:.0f} MiB; {self.tally}"
        )


def throw_out(folder: Path, size: int, options: Options, *, is_gentle: bool) -> Return:
    """Restart a relay under a crowd; return how it came back."""
    with (
        started(folder, options.relay, options) as (process, target),
        Party(target, "return", size, options.seed) as crowd,
    ):
        began = time.monotonic()
        _end(process, is_gentle=is_gentle)
        listen = ("--listen", f"127.0.0.1:{target.port}", *options.relay)
        more = ("--http",) if options.http else ()
        again = launch(folder, *RELAY, *listen, *more, log=subprocess.DEVNULL)
        ready = time.monotonic() - began
        try:
            with Watch(again.popen.pid) as watch:
                account = crowd.ask("account")
                while account["tally"]["there"] < size:
                    if time.monotonic() - began > RETURNING:
                        break
                    time.sleep(0.1)
                    account = crowd.ask("account")
            took = time.monotonic() - began
        finally:
            again.kill()
    return Return(size, is_gentle, took, ready, watch.use, account["tally"])


def _end(process: Process, *, is_gentle: bool) -> None:
    if is_gentle:
        process.popen.terminate()
        process.popen.wait(timeout=STOPPING)
    else:
        process.kill()


def campaign(
    folder: Path, names: list[str], options: Options, report: Callable[[str], object]
) -> list[str]:
    """Run abuses by name; return every promise that was broken."""
    broken: list[str] = []
    for name in names:
        row = abuse_relay(folder / name, name, options)
        report(str(row))
        broken += [f"{name}: {fault}" for fault in row.faults]
    return broken
