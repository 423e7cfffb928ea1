"""What is outside the log: signals that nobody keeps, markers of which only one counts.

Both are for who follows the room now, so a sender must follow it too: that a connection
follows is known without asking the engine.
"""

from tertulia.relay.effects import Broadcast, Effects
from tertulia.relay.node import Node
from tertulia.relay.pages import pages_of_markers
from tertulia.relay.refusal import not_found
from tertulia.relay.session import Session
from tertulia.wire import frames, limits


async def signal(
    node: Node, session: Session, frame: frames.Signal, now: int
) -> Effects:
    """Pass a signal to everybody else who follows the room."""
    _require_follower(session, frame.room)
    node.buckets.take(limits.SIGNALS, session.holder.device, now)
    others = tuple(node.followers[frame.room] - {session})
    signalled = frames.Signalled(frame.room, session.holder.device, frame.blob)
    return [Broadcast(others, signalled)] if others else []


async def set_marker(
    node: Node, session: Session, frame: frames.SetMarker, now: int
) -> Effects:
    """Replace a marker; it goes out when the room's pause is over."""
    _require_follower(session, frame.room)
    node.buckets.take(limits.SIGNALS, session.holder.device, now)
    marker = frames.Marker(session.holder.device, frame.slot, frame.blob)
    node.markers.put(frame.room, marker)
    return []


async def flush_markers(node: Node, now: int) -> Effects:
    """Send out and store the markers of rooms whose pause is over."""
    effects: Effects = []
    for room in node.markers.rooms():
        followers = tuple(node.followers.get(room, ()))
        markers = node.markers.take(room, len(followers), now)
        if markers is None:
            continue
        await node.engine.put_markers(room, markers)
        if followers:
            effects += [
                Broadcast(followers, frames.Markers(room, page))
                for page in pages_of_markers(markers)
            ]
    return effects


def _require_follower(session: Session, room: bytes) -> None:
    if room not in session.followed:
        raise not_found()
