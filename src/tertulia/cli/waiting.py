"""How long a command waits for the relay, if its caller says so."""

import argparse
from typing import Final

from tertulia.cli.errors import BadValueError
from tertulia.cli.options import duration
from tertulia.l10n import _

_SECOND: Final = 1000


def add_timeout_option(parser: argparse.ArgumentParser, default: float) -> None:
    """Let `parser` take --timeout."""
    parser.add_argument(
        "--timeout",
        metavar=_("TIME"),
        help=_("how long to wait for the relay, like 30s or 2m; {seconds}s").format(
            seconds=f"{default:g}"
        ),
    )


def timeout_of(arguments: argparse.Namespace, default: float) -> float:
    """Return the seconds to wait; raise BadValueError."""
    if arguments.timeout is None:
        return default
    try:
        return duration(arguments.timeout) / _SECOND
    except ValueError:
        wanted = _("a time, like 30s or 2m")
        raise BadValueError(arguments.timeout, wanted) from None
