"""The campaign against clients: kill them while they talk, check what they promised.

    python -m tools.client_chaos --kills 200 --seed 1

Prints one line per check and a summary; the exit code is 1 if a promise was broken.
"""

import argparse
import sys
import tempfile
from pathlib import Path

from tests.chaos.client_campaign import kill_clients


def main(arguments: list[str]) -> int:
    """Run a campaign; return 1 if a promise was broken."""
    parser = argparse.ArgumentParser(description="Kill clients while they talk.")
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as folder:
        summary = kill_clients(Path(folder), options.kills, options.seed, _say)
    _say(f"seed {options.seed}: {summary}")
    for fault in summary.broken[:20]:
        print(fault, file=sys.stderr)
    return 1 if summary.broken else 0


def _say(line: str) -> None:
    print(line, flush=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
