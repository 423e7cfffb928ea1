"""The entry point: reads the environment and the arguments, runs one command.

Each command lives in a module of its own with a function `add_parser`; what the
command needs is imported when it runs, so that `--help` stays fast.
"""

import argparse
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from tertulia import __version__
from tertulia.cli import (
    admin,
    chat,
    classic,
    doctor,
    host,
    inviting,
    join,
    listen,
    listing,
    lock,
    menu,
    send,
    serve,
)
from tertulia.cli.words import ExitCode, describe
from tertulia.errors import TertuliaError
from tertulia.l10n import _, choose_language


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command that `argv` (by default the process's arguments) names.

    Returns the exit code; see `ExitCode`.
    """
    _open_missing_streams()
    choose_language(os.environ)
    parser = build_parser()
    arguments = parser.parse_args(argv)
    run: Callable[[argparse.Namespace], int] | None = arguments.run
    if run is None and not _is_terminal():
        parser.print_help()
        return ExitCode.USAGE
    try:
        return menu.run(parser) if run is None else run(arguments)
    except TertuliaError as error:
        words = describe(error)
        print(words, file=sys.stderr)
        return words.exit_code
    except (KeyboardInterrupt, EOFError):  # EOFError: Ctrl-D at a question
        return ExitCode.INTERRUPTED
    except BrokenPipeError:
        _forget_output()
        return ExitCode.OK


def _open_missing_streams() -> None:
    """A standard stream that was closed is an empty one: it ends, or swallows."""
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            empty = Path(os.devnull).open(mode, encoding="utf-8")  # noqa: SIM115
            setattr(sys, name, empty)


def _is_terminal() -> bool:
    return sys.stdin.isatty() and sys.stdout.isatty()


def _forget_output() -> None:
    """Let what Python still wants to write at its end go nowhere: nobody reads it."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stdout.fileno())
    os.close(nowhere)


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
    host.add_parser(commands)
    join.add_parser(commands)
    chat.add_parser(commands)
    send.add_parser(commands)
    listen.add_parser(commands)
    listing.add_parsers(commands)
    inviting.add_parser(commands)
    lock.add_parser(commands)
    serve.add_parser(commands)
    admin.add_parser(commands)
    doctor.add_parser(commands)
    classic.add_parser(commands)
    return parser
