"""Blobs: opaque files of a room, uploaded in pieces and read by range.

A session asks for a ticket, the ticket opens the blob over HTTP. A blob's id alone
opens nothing: it must belong to the ticket's room, and the ticket's device must belong
to that room still.
"""

from msgspec.structs import replace

from tertulia.relay.effects import Effects, Send
from tertulia.relay.engine import Blob, BlobLimits
from tertulia.relay.node import Node
from tertulia.relay.refusal import Refusal, not_found, too_large
from tertulia.relay.session import Session
from tertulia.relay.tickets import Right, Ticket
from tertulia.wire import ErrorCode, frames, limits

BLOB_ID_SIZE = 16


async def begin_upload(
    node: Node, session: Session, frame: frames.BeginUpload, now: int
) -> Effects:
    """Announce a blob, reserve its storage and issue the ticket to write it."""
    node.buckets.take(limits.UPLOADS, session.holder.account, now)
    admitted = session.admissions.get(frame.room, (0, b""))[0] > now
    if not admitted:
        await _require_member_or_sibling(node, session, frame.room)
    blob = Blob(
        node.rng(BLOB_ID_SIZE),
        frame.room,
        session.holder.account,
        frame.size,
        frame.hash,
        now,
    )
    settings = node.settings
    denied = await node.engine.create_blob(
        blob,
        BlobLimits(
            settings.account_storage, settings.room_storage, settings.relay_storage
        ),
    )
    if denied is not None:
        raise Refusal(denied.code, denied.facts)
    return [_upload(node, session, frame.request, blob, now)]


async def _require_member_or_sibling(node: Node, session: Session, room: bytes) -> None:
    """Raise NOT_FOUND unless the device is routed, or may rejoin by its account."""
    if not await node.engine.has_account(room, session.holder.account):
        raise not_found()


async def resume_upload(
    node: Node, session: Session, frame: frames.ResumeUpload, now: int
) -> Effects:
    """Say how much of an own blob has arrived, with a new ticket for the rest."""
    blob = await node.engine.blob(frame.blob)
    if (
        blob is None
        or blob.room != frame.room
        or blob.account != session.holder.account
    ):
        raise not_found()
    return [_upload(node, session, frame.request, blob, now)]


def _upload(node: Node, session: Session, request: int, blob: Blob, now: int) -> Send:
    expires = now + limits.TICKET_TIME
    ticket = Ticket(Right.WRITE, expires, blob.room, session.holder.device, blob.blob)
    answer = frames.Upload(
        request, blob.blob, blob.stored, node.tickets.issue(ticket), expires
    )
    return Send(session, answer)


async def fetch_ticket(
    node: Node, session: Session, frame: frames.FetchTicket, now: int
) -> Effects:
    """Issue a ticket to read the blobs of a room."""
    await node.require_member(frame.room, session)
    expires = now + limits.TICKET_TIME
    ticket = Ticket(Right.READ_ROOM, expires, frame.room, session.holder.device)
    token = node.tickets.issue(ticket)
    return [Send(session, frames.TicketIssued(frame.request, token, expires))]


async def offset(node: Node, token: bytes, blob: bytes, now: int) -> int:
    """Return how much of a blob has arrived; raise Refusal."""
    ticket = node.tickets.check(token, now)
    return (await _writable(node, ticket, blob)).stored


async def write(
    node: Node, token: bytes, blob: bytes, piece: tuple[int, bytes], now: int
) -> Blob:
    """Store a piece (offset, bytes) and return the blob as it is then; raise Refusal.

    The last piece makes the blob durable, or removes it if its hash is not as announced.
    """
    ticket = node.tickets.check(token, now)
    known = await _writable(node, ticket, blob)
    start, data = piece
    if len(data) > limits.BLOB_CHUNK:
        raise too_large(len(data), limits.BLOB_CHUNK)
    if known.is_complete or start != known.stored or start + len(data) > known.size:
        raise Refusal(ErrorCode.BLOB_MISMATCH, frames.Facts(place=known.stored))
    cost = 1 + len(data) // limits.BLOB_UNIT
    node.buckets.take(limits.FRAMES, ticket.device, now, cost)
    stored = await node.engine.write_blob(blob, start, data)
    if stored is None:
        raise Refusal(ErrorCode.BLOB_MISMATCH, frames.Facts(place=known.stored))
    if stored == known.size and not await node.engine.finish_blob(blob):
        raise Refusal(ErrorCode.BLOB_MISMATCH, frames.Facts(place=0))
    return replace(known, stored=stored, is_complete=stored == known.size)


async def _writable(node: Node, ticket: Ticket, blob: bytes) -> Blob:
    known = await node.engine.blob(blob)
    if known is None or ticket.right is not Right.WRITE or ticket.blob != blob:
        raise not_found()
    return known


async def read(
    node: Node, token: bytes, blob: bytes, part: tuple[int, int], now: int
) -> tuple[Blob, bytes]:
    """Return a complete blob and the part (offset, size) of it; raise Refusal."""
    ticket = node.tickets.check(token, now)
    known = await node.engine.blob(blob)
    if known is None or known.room != ticket.room:
        raise not_found()
    await _require_reader(node, ticket, blob)
    if not known.is_complete:
        raise not_found()
    start, size = part
    data = await node.engine.read_blob(blob, start, min(size, limits.BLOB_CHUNK))
    return known, data


async def _require_reader(node: Node, ticket: Ticket, blob: bytes) -> None:
    match ticket.right:
        case Right.READ_ROOM:
            route = await node.engine.route(ticket.room, ticket.device)
            if route is None or route.last is not None:
                raise not_found()
        case Right.READ_GROUP:
            advice = await node.engine.group(ticket.room)
            if advice is None or advice.tree is None or blob != advice.tree.blob:
                raise not_found()
        case Right.WRITE:
            raise not_found()
