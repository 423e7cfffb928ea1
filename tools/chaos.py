"""The crash campaign: kill the relay under full load and check every promise it made.

    python -m tools.chaos --kills 200 --seed 1

Prints one line per check and a summary; the exit code is 1 if a promise was broken.
"""

import argparse
import sys
import tempfile
from pathlib import Path

from tests.chaos.campaign import kill_campaign
from tests.running_relay import run


def main(arguments: list[str]) -> int:
    """Run a campaign; return 1 if a promise was broken."""
    parser = argparse.ArgumentParser(description="Kill the relay under load.")
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as folder:
        relay = Path(folder) / "relay"
        summary = run(kill_campaign(relay, options.kills, options.seed, _say))
    _say(f"seed {options.seed}: {summary}")
    for fault in summary.broken[:20]:
        print(fault, file=sys.stderr)
    return 1 if summary.broken else 0


def _say(line: str) -> None:
    print(line, flush=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
