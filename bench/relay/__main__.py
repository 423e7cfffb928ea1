"""What a relay costs, ours beside others: same load, same run.

    python -m bench.relay hundred five --systems tertulia,nats --pin --rounds 3

This process is the load generator; each system is a process of its own. Every delivery
is counted, and its content and order checked; a fault ends the bench.
"""

import argparse
import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext, suppress
from pathlib import Path

from bench.relay import memory, table
from bench.relay.cases import CASES, Case
from bench.relay.compiler import NoCompilerError
from bench.relay.load import has_tls
from bench.relay.measuring import FaultError, Manner, Row, measure
from bench.relay.server import DidNotStartError
from bench.relay.systems.system import System
from bench.relay.systems.systems import SYSTEMS

_SESSION = Path("/proc/self/autogroup")
TROUBLE = (FaultError, DidNotStartError, NoCompilerError, OSError)


def main(arguments: Sequence[str]) -> int:
    """Measure what is asked for and print it as Markdown."""
    options = _parser().parse_args(arguments)
    try:
        has_tls()
    except NoCompilerError as error:
        print(f"Left out: the load generator needs a C compiler ({error}).")
        return 0
    with _hurried() if options.urgent else nullcontext():
        _measure(options)
    return 0


def _measure(options: argparse.Namespace) -> None:
    core = _pin() if options.pin else None
    systems = list(_installed(options.systems.split(",")))
    for name in options.cases or [*CASES, "idle"]:
        if name == "idle":
            _idle(systems, options, core)
        else:
            manner = Manner(options.seconds, core)
            _case(CASES[name], systems, manner, options.rounds)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description="What a relay costs.")
    parser.add_argument("cases", nargs="*", choices=[[], *CASES, "idle"])
    parser.add_argument("--systems", default=",".join(SYSTEMS), metavar="NAME,...")
    parser.add_argument("--seconds", type=float, default=5.0, help="of each run")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--connections", type=int, default=1000, help="that are idle")
    parser.add_argument(
        "--pin", action="store_true", help="a core for servers, another for the load"
    )
    parser.add_argument(
        "--urgent", action="store_true", help="before all other programs (needs root)"
    )
    return parser


def _pin() -> int:
    cores = sorted(os.sched_getaffinity(0))
    os.sched_setaffinity(0, {cores[-1]})
    return cores[0]


@contextmanager
def _hurried() -> Iterator[None]:
    """Come before others: the generator at once, servers with a larger share."""
    os.nice(-15)
    os.sched_setscheduler(
        0, os.SCHED_RR | os.SCHED_RESET_ON_FORK, os.sched_param(sched_priority=1)
    )
    with suppress(
        OSError
    ):  # where sessions share alike, niceness is one inside of them
        _SESSION.write_text("-15")
    try:
        yield
    finally:
        with suppress(OSError):
            _SESSION.write_text("0")


def _installed(names: Sequence[str]) -> list[System]:
    found = []
    for name in names:
        lack = SYSTEMS[name].lacks()
        if lack:
            print(f"Left out: {name} ({lack})")
        else:
            found.append(SYSTEMS[name])
    return found


def _case(
    case: Case, systems: Sequence[System], manner: Manner, rounds: int
) -> list[Row]:
    """Run all systems in turn, as many times as there are rounds; print tables."""
    rows: list[Row] = []
    for number in range(rounds):
        for system in systems:
            print(f"round {number + 1}: {system.name}", file=sys.stderr, flush=True)
            try:
                rows += measure(system, case, manner)
            except TROUBLE as error:
                print(f"Failed: {system.name}: {error}", flush=True)
    print(f"\n### {case.title}")
    for rate in table.rates_of(rows):
        print(table.heading(rate))
        for system in systems:
            same = [
                row for row in rows if (row.system, row.rate) == (system.name, rate)
            ]
            if same:
                print(table.line(table.calmest(same)), flush=True)
    return rows


def _idle(
    systems: Sequence[System], options: argparse.Namespace, core: int | None
) -> None:
    print("\n### idle")
    print(table.idle_heading())
    for system in systems:
        try:
            row = memory.idle(system, options.connections, options.rounds, core)
        except TROUBLE as error:
            print(f"Failed: {system.name}: {error}")
        else:
            print(table.idle_line(row), flush=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
