"""`tertulia lock`: says and changes what opens this profile's store."""

import argparse
import getpass
import os
from typing import TYPE_CHECKING

from tertulia.cli.errors import (
    BadValueError,
    MissingOptionError,
    NoProfileError,
)
from tertulia.cli.profile import (
    add_profile_option,
    ask_passphrase,
    can_ask,
    profile_folder,
)
from tertulia.l10n import _

if TYPE_CHECKING:
    from tertulia.agent import KeySource


def add_parser(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add `lock` to `commands`."""
    parser = commands.add_parser(
        "lock",
        help=_("protect what is stored here with a passphrase, or no longer"),
        description=_(
            "Protect what this profile stores. Without an option it asks for a "
            "passphrase, which from then on opens the profile."
        ),
    )
    where = parser.add_mutually_exclusive_group()
    where.add_argument(
        "--keyring",
        action="store_true",
        help=_("no passphrase: the system's keyring holds the key"),
    )
    where.add_argument(
        "--file",
        action="store_true",
        help=_("no passphrase: a file that only this user can read holds the key"),
    )
    add_profile_option(parser)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Keep the key elsewhere from now on; raise TertuliaError."""
    from tertulia.agent import KeySource, change_key_source, has_profile

    os.umask(0o077)
    folder = profile_folder(arguments, os.environ)
    if not has_profile(folder):
        raise NoProfileError(folder)
    source, passphrase = KeySource.PASSPHRASE, ""
    if arguments.keyring:
        source = KeySource.KEYRING
    elif arguments.file:
        source = KeySource.FILE
    else:
        passphrase = _new_passphrase()
    current = ask_passphrase if can_ask() else None
    change_key_source(folder, current, source, passphrase)
    print(_told(source))
    return 0


def _new_passphrase() -> str:
    if not can_ask():
        raise MissingOptionError("--keyring")
    passphrase = getpass.getpass(_("New passphrase: "))
    if getpass.getpass(_("The same again: ")) != passphrase:
        raise BadValueError(_("The second one"), _("the same as the first"))
    return passphrase


def _told(source: "KeySource") -> str:
    from tertulia.agent import KeySource

    match source:
        case KeySource.PASSPHRASE:
            return _(
                "From now on the passphrase opens this profile. Nobody can bring it "
                "back if it is forgotten."
            )
        case KeySource.KEYRING:
            return _("From now on the system's keyring opens this profile.")
        case KeySource.FILE:
            return _(
                "From now on a file opens this profile: whoever can read it can read "
                "all that is stored here."
            )
