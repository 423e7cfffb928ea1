"""Keep the reference of a relay's options in step with their declaration.

python -m tools.options update   write docs/reference/relay-options.md
python -m tools.options check    fail if it is stale
"""

import sys
from collections.abc import Iterator
from pathlib import Path

from tertulia.cli.relay_options import rate_key, relay_options
from tertulia.wire import limits

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "reference" / "relay-options.md"

HEAD = """# Options of a relay

Generated from `src/tertulia/cli/relay_options.py` by `tools/options.py`; do not edit.

`tertulia serve` and `tertulia doctor` take all of them. The command line comes first,
then the environment, then the TOML file that `--config` (or `TERTULIA_CONFIG`) names,
then the default. In the file an option has its name without the dashes
(`relay-storage = "64G"`); a repeatable one is a list there, and separated by commas in
the environment. Sizes are like `500M` or `64G`, times like `12h`, `30d`, `2w`.

| Option | Environment | Default | Meaning |
|---|---|---|---|
"""

RATES = """
## Rates

A rate is a bucket that starts full, loses a token with each use, and refills by the
minute. `--rate NAME=BURST/PER-MINUTE` changes one.

| Name | Per | Burst | Per minute | Reason |
|---|---|---|---|---|
"""


def main(arguments: list[str]) -> int:
    """Carry out the command line; return the exit code."""
    page = "".join([HEAD, *_options(), RATES, *_rates()])
    if arguments == ["update"]:
        PAGE.parent.mkdir(parents=True, exist_ok=True)
        PAGE.write_text(page)
        return 0
    if PAGE.exists() and PAGE.read_text() == page:
        return 0
    print(f"{PAGE.relative_to(ROOT)} is stale: make options", file=sys.stderr)
    return 1


def _options() -> Iterator[str]:
    for option in relay_options():
        shown = (
            option.flag if option.metavar is None else f"{option.flag} {option.metavar}"
        )
        default = option.default or "none"
        yield f"| `{shown}` | `{option.variable}` | {default} | {option.words} |\n"


def _rates() -> Iterator[str]:
    for rate in limits.RATES:
        yield (
            f"| `{rate_key(rate.name)}` | {rate.per} | {rate.burst} "
            f"| {rate.per_minute} | {rate.name}: {rate.reason} |\n"
        )


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
