"""Catching up: pages of a room's past, from a place the client names.

A client names where it is and, if it has one, the running hash there. Where that
differs from ours, or is beyond our end, one of both has another past: the client must
know before it goes on. A page holds only what the device may read.
"""

from tertulia.relay.effects import Effects, Send
from tertulia.relay.engine import Page, RoomState, Route
from tertulia.relay.node import Node
from tertulia.relay.refusal import Refusal, not_found
from tertulia.relay.session import Session
from tertulia.wire import MAX_INTEGER, ErrorCode, Kind, frames


async def fetch_entries(
    node: Node, session: Session, frame: frames.FetchEntries, now: int
) -> Effects:
    """Return the page after a place."""
    route = await node.require_reader(frame.room, session)
    await require_same_past(node, frame.room, route, frame.after, frame.hash)
    after = max(frame.after, route.first - 1)
    until = MAX_INTEGER if route.last is None else route.last
    page = await node.engine.entries(frame.room, after, until, frame.limit)
    _require_handshakes(page, max(after, route.first))
    # Read after the page, so that the head covers it.
    head = await newest_head(node, frame.room)
    answer = frames.Entries(
        frame.request, frame.room, page.previous, page.entries, head, page.more
    )
    return [Send(session, answer)]


async def require_same_past(
    node: Node, room: bytes, route: Route, place: int, known: bytes | None
) -> None:
    """Raise BEHIND or FORKED unless our past holds the client's last entry."""
    state = await _state(node, room)
    if place > state.place:
        raise Refusal(ErrorCode.BEHIND, frames.Facts(place=state.place))
    if known is None or place < route.first:
        return
    if await node.engine.hash_at(room, place) != known:
        raise Refusal(ErrorCode.FORKED, frames.Facts(place=place))


async def newest_head(node: Node, room: bytes) -> frames.SignedHead:
    """Return the signed head of where the room stands now."""
    return node.heads.sign(await _state(node, room))


async def _state(node: Node, room: bytes) -> RoomState:
    state = await node.engine.room(room)
    if state is None:
        raise not_found()
    return state


def _require_handshakes(page: Page, processed: int) -> None:
    """Raise GONE if the page lacks a handshake that the device has yet to process."""
    for entry in page.entries:
        if (
            entry.kind is Kind.HANDSHAKE
            and entry.blob is None
            and entry.place > processed
        ):
            raise Refusal(ErrorCode.GONE, frames.Facts(place=entry.place))
