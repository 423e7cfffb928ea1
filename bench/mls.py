"""Time of the MLS engine beside others: `python bench/mls.py [--suite S] [SIZE ...]`.

Prints a Markdown table for each group size. All engines do the same with the same bytes
in and out: their groups are made alike, and the members that never speak are key
packages of ours. The times are CPU time of this process; ts-mls runs in Node, so its
times are wall time and hold a round trip through a pipe (about 0.5 ms).

The others are the two oracles with suite 1, or, with `--suite`, our own engine with
that suite (a number such as 0xF002).
"""

import argparse
import statistics
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TypeVar

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # run as a script

from bench.populated_group import (
    FOREVER,
    device_identity,
    new_identity,
    populated_group,
    welcome_into,
)
from tertulia import mls
from tertulia.client.judgement import RULES
from tertulia.crypto import CipherSuite, cipher_suite, system_rng
from tertulia.errors import BugError
from tertulia.mls.secret_tree import RatchetKind
from tests.interop.oracles.availability import MLS_RS, TS_MLS, why_missing
from tests.interop.oracles.availability import engine as oracle
from tests.interop.oracles.oracle import Add, Engine, Oracle
from tests.interop.oracles.ours import OURS, SUITE, OurMember, Ours
from tests.interop.oracles.ts_mls import TsMls

T = TypeVar("T")
Clock = Callable[[], float]

SIZES = (2, 10, 100, 1000)
ANSWER_SECONDS = 600.0
TEXT = bytes(300)
# A step is repeated until it took this long, but at least and at most so many times.
ENOUGH_SECONDS = 1.5
FEWEST, MOST = 3, 30

CREATE = "create, add N-1 in one commit"
JOIN_BLANK = "join, blank tree"
COMMIT_BLANK = "commit, blank tree"
PROCESS_BLANK = "process it"
JOIN_POPULATED = "join, populated tree"
JOIN_CERTIFIED = "join it, certificates checked"
COMMIT_POPULATED = "commit, populated tree"
PROCESS_POPULATED = "process one"
PROTECT = "protect 300 bytes"
UNPROTECT = "unprotect 300 bytes"
RELOAD = "save and load the state"
SAVE = "save what a commit changed"
LOAD = "load the state alone"
UNPROTECT_TALKED = "unprotect, all have spoken"
ROWS_TALKED = "what to save after it"
LOAD_TALKED = "load the state, all have spoken"
STEPS = (
    CREATE,
    JOIN_BLANK,
    COMMIT_BLANK,
    PROCESS_BLANK,
    JOIN_POPULATED,
    JOIN_CERTIFIED,
    COMMIT_POPULATED,
    PROCESS_POPULATED,
    PROTECT,
    UNPROTECT,
    RELOAD,
    SAVE,
    LOAD,
    UNPROTECT_TALKED,
    ROWS_TALKED,
    LOAD_TALKED,
)


