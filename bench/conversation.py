"""What a conversation costs, from key to screen: `python -m bench.conversation`.

Real profiles on disk, a real relay process, TLS, loopback. Prints one Markdown table
for each part, and which imports take how long. Name parts to measure only these:

    python -m bench.conversation --rounds 5 --texts 2000 --sizes 10 100 joins startup
"""

import argparse
import platform
import signal
import sys
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path

from bench.conversation_joins import joins
from bench.conversation_latency import latency
from bench.conversation_rates import Amounts, rates
from bench.conversation_startup import startup
from bench.conversation_table import table

WRITERS = 5
READERS = 3

Lines = list[str]


def _latency(folder: Path, options: argparse.Namespace) -> Lines:
    return list(table(latency(folder, options.lines)))


def _rates(folder: Path, options: argparse.Namespace) -> Lines:
    amounts = Amounts(options.rounds, options.texts, WRITERS, READERS)
    return list(table(rates(folder, amounts)))


def _joins(folder: Path, options: argparse.Namespace) -> Lines:
    return list(table(joins(folder, options.sizes, options.rounds)))


def _startup(folder: Path, options: argparse.Namespace) -> Lines:
    rows, imports = startup(folder, options.rounds)
    return [*table(rows), "", *imports]


PARTS: Mapping[str, Callable[[Path, argparse.Namespace], Lines]] = {
    "latency": _latency,
    "rates": _rates,
    "joins": _joins,
    "startup": _startup,
}


def main(arguments: list[str]) -> int:
    """Print a table for each part."""
    parser = argparse.ArgumentParser(description="What a conversation costs.")
    parser.add_argument("parts", nargs="*", help=", ".join(PARTS), metavar="PART")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--lines", type=int, default=200, help="said one by one")
    parser.add_argument("--texts", type=int, default=2000, help="in each outbox")
    parser.add_argument("--sizes", type=int, nargs="+", default=[10, 100])
    options = parser.parse_args(arguments)
    # Whoever ends this ends what it started, too.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    parts = options.parts or list(PARTS)
    if unknown := set(parts) - set(PARTS):
        parser.error(f"no such part: {', '.join(sorted(unknown))}")
    print(f"CPython {platform.python_version()}, {platform.machine()}; milliseconds")
    for part in parts:
        with tempfile.TemporaryDirectory() as folder:
            print("", f"### {part}", "", sep="\n", flush=True)
            print("\n".join(PARTS[part](Path(folder), options)), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
