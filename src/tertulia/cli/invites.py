"""Invites of a room: finding, making and listing them, for commands of both kinds."""

import time
from collections.abc import Sequence
from typing import TYPE_CHECKING

from tertulia.cli.errors import NothingNamedError, UnexpectedAnswerError
from tertulia.cli.lines import local_time, shown_name
from tertulia.client import CreateInvite, InviteMade, InviteView
from tertulia.l10n import _, ngettext

if TYPE_CHECKING:
    from tertulia.agent import Agent


async def standing_or_new(agent: "Agent", room: bytes) -> str:
    """Return the link that has no end; make one only if there is none."""
    link = standing_link(await agent.invites(room))
    return link or (await make_invite(agent, room)).link


def standing_link(invites: Sequence[InviteView]) -> str | None:
    """Return a link made here that counts until it is revoked."""
    for invite in invites:
        if invite.link and invite.expires is None and invite.uses is None:
            return invite.link
    return None


async def make_invite(
    agent: "Agent", room: bytes, lasts: int | None = None, uses: int | None = None
) -> InviteMade:
    """Make a link that counts for `lasts` milliseconds and `uses` people."""
    now = time.time_ns() // 1_000_000
    expires = None if lasts is None else now + lasts
    answer = await agent.ask(CreateInvite(room, expires, uses))
    if not isinstance(answer, InviteMade):
        raise UnexpectedAnswerError(answer)
    return answer


def choose_invite(invites: Sequence[InviteView], wanted: str) -> InviteView:
    """Return the invite whose id begins so; raise NothingNamedError."""
    found = [one for one in invites if one.invite.hex().startswith(wanted.lower())]
    if len(found) != 1:
        raise NothingNamedError(wanted)
    return found[0]


def invite_row(invite: InviteView) -> str:
    """Return the line of an invite in a list."""
    parts = [invite.invite.hex()[:8], shown_name(invite.creator.name)]
    if invite.expires is not None:
        parts.append(_("until {time}").format(time=local_time(invite.expires)))
    if invite.uses is not None:
        parts.append(ngettext("{n} use", "{n} uses", invite.uses).format(n=invite.uses))
    return "  ".join([*parts, invite.link or _("(made on another device)")])
