"""`tertulia invite`: makes, lists and revokes the links of a room."""

import argparse
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from tertulia.cli import tasks
from tertulia.cli.chat import room_meant
from tertulia.cli.errors import BadValueError, MissingArgumentError
from tertulia.cli.options import duration, number
from tertulia.cli.profile import add_profile_option, opened
from tertulia.cli.waiting import add_timeout_option, timeout_of
from tertulia.l10n import _

if TYPE_CHECKING:
    from tertulia.agent import Agent
    from tertulia.client import InviteView

PATIENCE: Final = 30.0


def add_parser(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add `invite` to `commands`."""
    parser = commands.add_parser(
        "invite",
        help=_("show, list or revoke links into a room"),
        description=_(
            "Show the link into a room. With --expires or --uses a new one is made; "
            "without, the one that has no end, made if there is none."
        ),
    )
    parser.add_argument(
        "room", nargs="?", metavar=_("ROOM"), help=_("name or id, or its beginning")
    )
    parser.add_argument(
        "action",
        nargs="?",
        choices=("create", "list", "revoke"),
        default="create",
        help=_("create (if not given), list, or revoke ID"),
    )
    parser.add_argument("invite", nargs="?", metavar=_("ID"), help=_("which to revoke"))
    parser.add_argument(
        "--expires", metavar=_("TIME"), help=_("how long it counts, like 12h or 7d")
    )
    parser.add_argument(
        "--uses", metavar=_("NUMBER"), help=_("how many people may use it")
    )
    parser.add_argument(
        "--json", action="store_true", help=_("print JSON, one object per line")
    )
    add_profile_option(parser)
    add_timeout_option(parser, PATIENCE)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Do what is asked; raise TertuliaError."""
    if arguments.action == "revoke" and arguments.invite is None:
        raise MissingArgumentError("tertulia invite ROOM revoke ID")
    return tasks.run(_invite(arguments, timeout_of(arguments, PATIENCE)))


async def _invite(arguments: argparse.Namespace, seconds: float) -> int:
    async with opened(arguments) as agent:
        room = (await room_meant(agent, arguments.room)).room
        match arguments.action:
            case "list":
                await _list(agent, room, as_json=arguments.json)
            case "revoke":
                work = _revoke(agent, room, arguments.invite)
                await tasks.within(seconds, work)
            case _:
                await tasks.within(seconds, _create(arguments, agent, room))
    return 0


async def _list(agent: "Agent", room: bytes, *, as_json: bool) -> None:
    _print(room, list(await agent.invites(room)), as_json=as_json)


def _print(room: bytes, invites: "list[InviteView]", *, as_json: bool) -> None:
    from tertulia.cli import invites as rows
    from tertulia.cli import json_lines
    from tertulia.cli.listing import print_json, print_text

    if as_json:
        print_json([json_lines.invite_line(room, invite) for invite in invites])
    else:
        print_text([rows.invite_row(invite) for invite in invites])


async def _revoke(agent: "Agent", room: bytes, wanted: str) -> None:
    from tertulia.cli.invites import choose_invite
    from tertulia.client import RevokeInvite

    invite = choose_invite(await agent.invites(room), wanted)
    await agent.ask(RevokeInvite(room, invite.invite))


async def _create(arguments: argparse.Namespace, agent: "Agent", room: bytes) -> None:
    from tertulia.cli.invites import make_invite, standing_or_new

    lasts = uses = None
    if arguments.expires is not None:
        lasts = _read(duration, arguments.expires, _("a time, like 7d or 12h"))
    if arguments.uses is not None:
        uses = _read(number, arguments.uses, _("a number of uses"))
    if lasts is None and uses is None:
        link = await standing_or_new(agent, room)
    else:
        link = (await make_invite(agent, room, lasts, uses)).link
    if not arguments.json:
        print(link)
        return
    made = [one for one in await agent.invites(room) if one.link == link]
    _print(room, made, as_json=True)


def _read(read: Callable[[str], int], text: str, wanted: str) -> int:
    try:
        return read(text)
    except ValueError:
        raise BadValueError(text, wanted) from None
