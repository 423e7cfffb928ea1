"""Rooms: made, listed, followed. A room that is not yours does not exist for you."""

from tertulia.relay.catch_up import require_same_past
from tertulia.relay.effects import Effects, Send
from tertulia.relay.node import Node
from tertulia.relay.pages import pages_of_markers
from tertulia.relay.refusal import Refusal, not_found
from tertulia.relay.session import Session
from tertulia.wire import ErrorCode, frames, limits


async def create_room(
    node: Node, session: Session, frame: frames.CreateRoom, now: int
) -> Effects:
    """Make an empty room with this device in it."""
    node.buckets.take(limits.NEW_ROOMS, session.holder.account, now)
    refused = await node.engine.create_room(frame.room, session.holder.device, now)
    if refused is not None:
        raise Refusal(refused)
    return [Send(session, frames.Done(frame.request))]


async def list_rooms(
    node: Node, session: Session, frame: frames.ListRooms, now: int
) -> Effects:
    """Return the rooms this device may read."""
    routes = await node.engine.routes(session.holder.device)
    return [Send(session, frames.Rooms(frame.request, tuple(routes)))]


async def follow_room(
    node: Node, session: Session, frame: frames.FollowRoom, now: int
) -> Effects:
    """Deliver from now on what the room gets, and say where it stands."""
    if len(session.followed) >= limits.ROOMS_FOLLOWED:
        raise Refusal(ErrorCode.TOO_MANY, frames.Facts(limit=limits.ROOMS_FOLLOWED))
    route = await node.require_member(frame.room, session)
    await require_same_past(node, frame.room, route, frame.place, frame.hash)
    if session not in node.sessions:  # it hung up meanwhile
        return []
    # From here on nothing is missed: what comes before the answer is delivered twice.
    node.follow(frame.room, session)
    state = await node.engine.room(frame.room)
    route_now = await node.engine.route(frame.room, session.holder.device)
    if state is None or route_now is None or route_now.last is not None:
        node.unfollow(frame.room, session)
        raise not_found()
    await note_processed(node, session, frame.room, frame.handshake, now)
    followed = frames.Followed(
        frame.request,
        node.heads.sign(state),
        state.handshake,
        route.first,
        len(node.followers.get(frame.room, ())),
    )
    pages = pages_of_markers(await node.engine.markers(frame.room))
    markers = [Send(session, frames.Markers(frame.room, page)) for page in pages]
    return [Send(session, followed), *markers]


async def unfollow_room(
    node: Node, session: Session, frame: frames.UnfollowRoom, now: int
) -> Effects:
    """Deliver no more of what the room gets."""
    node.unfollow(frame.room, session)
    return [Send(session, frames.Done(frame.request))]


async def note_processed(
    node: Node, session: Session, room: bytes, handshake: int, now: int
) -> None:
    """Remember how far the device is, so that nothing it needs is removed."""
    if session.processed.get(room, -1) >= handshake:
        return
    session.processed[room] = handshake
    await node.engine.note_progress(room, session.holder.device, handshake, now)
