"""Which profile a command works with, and the few questions that may be needed for it.

Only a new profile needs a name. At a terminal it is asked for, with the login name
proposed; elsewhere the missing option is named. A passphrase is asked for only if one
is set.
"""

import argparse
import getpass
import os
import signal
import sys
import threading
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final

from tertulia.cli.errors import MissingOptionError, NoProfileError
from tertulia.cli.folders import user_folder
from tertulia.l10n import _

if TYPE_CHECKING:
    from tertulia.agent import Agent

PROFILE_VARIABLE: Final = "TERTULIA_PROFILE"


def add_profile_option(parser: argparse.ArgumentParser) -> None:
    """Let `parser` take --profile."""
    parser.add_argument(
        "--profile",
        metavar=_("FOLDER"),
        help=_("folder with who you are and what you have read (TERTULIA_PROFILE)"),
    )


def add_name_option(parser: argparse.ArgumentParser) -> None:
    """Let `parser` take --name."""
    parser.add_argument(
        "--name", metavar=_("ME"), help=_("what you want to be called; asked if needed")
    )


def profile_folder(
    arguments: argparse.Namespace, environment: Mapping[str, str]
) -> Path:
    """Return the folder of the profile that is meant."""
    given = arguments.profile or environment.get(PROFILE_VARIABLE)
    return Path(given).absolute() if given else user_folder(environment, "profile")


def name_for(arguments: argparse.Namespace) -> str | None:
    """Return the name for a profile that is new, asked for if need be.

    Has to be called before there is a loop, which a question would stop. Raises
    MissingOptionError, EOFError.
    """
    from tertulia.agent import has_profile

    if arguments.name or has_profile(profile_folder(arguments, os.environ)):
        return str(arguments.name) if arguments.name else None
    if not can_ask():
        raise MissingOptionError("--name")
    proposed = _login_name()
    question = (
        _("What do you want to be called? [{name}] ").format(name=proposed)
        if proposed
        else _("What do you want to be called? ")
    )
    while not (name := ask(question) or proposed):
        pass
    return name


@asynccontextmanager
async def opened(
    arguments: argparse.Namespace, name: str | None = None
) -> AsyncIterator["Agent"]:
    """Open the profile; one that is new only with a name. Raises TertuliaError."""
    from tertulia.agent import has_profile, open_agent

    os.umask(0o077)  # whatever is written from here on is for its owner only
    folder = profile_folder(arguments, os.environ)
    if name is None and not has_profile(folder):
        raise NoProfileError(folder)
    passphrase = ask_passphrase if can_ask() else None
    async with open_agent(folder, name=name, passphrase=passphrase) as agent:
        yield agent


def can_ask() -> bool:
    """Tell whether there is somebody to ask."""
    return sys.stdin.isatty() and sys.stderr.isatty()


def _login_name() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError, ImportError):  # a system without such names
        return ""


def ask(question: str, read: Callable[[], str] = input) -> str:
    """Ask at the terminal, apart from what a program may read. Raises EOFError."""
    print(question, end="", file=sys.stderr, flush=True)
    return read().strip()


def ask_passphrase() -> str:
    """Ask for the passphrase that is set, in a way that Ctrl-C ends."""
    with _interruptible():
        return getpass.getpass(_("Passphrase of this profile: "))


@contextmanager
def _interruptible() -> Iterator[None]:
    """Let Ctrl-C end a question that is asked while a loop waits."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
