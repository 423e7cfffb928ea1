"""Compare and append: whether an entry gets a place, and which.

`decide` is the rule; engines call it with a view of the room at the moment of the
change, so that there is one rule whatever stores the entries. The relay never looks
into a blob: that a commit comes first, and that a text belongs to the epoch current at
its place, follows from the handshake it names.
"""

from typing import Protocol

from tertulia.relay.engine import (
    Denied,
    Outcome,
    Overtaken,
    Placed,
    Proposal,
    RepairProposal,
    RoomInvite,
    RoomState,
    Route,
    Value,
)
from tertulia.relay.group_trees import TreeView, object_to_group
from tertulia.relay.pages import ENTRY_COST, cost
from tertulia.wire import ErrorCode, Kind, first_hash, frames, limits, next_hash

_NOT_FOUND = Denied(ErrorCode.NOT_FOUND)


class RoomView(TreeView, Protocol):
    """A room at the moment of a change."""

    def state(self) -> RoomState:
        """Return where the room stands."""

    def route(self, device: bytes) -> Route | None:
        """Return what the device may read."""

    def earlier(self, device: bytes, key: bytes) -> Placed | None:
        """Return the place that the device's entry of this key has."""

    def invite(self, invite: bytes) -> RoomInvite | None:
        """Return the invite with how often it was used."""

    def members(self) -> int:
        """Return how many devices are routed."""


class Placement(Value, frozen=True):
    """A decision to append: the entry and where the room stands after it."""

    entry: frames.Entry
    state: RoomState

    def placed(self) -> Placed:
        """Return what the sender is told."""
        return Placed(self.entry.place, self.entry.time)


def empty_room(room: bytes, now: int) -> RoomState:
    """Return where a new room stands."""
    return RoomState(room, 0, first_hash(room), 0, now, 0)


def decide(view: RoomView, proposal: Proposal) -> Outcome | Placement:
    """Return a Placement, or why the proposal gets no new place."""
    state = view.state()
    route = view.route(proposal.device)
    earlier = route and view.earlier(proposal.device, proposal.key)
    if earlier:
        return earlier
    return (
        _object_to_sender(view, route, proposal)
        or _object_to_handshake(state, proposal.handshake)
        or _object_to_size(state, proposal)
        or _object_to_bundle(view, proposal.bundle)
        or _place(state, proposal)
    )


def decide_repair(view: RoomView, proposal: RepairProposal) -> Outcome:
    """Return Placed with the room's last place, or why nothing is repaired."""
    state = view.state()
    route = view.route(proposal.device)
    if route is None or route.last is not None:
        return _NOT_FOUND
    return (
        _object_to_handshake(state, proposal.handshake)
        or _object_to_bundle(view, proposal.bundle)
        or Placed(state.place, state.time)
    )


def _object_to_sender(
    view: RoomView, route: Route | None, proposal: Proposal
) -> Denied | None:
    if route is not None and route.last is None:
        return None
    if not proposal.joining:
        return _NOT_FOUND
    if view.members() >= limits.DEVICES_PER_ROOM:
        return _too_many(limits.DEVICES_PER_ROOM)
    if proposal.invite is None:
        return None
    invite = view.invite(proposal.invite)
    if invite is None or not is_valid(invite, proposal.now):
        return Denied(ErrorCode.INVITE_INVALID)
    return None


def is_valid(invite: RoomInvite, now: int) -> bool:
    """Tell whether the invite is neither expired nor used up."""
    expires, uses = invite.invite.expires, invite.invite.uses
    return (expires is None or now < expires) and (uses is None or invite.joined < uses)


def _object_to_handshake(state: RoomState, named: int) -> Outcome | None:
    if named == state.handshake:
        return None
    if named < state.handshake:
        return Overtaken(state.handshake)
    return Denied(ErrorCode.BEHIND, frames.Facts(place=state.place))


def _object_to_size(state: RoomState, proposal: Proposal) -> Denied | None:
    size = state.size + len(proposal.blob) + ENTRY_COST
    if size <= proposal.room_limit:
        return None
    facts = frames.Facts(limit=proposal.room_limit, actual=state.size)
    return Denied(ErrorCode.ROOM_FULL, facts)


def _object_to_bundle(view: RoomView, bundle: frames.Bundle | None) -> Denied | None:
    if bundle is None:
        return None
    if view.members() + len(bundle.route) > limits.DEVICES_PER_ROOM + len(
        bundle.unroute
    ):
        return _too_many(limits.DEVICES_PER_ROOM)
    return object_to_group(view, bundle.group) if bundle.group else None


def _place(state: RoomState, proposal: Proposal) -> Placement:
    place = state.place + 1
    time = max(proposal.now, state.time)
    entry = frames.Entry(
        place,
        proposal.kind,
        proposal.device,
        time,
        proposal.key,
        proposal.handshake,
        proposal.blob,
    )
    return Placement(entry, state_after(state, entry))


def state_after(state: RoomState, entry: frames.Entry) -> RoomState:
    """Return where the room stands after its next entry."""
    return RoomState(
        state.room,
        entry.place,
        next_hash(state.room, state.hash, entry),
        entry.place if entry.kind is Kind.HANDSHAKE else state.handshake,
        entry.time,
        state.size + cost(entry),
    )


def _too_many(limit: int) -> Denied:
    return Denied(ErrorCode.TOO_MANY, frames.Facts(limit=limit))
