"""Links to rooms, with the addresses that the relay has now."""

from dataclasses import replace
from urllib.parse import urlsplit

from tertulia.client.group_advice import Position
from tertulia.client.room import Room
from tertulia.client.state import Session
from tertulia.crypto import Secret
from tertulia.wire import LinkError, RoomInviteLink, account_id, first_hash, parse_link


def room_link(
    session: Session, room: Room, secret: Secret, position: Position | None = None
) -> str:
    """Return the link that carries the secret of a room's invite.

    What a joiner is given must not be older than the link: `position` is where the
    GroupInfo stands that came with the invite, by default where the room stands.
    """
    if position is None:
        position = Position(room.state.place, room.state.hash or first_hash(room.id))
    if room.group is None:
        return ""
    context = room.group.context
    link = RoomInviteLink(
        fingerprint=session.relay.relay,
        room=room.id,
        suite=context.cipher_suite,
        inviter=account_id(session.profile.account_public),
        epoch=context.epoch,
        place=position.place,
        hash=position.hash,
        secret=secret.reveal(),
        addresses=(),
    )
    return with_addresses(link, session.relay.addresses)


def parse_room_link(text: str) -> RoomInviteLink:
    """Return what a link to a room says; raise LinkError, NewerLinkError."""
    link = parse_link(text).link
    if not isinstance(link, RoomInviteLink):
        raise LinkError("it leads to a server, not to a room")
    return link


def current_link(session: Session, link: str) -> str:
    """Return a link made earlier, leading to where the relay is now."""
    return with_addresses(parse_room_link(link), session.relay.addresses)


def with_addresses(link: RoomInviteLink, addresses: tuple[str, ...]) -> str:
    """Return a link that leads to the first address and names the others."""
    base, *others = addresses
    further = tuple(urlsplit(address).netloc.encode() for address in others)
    return replace(link, addresses=further).url(base)
