"""`tertulia admin`: what the operator of a relay sees and decides.

A running relay is asked over its control socket; of a stopped one the store is opened.
"""

import argparse
import json
import os
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tertulia.cli.options import BadOptionError, add_options, duration, number
from tertulia.cli.relay_options import data_folder, data_option
from tertulia.errors import UsageError
from tertulia.l10n import _

if TYPE_CHECKING:
    from tertulia.server import Answer, AnyCommand


def add_parser(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add `admin` with its sub-commands to `commands`."""
    words = _("look after a relay: accounts, rooms, storage, bans, invites, backups")
    parser = commands.add_parser("admin", help=words, description=words)
    parser.set_defaults(run=lambda _arguments: _print_help(parser))
    subjects = parser.add_subparsers(title=_("commands"), metavar=_("COMMAND"))
    _add(subjects, "accounts", _("list the accounts"), _accounts)
    _add(subjects, "storage", _("show how much is stored"), _storage)
    _add_rooms(subjects)
    _add_bans(subjects)
    _add_invites(subjects)
    _add_backups(subjects)


def _print_help(parser: argparse.ArgumentParser) -> int:
    parser.print_help()
    return 2


def _add(
    parsers: "argparse._SubParsersAction[argparse.ArgumentParser]",
    name: str,
    words: str,
    run: Callable[[argparse.Namespace], int],
) -> argparse.ArgumentParser:
    parser: argparse.ArgumentParser = parsers.add_parser(
        name, help=words, description=words
    )
    add_options(parser, (data_option(),))
    parser.add_argument(
        "--json", action="store_true", help=_("print JSON, one object per line")
    )
    parser.set_defaults(run=run)
    return parser


def _add_rooms(
    subjects: "argparse._SubParsersAction[argparse.ArgumentParser]",
) -> None:
    rooms = _add(subjects, "rooms", _("list the rooms, or remove one"), _rooms)
    rooms.add_argument(
        "--remove", metavar=_("ID"), help=_("remove this room and all it stores")
    )


def _add_bans(subjects: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    _add(subjects, "bans", _("list who is shut out"), _bans)
    ban = _add(subjects, "ban", _("shut an account or an address out, at once"), _ban)
    ban.add_argument("subject", metavar=_("ID"), help=_("account id or IP address"))
    ban.add_argument(
        "--for", dest="duration", metavar=_("TIME"), help=_("like 12h or 30d; for good")
    )
    unban = _add(subjects, "unban", _("let an account or an address in again"), _unban)
    unban.add_argument("subject", metavar=_("ID"), help=_("account id or IP address"))


def _add_invites(
    subjects: "argparse._SubParsersAction[argparse.ArgumentParser]",
) -> None:
    _add(subjects, "invites", _("list the invites to this relay"), _invites)
    invite = _add(
        subjects, "invite", _("make a link with which accounts can be created"), _invite
    )
    invite.add_argument(
        "--uses", metavar=_("NUMBER"), help=_("how many accounts; one if not given")
    )
    invite.add_argument(
        "--for", dest="duration", metavar=_("TIME"), help=_("like 12h or 30d; for good")
    )
    invite.add_argument(
        "--owner", action="store_true", help=_("who comes by it owns the relay")
    )
    uninvite = _add(
        subjects, "uninvite", _("make an invite worthless before it is used"), _uninvite
    )
    uninvite.add_argument("invite", metavar=_("ID"), help=_("as `invites` lists it"))


def _add_backups(
    subjects: "argparse._SubParsersAction[argparse.ArgumentParser]",
) -> None:
    backup = _add(
        subjects,
        "backup",
        _("copy everything into a new folder; the relay may go on running"),
        _backup,
    )
    backup.add_argument("folder", metavar=_("FOLDER"), help=_("an empty or new folder"))
    restore = _add(
        subjects,
        "restore",
        _("make a relay from a backup, in an empty folder"),
        _restore,
    )
    restore.add_argument("folder", metavar=_("FOLDER"), help=_("the backup"))
    verify = _add(
        subjects,
        "verify",
        _("check a relay's folder or a backup, byte by byte"),
        _verify,
    )
    verify.add_argument(
        "folder", nargs="?", metavar=_("FOLDER"), help=_("a backup; or else --data")
    )


# Commands a relay carries out


def _accounts(arguments: argparse.Namespace) -> int:
    from tertulia.server import ListAccounts

    return _ask(arguments, ListAccounts())


def _storage(arguments: argparse.Namespace) -> int:
    from tertulia.server import ShowStorage

    return _ask(arguments, ShowStorage())


def _rooms(arguments: argparse.Namespace) -> int:
    from tertulia.server import ListRooms, RemoveRoom

    if arguments.remove is not None:
        return _ask(arguments, RemoveRoom(arguments.remove))
    return _ask(arguments, ListRooms())


def _bans(arguments: argparse.Namespace) -> int:
    from tertulia.server import ListBans

    return _ask(arguments, ListBans())


def _ban(arguments: argparse.Namespace) -> int:
    from tertulia.server import PutBan

    return _ask(arguments, PutBan(arguments.subject, _time(arguments.duration)))


def _unban(arguments: argparse.Namespace) -> int:
    from tertulia.server import LiftBan

    return _ask(arguments, LiftBan(arguments.subject))


def _invites(arguments: argparse.Namespace) -> int:
    from tertulia.server import ListInvites

    return _ask(arguments, ListInvites())


def _invite(arguments: argparse.Namespace) -> int:
    from tertulia.server import CreateInvite

    uses = 1 if arguments.uses is None else _count(arguments.uses)
    command = CreateInvite(uses, _time(arguments.duration), arguments.owner)
    return _ask(arguments, command)


def _uninvite(arguments: argparse.Namespace) -> int:
    from tertulia.server import RemoveInvite

    return _ask(arguments, RemoveInvite(arguments.invite))


def _backup(arguments: argparse.Namespace) -> int:
    from tertulia.server import Backup

    os.umask(0o077)
    return _ask(arguments, Backup(str(Path(arguments.folder).absolute())))


def _ask(arguments: argparse.Namespace, command: "AnyCommand") -> int:
    from tertulia.cli.relay_options import read_config
    from tertulia.cli.serve import find_addresses
    from tertulia.server import Surroundings, ask_relay

    os.umask(0o077)
    config, _level = read_config(arguments, os.environ)
    answer = ask_relay(config, Surroundings(addresses=find_addresses), command)
    if answer.refused is not None:
        raise UsageError(answer.refused)
    _print(answer, as_json=arguments.json)
    return 0


# Commands about folders


def _restore(arguments: argparse.Namespace) -> int:
    from tertulia.crypto import system_rng
    from tertulia.server import DataFolder, restore_relay

    os.umask(0o077)
    folder = data_folder(arguments)
    restore_relay(DataFolder(Path(arguments.folder)), DataFolder(folder), system_rng)
    print(_("Restored into {folder}.").format(folder=folder))
    print(
        _(
            "Start it with `tertulia serve`, and do not start the old one again: clients "
            "bring back what the backup lacks."
        )
    )
    return 0


def _verify(arguments: argparse.Namespace) -> int:
    from tertulia.crypto import system_rng
    from tertulia.server import DataFolder, verify_relay

    folder = Path(arguments.folder) if arguments.folder else data_folder(arguments)
    problems = verify_relay(DataFolder(folder), system_rng)
    for problem in problems:
        print(problem)
    if not problems:
        print(_("{folder} is sound.").format(folder=folder))
    return 1 if problems else 0


# Values and tables


def _time(text: str | None) -> int | None:
    wanted = _("a time, like 90d or 12h")
    return None if text is None else _value("--for", duration, text, wanted)


def _count(text: str) -> int:
    return _value("--uses", number, text, _("a number"))


def _value(source: str, read: Callable[[str], int], text: str, wanted: str) -> int:
    try:
        return read(text)
    except ValueError:
        raise BadOptionError(source, text, wanted) from None


def _print(answer: "Answer", *, as_json: bool) -> None:
    if as_json:
        for row in answer.rows:
            print(json.dumps(row))
        return
    if [*map(len, answer.rows)] == [1]:  # one value: to be copied
        print(*answer.rows[0].values())
        return
    for line in table(answer.rows):
        print(line)


def table(rows: list[dict[str, Any]]) -> list[str]:
    """Return rows under their names, in columns."""
    if not rows:
        return []
    cells = [list(rows[0])]
    cells += [[_shown(name, value) for name, value in row.items()] for row in rows]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    return [
        "  ".join(
            cell.ljust(width) for cell, width in zip(line, widths, strict=True)
        ).rstrip()
        for line in cells
    ]


def _shown(name: str, value: object) -> str:
    match value:
        case None:
            return "-"
        case bool():
            return _("yes") if value else _("no")
        case int() if name in {"created", "expires", "last_used"}:
            return datetime.fromtimestamp(value / 1000, UTC).strftime("%Y-%m-%d %H:%M")
        case int() if name == "limit" or name.endswith("bytes"):
            return readable_size(value)
        case _:
            return str(value)


def readable_size(size: int) -> str:
    """Return a number of bytes as people say it."""
    value, unit = float(size), "B"
    for larger in ("KiB", "MiB", "GiB", "TiB"):
        if value < 1024:
            break
        value, unit = value / 1024, larger
    return f"{size} B" if unit == "B" else f"{value:.1f} {unit}"
