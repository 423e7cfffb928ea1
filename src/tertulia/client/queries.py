"""What faces ask a session about itself; nothing here changes anything."""

from tertulia.client.connecting import connection_of
from tertulia.client.errors import NotMemberError
from tertulia.client.leaving import staying
from tertulia.client.links import current_link
from tertulia.client.names import distinct_names
from tertulia.client.notices import accounts_of, members_of
from tertulia.client.room import Room
from tertulia.client.room_policy import Role
from tertulia.client.state import Session
from tertulia.client.views import (
    InviteView,
    MemberView,
    Person,
    RelayView,
    RoomView,
)
from tertulia.crypto import HYBRID_SUITE
from tertulia.wire import account_id


def relay_view(session: Session) -> RelayView:
    """Return the relay and how the connection to it is."""
    link = session.link
    return RelayView(
        session.relay.relay,
        session.relay.addresses,
        connection_of(link),
        link.reason,
        link.retry_at,
    )


def room_views(session: Session) -> list[RoomView]:
    """Return all rooms of this relay, by name."""
    views = [_room_view(session, room) for room in session.rooms.values()]
    return sorted(views, key=lambda view: (view.name.casefold(), view.room))


def _room_view(session: Session, room: Room) -> RoomView:
    state = room.state
    return RoomView(
        room.id,
        session.relay.relay,
        state.name,
        state.topic,
        state.status,
        len(accounts_of(staying(room))),
        len(room.outbox),
        _awaited(room),
        _is_hybrid(room),
    )


def _is_hybrid(room: Room) -> bool | None:
    return None if room.group is None else room.group.suite.id == HYBRID_SUITE


def _awaited(room: Room) -> str | None:
    """Return the name of who is to give a sign, or the start of the account's id."""
    inviter = room.state.inviter
    if not inviter:
        return None
    members = {} if room.group is None else accounts_of(members_of(room.group))
    member = members.get(inviter)
    return inviter.hex()[:8] if member is None else member.name


def _find(session: Session, name: bytes) -> Room:
    room = session.rooms.get(name)
    if room is None:
        raise NotMemberError(name)
    return room


def member_views(session: Session, name: bytes) -> list[MemberView]:
    """Return who is in a room; raise NotMemberError."""
    room = _find(session, name)
    policy = room.policy
    if room.group is None or policy is None:
        return []
    members = staying(room)
    accounts = accounts_of(members)
    tags = distinct_names(
        {account: member.name for account, member in accounts.items()}
    )
    me = account_id(session.profile.account_public)
    views = [
        MemberView(
            Person(account, member.name, is_me=account == me),
            sum(other.account == account for other in members.values()),
            policy.role_of(member.account_key) is Role.OWNER,
            policy.role_of(member.account_key) >= Role.ADMIN,
            tags.get(account, ""),
        )
        for account, member in accounts.items()
    ]
    return sorted(views, key=lambda view: view.person.name.casefold())


def invite_views(session: Session, name: bytes) -> list[InviteView]:
    """Return the invites that a room lists; raise NotMemberError."""
    room = _find(session, name)
    policy = room.policy
    if room.group is None or policy is None:
        return []
    names = {
        member.account_key: member.name
        for member in accounts_of(members_of(room.group)).values()
    }
    mine = session.profile.account_public
    return [
        InviteView(
            invite.invite,
            Person(
                account_id(invite.creator),
                names.get(invite.creator, ""),
                is_me=invite.creator == mine,
            ),
            invite.expires,
            invite.uses,
            _link(session, room, invite.invite),
        )
        for invite in policy.invites
    ]


def _link(session: Session, room: Room, invite: bytes) -> str | None:
    link = room.links.get(invite)
    return None if link is None else current_link(session, link)
