"""How a room is announced at a terminal: its link, the command for others, a QR code."""

import os

from tertulia.cli.lines import shown_room
from tertulia.cli.own_command import own_command
from tertulia.cli.qr import qr_rows
from tertulia.cli.screen import RESET, WHITE_ON_BLACK, code_fits, write_out
from tertulia.l10n import _


def announce(url: str, room: str, link: str, *, is_for_others: bool) -> None:
    """Write what the host tells others, and how far it reaches."""
    write_out(announcement(url, room, link, is_for_others=is_for_others))
    rows = qr_rows(link)
    if code_fits(rows) and os.environ.get("TERM") != "dumb":
        write_out("".join(f"{WHITE_ON_BLACK}{row}{RESET}\n" for row in rows))


def announcement(url: str, room: str, link: str, *, is_for_others: bool) -> str:
    """Return the lines of the announcement, without the code."""
    lines = [
        _("* The room {room} is open at {url}").format(room=shown_room(room), url=url)
    ]
    if not is_for_others:
        lines.append(_("* Only programs on this machine can reach that address."))
    lines += [_("* Others enter with:"), f"{own_command()} join '{link}'"]
    return "".join(line + "\n" for line in lines)
