"""How long the commands take from their start, and which imports take how much of it.

One run before the others does not count: it brings everything into the page cache and
compiles the modules, which are kept in the bench's folder, so that it does not matter
whether Python may write into the tree.
"""

import itertools
import re
import resource
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path

from bench.conversation_relay import relay_at
from bench.conversation_stage import Company, enter, found_room
from bench.conversation_table import Cost, Row, cpu_seconds, row_of
from tests.e2e.talkers import NO_KEYRING
from tests.running_relay import LOOPBACK, command, environment

PATIENCE = 60.0
HEAVIEST = 12
_IMPORT = re.compile(r"import time:\s*(\d+) \|\s*\d+ \|\s*(\S+)")


def startup(folder: Path, rounds: int) -> tuple[list[Row], list[str]]:
    """Return the lines of the table, and those about imports."""
    around = _environment(folder)
    rows, imports = _commands(folder, rounds, around)
    hosts = (folder / f"host{number}" for number in itertools.count())
    rows += [
        _row(
            "`tertulia host`, all new, to its first line",
            rounds,
            lambda: _host(next(hosts), around),
        ),
        _row(
            "`tertulia host`, the same again",
            rounds,
            partial(_host, folder / "host0", around),
        ),
    ]
    return rows, imports


def _environment(folder: Path) -> dict[str, str]:
    around = environment(**NO_KEYRING, PYTHONPYCACHEPREFIX=str(folder / "compiled"))
    around.pop("PYTHONDONTWRITEBYTECODE", None)
    return around


def _commands(
    folder: Path, rounds: int, around: Mapping[str, str]
) -> tuple[list[Row], list[str]]:
    profile = folder / "ana"
    bare, help_ = [sys.executable, "-c", "pass"], command("--help")
    send = command("send", "Bench", "Hello.", "--profile", str(profile))
    with relay_at(folder / "relay") as relay:
        with Company() as founder:
            founder.do(found_room, profile, "Ana", relay.line["owner_invite"])
        rows = [
            _row("python, nothing else", rounds, partial(_run, bare, around)),
            _row("`tertulia --help`", rounds, partial(_run, help_, around)),
            _row("`tertulia send`, alone", rounds, partial(_run, send, around)),
        ]
        imports = [*_imports(help_, around), *_imports(send, around)]
        with Company() as chat:
            chat.do(enter, profile)
            beside = "`tertulia send`, beside an open chat"
            rows.append(_row(beside, rounds, partial(_run, send, around)))
    return rows, imports


def _row(what: str, rounds: int, run: Callable[[], Cost]) -> Row:
    run()
    return row_of(what, [run() for _ in range(rounds)])


def _run(words: Sequence[str], around: Mapping[str, str]) -> Cost:
    """Run a command to its end."""
    before, used = time.monotonic(), _children()
    subprocess.run(  # noqa: S603 -- our own command
        words,
        check=True,
        stdout=subprocess.DEVNULL,
        env=around,
        timeout=PATIENCE,
    )
    return Cost(time.monotonic() - before, _children() - used, 0)


def _children() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _host(folder: Path, around: Mapping[str, str]) -> Cost:
    """Run a host until others may come."""
    began = time.monotonic()
    places = ("--data", str(folder / "relay"), "--profile", str(folder / "profile"))
    names = ("--room", "Bench", "--name", "Ana", "--listen", f"{LOOPBACK}:0")
    host = subprocess.Popen(  # noqa: S603 -- our own command
        command("host", *names, *places, "--json"),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env=around,
    )
    with host:
        try:
            if host.stdout is None or not host.stdout.readline():
                raise RuntimeError("the host did not start")
            wall = time.monotonic() - began
            listed = Path(f"/proc/{host.pid}/task/{host.pid}/children").read_text()
            relay = sum(cpu_seconds(int(child)) for child in listed.split())
            return Cost(wall, cpu_seconds(host.pid), relay)
        finally:
            host.terminate()
            host.communicate(timeout=PATIENCE)


def _imports(words: Sequence[str], around: Mapping[str, str]) -> Iterator[str]:
    """Yield which packages a command imports, the heaviest first."""
    run = subprocess.run(  # noqa: S603 -- our own command
        [words[0], "-X", "importtime", *words[1:]],
        check=True,
        capture_output=True,
        text=True,
        env=around,
        timeout=PATIENCE,
    )
    taken: Counter[str] = Counter()
    for microseconds, module in _IMPORT.findall(run.stderr):
        taken[_package(module)] += int(microseconds)
    yield f"imports of `tertulia {words[3]}`: {sum(taken.values()) / 1000:.0f} ms"
    for package, microseconds in taken.most_common(HEAVIEST):
        yield f"  {microseconds / 1000:6.1f} ms  {package}"


def _package(module: str) -> str:
    """Return whom to blame: a package of ours, or somebody's whole one."""
    parts = module.split(".")
    return ".".join(parts[:2] if parts[0] == "tertulia" else parts[:1])
