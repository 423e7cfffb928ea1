"""The entry point: reads the environment and the arguments, runs one command.

Each command lives in a module of its own with a function `add_parser`; what the
command needs is imported when it runs, so that `--help` stays fast.
"""

import argparse
import os
import sys
from collections.abc import Callable, Sequence

from tertulia import __version__
from tertulia.cli import admin, classic, doctor, serve
from tertulia.cli.words import ExitCode, describe
from tertulia.errors import TertuliaError
from tertulia.l10n import _, choose_language


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command that `argv` (by default the process's arguments) names.

    Returns the exit code; see `ExitCode`.
    """
    choose_language(os.environ)
    parser = build_parser()
    arguments = parser.parse_args(argv)
    run: Callable[[argparse.Namespace], int] | None = arguments.run
    if run is None:
        parser.print_help()
        return ExitCode.USAGE
    try:
        return run(arguments)
    except TertuliaError as error:
        words = describe(error)
        print(words, file=sys.stderr)
        return words.exit_code
    except KeyboardInterrupt:
        return ExitCode.INTERRUPTED


def build_parser() -> argparse.ArgumentParser:
    """Return the parser of the whole command line."""
    parser = argparse.ArgumentParser(
        prog="tertulia",
        description=_("Group chat that one person starts and others enter."),
    )
    parser.add_argument(
        "--version",
        action="version",
        version=f"tertulia {__version__}",
        help=_("show the version and exit"),
    )
    parser.set_defaults(run=None)
    commands = parser.add_subparsers(title=_("commands"), metavar=_("COMMAND"))
    serve.add_parser(commands)
    admin.add_parser(commands)
    doctor.add_parser(commands)
    classic.add_parser(commands)
    return parser