class Stopwatch:
    """The times that one engine took for each step of one group size."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._seconds: dict[str, list[float]] = {}

    def time(self, step: str, action: Callable[[], T]) -> T:
        """Carry out `action` and add its time to those of `step`."""
        start = self._clock()
        result = action()
        self._seconds.setdefault(step, []).append(self._clock() - start)
        return result

    def needs_more(self, step: str) -> bool:
        """Tell whether a step is to be repeated."""
        seconds = self._seconds.get(step, [])
        if len(seconds) < FEWEST:
            return True
        return len(seconds) < MOST and sum(seconds) < ENOUGH_SECONDS

    def milliseconds(self, step: str) -> float | None:
        """Return the median time of a step, None if the engine does not offer it."""
        seconds = self._seconds.get(step)
        return None if seconds is None else 1000 * statistics.median(seconds)


@dataclass(frozen=True, slots=True)
class Runner:
    """An engine and the clock that measures it."""

    engine: Engine
    clock: Clock
    suite: CipherSuite = SUITE


def measure(runner: Runner, peers: "Peers", size: int) -> Stopwatch:
    """Take all times of one engine at one group size."""
    watch = Stopwatch(runner.clock)
    founder, joiner = _blank_group(runner, size, watch)
    while watch.needs_more(COMMIT_BLANK):
        _commit(watch, COMMIT_BLANK, founder, PROCESS_BLANK, joiner)
    peer, subject = _populated_group(runner.engine, peers, watch)
    _commit(Stopwatch(runner.clock), "", subject, "", peer)  # merges the new leaf
    while watch.needs_more(COMMIT_POPULATED):
        _commit(watch, COMMIT_POPULATED, subject, "", peer)
        _commit(watch, "", peer, PROCESS_POPULATED, subject)
    while watch.needs_more(PROTECT):
        message = watch.time(PROTECT, lambda: founder.send(TEXT))
        watch.time(UNPROTECT, partial(joiner.process, message))
    while watch.needs_more(RELOAD):
        watch.time(RELOAD, subject.reload)
    if isinstance(founder, OurMember) and isinstance(joiner, OurMember):
        _after_all_spoke(watch, _talked(founder.group), _talked(joiner.group))
    if isinstance(subject, OurMember):
        _save_and_load(watch, subject.group)
        _join_certified(watch, runner.suite, size)
    return watch


def _save_and_load(watch: Stopwatch, group: mls.Group) -> None:
    plan, policy = mls.CommitPlan(), mls.AcceptEverything()
    after = mls.commit(group, plan, policy, system_rng).after
    rows, tree = mls.save_traffic(after.traffic), after.tree.encode()
    while watch.needs_more(LOAD):
        record = watch.time(SAVE, partial(_save, group, after))
        watch.time(LOAD, partial(_load, record, rows, tree))


def _save(before: mls.Group, after: mls.Group) -> bytes:
    """Return the record of an epoch; encode what is new in its tree, too."""
    mls.tree_difference(before.tree, after.tree).encode()
    return mls.save_epoch(after.epoch)


def _talked(group: mls.Group) -> mls.Group:
    """Return the group after each member has spoken: it holds ratchets of all."""
    tree = group.traffic.secret_tree
    for leaf in range(tree.leaf_count):
        tree, _, _ = tree.next_key(group.suite, leaf, RatchetKind.APPLICATION)
    return group.with_secret_tree(tree)


def _after_all_spoke(watch: Stopwatch, writer: mls.Group, reader: mls.Group) -> None:
    while watch.needs_more(UNPROTECT_TALKED):
        writer, message = mls.protect(writer, TEXT, system_rng)
        heard = watch.time(UNPROTECT_TALKED, partial(_receive, reader, message))
        changed = partial(mls.changed_rows, reader.traffic, heard.traffic)
        watch.time(ROWS_TALKED, changed)
        reader = heard
    record, tree = mls.save_epoch(reader.epoch), reader.tree.encode()
    rows = mls.save_traffic(reader.traffic)
    while watch.needs_more(LOAD_TALKED):
        watch.time(LOAD_TALKED, partial(_load, record, rows, tree))


def _load(record: bytes, rows: Mapping[bytes, bytes], tree: bytes) -> mls.Group:
    return mls.load_group(record, rows, mls.decode_tree(tree))


def _receive(group: mls.Group, message: mls.PrivateMessage) -> mls.Group:
    received = mls.receive(group, message, mls.AcceptEverything())
    if not isinstance(received, mls.ReceivedApplication):
        raise BugError("not application data")
    return received.group


def _join_certified(watch: Stopwatch, suite: CipherSuite, size: int) -> None:
    """Join as a client does, who has each leaf's certificate checked, too."""
    peer = device_identity(suite, b"peer")
    group = populated_group(peer, size - 1, device_identity)
    subject = device_identity(suite, b"subject")
    mine = mls.create_key_package(subject, FOREVER, system_rng)
    welcome = welcome_into(group, mine.key_package)
    while watch.needs_more(JOIN_CERTIFIED):
        watch.time(JOIN_CERTIFIED, partial(_join, welcome, mine))


def _join(welcome: bytes, mine: mls.KeyPackageSecrets) -> mls.Group:
    message = mls.decode_message(welcome)
    if not isinstance(message, mls.Welcome):
        raise BugError("not a Welcome")
    return mls.join(message, mine, RULES)


def _blank_group(runner: Runner, size: int, watch: Stopwatch) -> tuple[Oracle, Oracle]:
    """Found a group by one commit without path: no parent node has a key."""
    engine = runner.engine
    ghosts = [
        Ours(runner.suite).member(b"ghost %d" % number) for number in range(2, size)
    ]
    packages = [ghost.key_package() for ghost in ghosts]
    founder, joiner = engine.member(b"founder"), engine.member(b"joiner")
    while watch.needs_more(CREATE):
        founder, joiner = engine.member(b"founder"), engine.member(b"joiner")
        adds = tuple(map(Add, [joiner.key_package(), *packages]))
        welcome = watch.time(CREATE, partial(_found, founder, adds))
        watch.time(JOIN_BLANK, partial(joiner.join, welcome))
    return founder, joiner


