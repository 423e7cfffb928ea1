"""The abuse campaign: how calm a relay stays while others misuse it.

    python -m tools.abuse [ABUSE ...] --seconds 12 --seed 1

Each abuse is measured beside a quiet run of the same room. Prints the figures; the exit
code is 1 if a promise to the room was broken, whatever the figures.
"""

import argparse
import sys
import tempfile
from pathlib import Path

from tests.chaos.abuse.abuses import ABUSES
from tests.chaos.abuse.campaign import Options, campaign, throw_out

RETURN = "return"
CROWD = 5_000


def main(arguments: list[str]) -> int:
    """Run a campaign; return 1 if a promise was broken."""
    parser = argparse.ArgumentParser(description="Misuse a relay; measure its others.")
    parser.add_argument("abuse", nargs="*", help=", ".join((*ABUSES, RETURN)))
    parser.add_argument("--seconds", type=float, default=12.0)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--scale", type=float, default=1.0)
    parser.add_argument("--http", action="store_true", help="without TLS")
    parser.add_argument("--relay", action="append", default=[], metavar="OPTION")
    chosen = parser.parse_args(arguments)
    options = Options(
        chosen.seconds, chosen.seed, chosen.scale, chosen.http, tuple(chosen.relay)
    )
    names = chosen.abuse or [*ABUSES, RETURN]
    with tempfile.TemporaryDirectory() as folder:
        broken = campaign(
            Path(folder), [name for name in names if name != RETURN], options, _say
        )
        if RETURN in names:
            broken += _throw_out(Path(folder), options)
    for fault in broken:
        print(fault, file=sys.stderr)
    return 1 if broken else 0


def _throw_out(folder: Path, options: Options) -> list[str]:
    size = round(CROWD * options.scale)
    broken = []
    for how in (True, False):
        back = throw_out(folder / f"return{how}", size, options, is_gentle=how)
        _say(str(back))
        if back.tally["there"] < size:
            broken.append(f"return: only {back.tally['there']} of {size} came back")
    return broken


def _say(line: str) -> None:
    print(line, flush=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
