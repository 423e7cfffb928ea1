"""Entries that devices send: texts, commits with their bundles, joins, leavings.

All four are one proposal to the engine. What differs is what comes with it, and that
handshakes are limited per device, keep their turn and move the room's epoch.
"""

from collections.abc import Sequence
from itertools import accumulate
from typing import TypeAlias

from msgspec.structs import replace

from tertulia.relay import admission
from tertulia.relay.catch_up import newest_head
from tertulia.relay.effects import Effects, Send
from tertulia.relay.engine import Denied, Outcome, Overtaken, Placed, Proposal
from tertulia.relay.node import Node
from tertulia.relay.pages import cost
from tertulia.relay.refusal import Refusal
from tertulia.relay.rooms import note_processed
from tertulia.relay.session import Session
from tertulia.wire import Kind, frames, limits

Sent: TypeAlias = frames.Append | frames.Commit | frames.Join | frames.Leave


async def append(
    node: Node, session: Session, run: Sequence[frames.Append], now: int
) -> Effects:
    """Append application entries that came together, in one change of the engine."""
    outcomes = await node.engine.append(
        [_proposal(node, session, frame, now) for frame in run]
    )
    effects: Effects = []
    for frame, outcome in zip(run, outcomes, strict=True):
        if isinstance(outcome, Denied):
            refusal = Refusal(outcome.code, outcome.facts)
            effects.append(Send(session, refusal.answer(frame.request)))
        else:
            effects.append(await _tell(node, session, frame, outcome, now))
    return effects


async def leave(node: Node, session: Session, frame: frames.Leave, now: int) -> Effects:
    """Append a leaving statement; the sender is no longer routed after it."""
    proposal = replace(_proposal(node, session, frame, now), leaving=True)
    (outcome,) = await node.engine.append((proposal,))
    return await _answer(node, session, frame, outcome, now)


async def commit(
    node: Node, session: Session, frame: frames.Commit, now: int
) -> Effects:
    """Append a handshake together with its bundle."""
    proposal = replace(
        _proposal(node, session, frame, now), kind=Kind.HANDSHAKE, bundle=frame.bundle
    )
    outcome = await _append_handshake(node, session, proposal)
    return await _answer(node, session, frame, outcome, now)


async def join(node: Node, session: Session, frame: frames.Join, now: int) -> Effects:
    """Append the external commit of a device that was admitted, or that rejoins."""
    grounds = await admission.grounds(node, session, frame, now)
    proposal = replace(
        _proposal(node, session, frame, now),
        kind=Kind.HANDSHAKE,
        bundle=await _joining_bundle(node, frame),
        joining=grounds.may_join,
        invite=grounds.invite,
    )
    outcome = await _append_handshake(node, session, proposal)
    effects = await _answer(node, session, frame, outcome, now)
    if isinstance(outcome, Placed):
        effects += await admission.joined(node, session, frame.room, now)
    return effects


async def _joining_bundle(node: Node, frame: frames.Join) -> frames.Bundle:
    """Return what comes with a join: a newcomer cannot widen the link it came by."""
    current = await node.engine.group(frame.room)
    group = replace(
        frame.group,
        invites=current.invites if current else (),
        retention=current.retention if current else None,
    )
    return frames.Bundle(group=group, unroute=frame.unroute)


def _proposal(node: Node, session: Session, frame: Sent, now: int) -> Proposal:
    return Proposal(
        frame.room,
        session.holder.device,
        frame.key,
        Kind.APPLICATION,
        frame.handshake,
        frame.blob,
        now,
        room_limit=node.settings.room_storage,
    )


async def _append_handshake(
    node: Node, session: Session, proposal: Proposal
) -> Outcome:
    room, device, now = proposal.room, proposal.device, proposal.now
    node.turns.require(room, device, now)
    cost = 1 + len(proposal.blob) // limits.HANDSHAKE_UNIT
    node.buckets.take(limits.HANDSHAKES, device, now, cost)
    (outcome,) = await node.engine.append((proposal,))
    if isinstance(outcome, Placed):
        session.overtaken.pop(room, None)
        node.turns.release(room, device)
    elif isinstance(outcome, Overtaken):
        times = session.overtaken.get(room, 0) + 1
        session.overtaken[room] = times
        if times >= limits.STALE_BEFORE_TURN:
            node.turns.reserve(room, device, now)
    return outcome


async def _answer(
    node: Node, session: Session, frame: Sent, outcome: Outcome, now: int
) -> Effects:
    if isinstance(outcome, Denied):
        raise Refusal(outcome.code, outcome.facts)
    return [await _tell(node, session, frame, outcome, now)]


async def _tell(
    node: Node, session: Session, frame: Sent, outcome: Placed | Overtaken, now: int
) -> Send:
    if isinstance(outcome, Overtaken):
        return await stale(node, session, frame, outcome)
    await note_processed(node, session, frame.room, frame.handshake, now)
    head = node.heads.covering(frame.room, outcome.place)
    if head is None:
        head = await newest_head(node, frame.room)
    return Send(
        session, frames.Accepted(frame.request, outcome.place, outcome.time, head)
    )


async def stale(
    node: Node,
    session: Session,
    frame: Sent | frames.Repair,
    overtaken: Overtaken,
) -> Send:
    """Return the answer with the handshakes the sender missed, if it may read them."""
    route = await node.engine.route(frame.room, session.holder.device)
    if route is None or route.last is not None:
        return Send(
            session,
            frames.Stale(frame.request, frame.room, overtaken.handshake, ()),
        )
    after = max(frame.handshake, route.first - 1)
    entries, more = await node.engine.handshakes(
        frame.room, after, limits.STALE_ENTRIES
    )
    few = _few(entries)
    more = more or len(few) < len(entries)
    return Send(
        session,
        frames.Stale(frame.request, frame.room, overtaken.handshake, few, more),
    )


def _few(entries: Sequence[frames.Entry]) -> tuple[frames.Entry, ...]:
    """Return the first entries, as many as go into a `stale`."""
    sizes = accumulate(cost(entry) for entry in entries)
    return tuple(
        entry
        for entry, size in zip(entries, sizes, strict=True)
        if size <= limits.STALE
    )
