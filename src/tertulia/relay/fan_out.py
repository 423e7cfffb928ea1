"""From one change of a room to everybody it concerns.

What a room got together becomes one frame, so that each follower's connection gets the
same bytes and is written to once. A device cut off in between gets the entries up to
the one that did it, and no more.
"""

from collections.abc import Iterator, Sequence
from itertools import compress

from msgspec.structs import replace

from tertulia.relay.effects import Broadcast, Effects, Send
from tertulia.relay.engine import Change
from tertulia.relay.node import Node
from tertulia.relay.pages import take_page
from tertulia.wire import frames, limits, next_hash


def fan_out(node: Node, changes: Sequence[Change]) -> Effects:
    """Return what to send after changes are durable."""
    heard = [
        bool(change.entries) and change.state.room in node.followers
        for change in changes
    ]
    heads = iter(
        node.heads.sign_all([change.state for change in compress(changes, heard)])
    )
    effects: Effects = []
    for change, is_heard in zip(changes, heard, strict=True):
        pages = list(_pages(change, next(heads))) if is_heard else []
        effects += _tell(node, change, pages)
    return effects


def _tell(node: Node, change: Change, pages: Sequence[frames.Entries]) -> Effects:
    effects: Effects = []
    if change.state.room in node.followers:
        for cut in change.cuts:
            effects += _part(node, change, pages, cut.device, cut.last)
        remaining = tuple(node.followers.get(change.state.room, ()))
        if remaining:
            effects += [Broadcast(remaining, page) for page in pages]
    effects += _deliver(node, change)
    return effects


def _part(
    node: Node,
    change: Change,
    pages: Sequence[frames.Entries],
    device: bytes,
    last: int,
) -> Effects:
    """Return the last entries for a device that was cut off, and unfollow it."""
    session = node.by_device.get(device)
    if session is None or change.state.room not in session.followed:
        return []
    node.unfollow(change.state.room, session)
    effects: Effects = []
    for page in pages:
        entries = tuple(entry for entry in page.entries if entry.place <= last)
        if entries:
            effects.append(Send(session, replace(page, entries=entries)))
    return effects


def _pages(change: Change, head: frames.SignedHead) -> Iterator[frames.Entries]:
    room, previous, rest = change.state.room, change.previous, change.entries
    while rest:
        entries, more = take_page(rest, limits.PAGE_ENTRIES)
        yield frames.Entries(0, room, previous, entries, head)
        rest = rest[len(entries) :]
        for entry in entries if more else ():
            previous = next_hash(room, previous, entry)


def _deliver(node: Node, change: Change) -> Iterator[Send]:
    for delivery in change.deliveries:
        session = node.by_device.get(delivery.device)
        if session is not None:
            yield Send(session, frames.Welcomes(0, (delivery.welcome,)))
