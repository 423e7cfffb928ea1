"""Reports of somebody who could not enter by what the relay gave.

The relay cannot tell whether that is so. It asks one of those who follow the room, each
time another one by chance, to give the group advice anew: one who could mend it and does
not holds up nobody for long, and a thousand members do not do it all at once.
"""

from tertulia.relay import admission
from tertulia.relay.effects import Effects, Send
from tertulia.relay.node import Node
from tertulia.relay.session import Session
from tertulia.wire import frames, limits


async def report_group(
    node: Node, session: Session, frame: frames.ReportGroup, now: int
) -> Effects:
    """Pass on to a member that the group advice is of no use."""
    await admission.require_way_in(node, session, frame, now)
    node.buckets.take(limits.REPORTS, frame.room, now)
    effects: Effects = [Send(session, frames.Done(frame.request))]
    members = [
        other
        for other in node.followers.get(frame.room, ())
        if other.holder.device != session.holder.device
    ]
    if members:
        members.sort(key=lambda member: member.holder.device)
        chosen = members[int.from_bytes(node.rng(4), "big") % len(members)]
        effects.append(Send(chosen, frames.GroupReported(frame.room)))
    return effects
