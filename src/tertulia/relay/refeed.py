"""Giving a restored relay back what its backup did not have.

The client proves each entry: they follow from where the room stands, and end in a head
that this relay signed before. Nothing else is believed. What a client sent and the
relay lost for good, that client simply sends again.
"""

from tertulia.crypto import CryptoError
from tertulia.relay.effects import Effects, Send
from tertulia.relay.node import Node
from tertulia.relay.refusal import Refusal, not_found
from tertulia.relay.session import Session
from tertulia.wire import ErrorCode, frames, limits, next_hash, verify_head


async def refeed(
    node: Node, session: Session, frame: frames.Refeed, now: int
) -> Effects:
    """Append entries as they once were."""
    node.buckets.take(limits.HANDSHAKES, session.holder.device, now)
    await node.require_member(frame.room, session)
    state = await node.engine.room(frame.room)
    if state is None:
        raise not_found()
    _require_ours(node, frame)
    _require_sequel(frame, state.place, state.hash)
    if not await node.engine.refeed(frame.room, frame.entries, state):
        raise Refusal(ErrorCode.FORKED, frames.Facts(place=state.place))
    return [Send(session, frames.Done(frame.request))]


def _require_ours(node: Node, frame: frames.Refeed) -> None:
    try:
        verify_head(node.identity.public, frame.room, frame.head)
    except CryptoError:
        raise Refusal(ErrorCode.AUTHENTICATION_FAILED) from None


def _require_sequel(frame: frames.Refeed, place: int, running: bytes) -> None:
    """Raise FORKED unless the entries lead from one hash to the signed one."""
    start = place
    for entry in frame.entries:
        if entry.place <= place:
            raise Refusal(ErrorCode.FORKED, frames.Facts(place=start))
        place, running = entry.place, next_hash(frame.room, running, entry)
    if (place, running) != (frame.head.place, frame.head.hash):
        raise Refusal(ErrorCode.FORKED, frames.Facts(place=start))
