"""Making a room: on this disk first, then at the relay, with its first invite."""

from dataclasses import replace

from tertulia import mls
from tertulia.client import entering, publishing
from tertulia.client.commands import CreateRoom
from tertulia.client.identity import mls_identity
from tertulia.client.invites import InviteTerms, new_invite
from tertulia.client.links import room_link
from tertulia.client.requests import ToCreate
from tertulia.client.room import Room, RoomState
from tertulia.client.room_policy import RoomPolicy, check_room_name, check_topic
from tertulia.client.turn import Turn
from tertulia.client.views import RoomStatus
from tertulia.client.work import Creating, Founding
from tertulia.crypto import CLASSICAL_SUITE, HYBRID_SUITE, Secret, cipher_suite
from tertulia.wire import ErrorCode, first_hash, frames

_YEAR = 366 * 86_400


def create(turn: Turn, number: int, command: CreateRoom) -> None:
    """Make a room of my own; the answer waits until the relay has it.

    Raises BadNameError and NoMlKemError.
    """
    profile = turn.session.profile
    room_id = turn.rng(16)
    secret, invite = new_invite(profile.account_public, InviteTerms(), turn.rng)
    policy = RoomPolicy(
        name=check_room_name(command.name),
        topic=check_topic(command.topic),
        owner=profile.account_public,
        secret=Secret(turn.rng(32)),
        invites=(invite,),
    )
    suite = cipher_suite(CLASSICAL_SUITE if command.large else HYBRID_SUITE)
    seconds = turn.now // 1000
    group = mls.create_group(
        mls_identity(profile, suite, profile.name),
        room_id,
        mls.Lifetime(max(0, seconds - _YEAR), seconds + _YEAR),
        turn.rng,
        (policy.extension(),),
    )
    state = RoomState(
        RoomStatus.MEMBER,
        hash=first_hash(room_id),
        founded=False,
        refreshed=turn.now,
        name=policy.name,
        topic=policy.topic,
    )
    room = Room(room_id, state, group, hashes={0: first_hash(room_id)})
    link = room_link(turn.session, room, secret)
    turn.put(replace(room, links={invite.invite: link}))
    entering.await_room(turn, room_id, number)


def begin(turn: Turn, room: Room) -> Room:
    """Tell the relay of the room."""
    turn.request(lambda number: frames.CreateRoom(number, room.id), ToCreate(room.id))
    return room.with_live(work=Creating())


def created(turn: Turn, purpose: ToCreate, frame: frames.Answer) -> None:
    """The relay has the room, now or since an earlier try: say what it needs to know."""
    room = turn.room(purpose.room)
    if room is None or room.group is None:
        return
    match frame:
        case frames.Done() | frames.Refused(code=ErrorCode.EXISTS):
            turn.put(publishing.begin(turn, room, Founding(), room.group))
        case frames.Refused():
            publishing.refused(turn, room, frame)
        case _:
            pass
