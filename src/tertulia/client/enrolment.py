"""A device that was copied or rolled back becomes another one, before it says anything.

Its keys may be in use elsewhere, or used up further than this vault knows. So it takes a
new device id and key under the same account, comes back into every room in place of its
former self, and last revokes that, which shuts out whatever copy there is.
"""

from dataclasses import replace

from tertulia.client import entering, outbox
from tertulia.client.errors import RelayRefusedError
from tertulia.client.events import EVERYWHERE, RoomChanged, Warned
from tertulia.client.identity import device_list, member_of
from tertulia.client.requests import ForDeviceList, ForDevices
from tertulia.client.room import Room
from tertulia.client.rows import ProfileRow
from tertulia.client.turn import Turn
from tertulia.client.views import RoomStatus
from tertulia.client.wishes import wish
from tertulia.client.work import Introduce
from tertulia.codec import CodecError
from tertulia.crypto import ED25519, CryptoError
from tertulia.wire import ErrorCode, SignedDeviceList, frames

CLONED = "vault_cloned"


def renew(turn: Turn) -> bool:
    """Become another device; False if this one cannot, for want of the account key."""
    profile = turn.session.profile
    if profile.account_key is None:
        return False
    keys = ED25519.generate(turn.rng)
    renewed = replace(
        profile,
        device=turn.rng(16),
        device_public=keys.public,
        device_key=keys.private,
        created=turn.now,
    )
    turn.emit(Warned(EVERYWHERE, CLONED))
    change_profile(turn, renewed)
    return True


def change_profile(turn: Turn, profile: ProfileRow) -> None:
    """Take another name or device into all rooms."""
    before = turn.session.profile
    for room in tuple(turn.session.rooms.values()):
        if profile.device != before.device:
            turn.put(_come_back(turn, room))
        elif profile.name != before.name and room.is_member:
            turn.put(wish(turn, room, Introduce()))
    turn.session = replace(turn.session, profile=profile)


def _come_back(turn: Turn, room: Room) -> Room:
    """Return the room as one to come back to; what waited there may be said already."""
    if room.state.status not in {RoomStatus.MEMBER, RoomStatus.LOST}:
        return room
    for message in room.outbox:
        room = outbox.fail(turn, room, message, CLONED)
    if not room.state.founded:
        # Made in the name of a device that is no more, and nobody else is in it yet.
        entering.answer(turn, room.id, RelayRefusedError(ErrorCode.CLONED))
        return outbox.end(turn, room, RoomStatus.LEFT)
    turn.emit(RoomChanged(room.id))
    return room.without_pending().with_state(status=RoomStatus.LOST, doubt=None)


def ask_devices(turn: Turn, newest: int) -> None:
    """Publish the first device list of the account, or look at the one there is."""
    if turn.session.profile.account_key is None:
        return
    if newest == 0:
        _publish(turn, 1, ())
        return
    account = turn.session.account
    turn.request(
        lambda number: frames.FetchDeviceList(number, account), ForDeviceList()
    )


def devices_listed(turn: Turn, frame: frames.Answer) -> None:
    """Note the list that the relay has, if it is mine."""
    if not isinstance(frame, frames.DeviceListed):
        return
    try:
        listed = SignedDeviceList.decode(frame.devices).verify()
    except (CodecError, CryptoError):
        return
    if listed.account_key == turn.session.profile.account_public:
        turn.session = replace(turn.session, devices=listed)


def revoke_former(turn: Turn) -> None:
    """Revoke what is not this device, once no room needs its former self."""
    listed, profile = turn.session.devices, turn.session.profile
    rooms = turn.session.rooms.values()
    if listed is None or any(is_former(profile, room) for room in rooms):
        return
    turn.session = replace(turn.session, devices=None)
    others = {each.device for each in listed.devices} - {profile.device}
    if others:
        _publish(turn, listed.number + 1, (*listed.revoked, *sorted(others)))


def is_former(profile: ProfileRow, room: Room) -> bool:
    """Tell whether the leaf in a room is that of the device this one was."""
    if room.group is None:
        return False
    return member_of(room.group.leaf).device != profile.device


def _publish(turn: Turn, number: int, revoked: tuple[bytes, ...]) -> None:
    devices = device_list(turn.session.profile, number, revoked).encode()
    turn.request(lambda name: frames.PublishDeviceList(name, devices), ForDevices())