def _found(founder: Oracle, adds: tuple[Add, ...]) -> bytes:
    founder.create_group(b"blank")
    output = founder.commit(adds)
    founder.apply_pending_commit()
    return output.welcome or b""


def _populated_group(
    engine: Engine, peers: "Peers", watch: Stopwatch
) -> tuple[Oracle, Oracle]:
    """Join a group whose members have all committed before."""
    peer, subject = peers.next(), engine.member(b"subject")
    while watch.needs_more(JOIN_POPULATED):
        peer, subject = peers.next(), engine.member(b"subject")
        output = peer.commit((Add(subject.key_package()),))
        peer.apply_pending_commit()
        watch.time(JOIN_POPULATED, partial(subject.join, output.welcome or b""))
    return peer, subject


def _commit(
    watch: Stopwatch, making: str, maker: Oracle, taking: str, taker: Oracle
) -> None:
    """Make an empty commit and take it; a step without a name is not of interest."""
    output = watch.time(making, maker.commit)
    watch.time(taking, partial(taker.process, output.commit))
    maker.apply_pending_commit()


class Peers:
    """Any number of times the same member of ours in the same populated group."""

    def __init__(self, suite: CipherSuite, size: int) -> None:
        self._identity = new_identity(suite, b"peer")
        self._group = populated_group(self._identity, size)

    def next(self) -> Oracle:
        """Return the member once more, knowing nothing of what it did before."""
        return OurMember(self._identity, group=self._group)


def of_two_suites(other: CipherSuite) -> list[Runner]:
    """Return our engine with suite 1 and with another suite."""
    return [Runner(Ours(suite), time.process_time, suite) for suite in (SUITE, other)]


@contextmanager
def runners() -> Iterator[list[Runner]]:
    """Yield our engine and those oracles that this machine has."""
    with ExitStack() as stack:
        found = [Runner(Ours(), time.process_time)]
        if _is_here(MLS_RS):
            engine = stack.enter_context(oracle(MLS_RS))
            found.append(Runner(engine, time.process_time))
        if _is_here(TS_MLS):
            patient = TsMls(answer_seconds=ANSWER_SECONDS)
            stack.callback(patient.close)
            found.append(Runner(patient, time.perf_counter))
        yield found


def _is_here(name: str) -> bool:
    reason = why_missing(name)
    if reason is not None:
        print(f"left out: {reason}", file=sys.stderr)
    return reason is None


def table(size: int, columns: Mapping[str, Stopwatch]) -> Iterator[str]:
    """Yield the lines of one group size's table."""
    yield f"### N = {size}"
    yield ""
    yield "| | " + " | ".join(columns) + " |"
    yield "|---|" + "---:|" * len(columns)
    ours = columns[OURS]
    for step in STEPS:
        cells = [_cell(watch, ours, step) for watch in columns.values()]
        yield f"| {step} | " + " | ".join(cells) + " |"
    yield ""


def _cell(watch: Stopwatch, ours: Stopwatch, step: str) -> str:
    """Return milliseconds; in others' columns also how many of theirs ours takes."""
    taken, taken_by_ours = watch.milliseconds(step), ours.milliseconds(step)
    if taken is None or taken_by_ours is None:
        return "-"
    if watch is ours:
        return f"{taken:.2f}"
    return f"{taken:.2f} ({taken_by_ours / taken:.2g}x)"


def measure_all(found: Sequence[Runner], size: int) -> dict[str, Stopwatch]:
    """Return a column of times for each engine and suite, ours with suite 1 first."""
    return {
        _title(runner): measure(runner, Peers(runner.suite, size - 1), size)
        for runner in found
    }


def _title(runner: Runner) -> str:
    if runner.suite is SUITE:
        return runner.engine.name
    return f"{runner.engine.name}, suite 0x{runner.suite.id:04X}"


def main() -> None:
    """Measure the group sizes named on the command line, or the usual ones."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--suite", type=lambda text: cipher_suite(int(text, 0)))
    parser.add_argument("sizes", metavar="SIZE", type=int, nargs="*", default=SIZES)
    options = parser.parse_args()
    with ExitStack() as stack:
        if options.suite is None:
            found = stack.enter_context(runners())
        else:
            found = of_two_suites(options.suite)
        for size in options.sizes:
            print("\n".join(table(size, measure_all(found, size))), flush=True)


if __name__ == "__main__":
    main()
