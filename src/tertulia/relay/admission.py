"""Joining by invite: proof, then a turn, then one external commit.

An admission lasts longer than a turn: a joiner overtaken by a member's commit asks for
the new group and tries again. The relay enforces an invite's expiry and uses; members
check the invite's signature, which the relay could not forge.
"""

from dataclasses import dataclass
from typing import TypeAlias

from tertulia.relay import invites
from tertulia.relay.effects import Effects, Send
from tertulia.relay.join_queue import JoinQueue
from tertulia.relay.node import Node
from tertulia.relay.refusal import Refusal, not_found
from tertulia.relay.session import Session
from tertulia.relay.tickets import Right, Ticket
from tertulia.wire import ErrorCode, frames, limits


@dataclass(frozen=True, slots=True)
class Grounds:
    """On what a device may send an external commit, if it may."""

    is_member: bool = False
    may_join: bool = False
    invite: bytes | None = None


Asking: TypeAlias = frames.Join | frames.FetchGroup | frames.ReportGroup


async def request_admission(
    node: Node, session: Session, frame: frames.RequestAdmission, now: int
) -> Effects:
    """Check the proof and put the joiner into the room's queue."""
    device = session.holder.device
    node.buckets.take(limits.HANDSHAKES, device, now, limits.ADMISSION_COST)
    proof = frames.InviteProof(frame.invite, frame.signature, frame.room)
    await invites.require_proof(node, session, proof, session.holder.device, now)
    if session not in node.sessions:  # it hung up meanwhile
        return []
    session.admissions[frame.room] = (now + limits.ADMISSION_TIME, frame.invite)
    queue = node.queues.setdefault(frame.room, JoinQueue())
    queue.enter(session, frame.request)
    effects = await _give_turn(node, frame.room, queue, now)
    return effects + [Send(session, queued) for queued in queue.place_of(session)]


async def advance(node: Node, room: bytes, now: int) -> Effects:
    """Give the turn to the next joiner if it is free, and tell others their place."""
    queue = node.queues.get(room)
    if queue is None:
        return []
    effects = await _give_turn(node, room, queue, now)
    if queue.is_idle():
        node.queues.pop(room, None)
    return effects + [Send(session, queued) for session, queued in queue.moved()]


async def _give_turn(node: Node, room: bytes, queue: JoinQueue, now: int) -> Effects:
    following = queue.next(now)
    if following is None:
        return []
    session, request = following
    return [await _admit(node, session, room, request, queue.until)]


async def _admit(
    node: Node, session: Session, room: bytes, request: int, until: int
) -> Send:
    entrance = await node.engine.entrance(room)
    _, invite = session.admissions.get(room, (0, b""))
    wrapped = None if entrance is None else wrap_of(entrance.advice, invite)
    if entrance is None or wrapped is None:
        return Send(session, frames.Refused(request, ErrorCode.INVITE_INVALID))
    ticket = Ticket(
        Right.READ_GROUP, until + limits.TICKET_TIME, room, session.holder.device
    )
    admitted = frames.Admitted(
        request,
        until,
        entrance.state.handshake,
        node.heads.sign(entrance.state),
        entrance.advice.group_info,
        entrance.tree,
        entrance.patches,
        wrapped,
        node.tickets.issue(ticket),
    )
    return Send(session, admitted)


def wrap_of(advice: frames.GroupAdvice, invite: bytes) -> bytes | None:
    """Return the group's key wrapped for an invite, if the advice has both."""
    wraps = {wrap.wrap: wrap.wrapped for wrap in advice.wraps}
    for listed in advice.invites:
        if listed.invite == invite:
            return wraps.get(listed.wrap)
    return None


async def grounds(node: Node, session: Session, frame: Asking, now: int) -> Grounds:
    """Return on what the device may join; raise NOT_FOUND if it has no grounds at all.

    A member may always replace its own leaf. Who was admitted may join while that
    lasts. A further device of a member's account may rejoin; members check that the
    account allowed it. A device whose routing has ended may only ask what became of
    entries it sent before.
    """
    room, device = frame.room, session.holder
    route = await node.engine.route(room, device.device)
    if isinstance(frame, frames.Join):
        await _require_own(node, session, frame)
    if route is not None and route.last is None:
        return Grounds(is_member=True)
    until, invite = session.admissions.get(room, (0, b""))
    if now < until <= now + limits.ADMISSION_TIME:
        if isinstance(frame, frames.Join) and room in node.queues:
            node.queues[room].require_turn(session, now)
        return Grounds(may_join=True, invite=invite)
    if await node.engine.has_account(room, device.account):
        return Grounds(may_join=True)
    if route is None:
        raise not_found()
    return Grounds()


async def require_way_in(
    node: Node, session: Session, frame: Asking, now: int
) -> Grounds:
    """Return the grounds of a device that may enter or is in; raise NOT_FOUND."""
    found = await grounds(node, session, frame, now)
    if not (found.may_join or found.is_member):
        raise not_found()
    return found


async def _require_own(node: Node, session: Session, frame: frames.Join) -> None:
    """Raise NOT_ALLOWED if the join replaces a device of somebody else."""
    for replaced in frame.unroute:
        device = await node.engine.device(replaced)
        if device is None or device.account != session.holder.account:
            raise Refusal(ErrorCode.NOT_ALLOWED)


async def joined(node: Node, session: Session, room: bytes, now: int) -> Effects:
    """End the joiner's admission and turn; the next one's begins."""
    session.admissions.pop(room, None)
    if room not in node.queues:
        return []
    node.queues[room].leave(session)
    return await advance(node, room, now)
