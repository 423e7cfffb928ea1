"""How people stand in lists."""

from tertulia.cli.lines import shown_name
from tertulia.client import MemberView
from tertulia.l10n import _, ngettext


def member_row(member: MemberView) -> str:
    """Return the line of a member in a list."""
    parts = [shown_name(member.person.name, member.tag)]
    if member.person.is_me:
        parts.append(_("you"))
    if member.is_owner:
        parts.append(_("owner"))
    elif member.is_admin:
        parts.append(_("admin"))
    if member.devices > 1:
        parts.append(
            ngettext("{n} device", "{n} devices", member.devices).format(
                n=member.devices
            )
        )
    return ", ".join(parts)
