"""What comes with a handshake, mended and asked for outside of one.

A bundle's effects are advice: the relay cannot check them against the group. So any
member may repair them, and a client that skips a handshake does.
"""

from tertulia.relay import admission
from tertulia.relay.effects import Effects, Send
from tertulia.relay.engine import Denied, Overtaken, Placed, RepairProposal
from tertulia.relay.node import Node
from tertulia.relay.refusal import Refusal, not_found
from tertulia.relay.sending import stale
from tertulia.relay.session import Session
from tertulia.relay.tickets import Right, Ticket
from tertulia.wire import ErrorCode, frames, limits


async def repair(
    node: Node, session: Session, frame: frames.Repair, now: int
) -> Effects:
    """Carry out a bundle without an entry."""
    node.buckets.take(limits.HANDSHAKES, session.holder.device, now)
    proposal = RepairProposal(
        frame.room, session.holder.device, frame.handshake, frame.bundle, now
    )
    match await node.engine.repair(proposal):
        case Placed():
            return [Send(session, frames.Done(frame.request))]
        case Overtaken() as overtaken:
            return [await stale(node, session, frame, overtaken)]
        case Denied() as denied:
            raise Refusal(denied.code, denied.facts)


async def fetch_group(
    node: Node, session: Session, frame: frames.FetchGroup, now: int
) -> Effects:
    """Return what an external commit starts from, to a device that may make one."""
    grounds = await admission.require_way_in(node, session, frame, now)
    entrance = await node.engine.entrance(frame.room)
    if entrance is None:
        raise not_found()
    wrapped = _wrapped(entrance.advice, grounds.invite)
    ticket = Ticket(
        Right.READ_GROUP, now + limits.TICKET_TIME, frame.room, session.holder.device
    )
    answer = frames.Group(
        frame.request,
        entrance.state.handshake,
        node.heads.sign(entrance.state),
        entrance.advice.group_info,
        entrance.tree,
        entrance.patches,
        wrapped,
        node.tickets.issue(ticket),
    )
    return [Send(session, answer)]


def _wrapped(advice: frames.GroupAdvice, invite: bytes | None) -> bytes:
    if invite is None:
        return advice.member_wrap
    wrapped = admission.wrap_of(advice, invite)
    if wrapped is None:
        raise Refusal(ErrorCode.INVITE_INVALID)
    return wrapped
