"""What an account says about itself: its device list, and invites an owner makes."""

from tertulia.codec import CodecError
from tertulia.crypto import CryptoError
from tertulia.relay.authentication import cut_off
from tertulia.relay.effects import Effects, Send
from tertulia.relay.engine import DeviceListChange, ServerInvite
from tertulia.relay.node import Node
from tertulia.relay.refusal import Refusal, not_found
from tertulia.relay.session import Session
from tertulia.wire import DeviceList, ErrorCode, SignedDeviceList, frames


async def publish_device_list(
    node: Node, session: Session, frame: frames.PublishDeviceList, now: int
) -> Effects:
    """Store the account's new device list and cut off who is no longer on it."""
    devices = _verified(session, frame.devices)
    change = DeviceListChange(
        session.holder.account,
        devices.number,
        tuple(listed.device for listed in devices.devices),
        devices.revoked,
        frame.devices,
    )
    revoked = await node.engine.put_device_list(change)
    if revoked is None:
        newest = await node.engine.device_list(session.holder.account)
        number = newest[0] if newest else 0
        raise Refusal(ErrorCode.OUTDATED, frames.Facts(actual=number))
    effects: Effects = [Send(session, frames.Done(frame.request))]
    for device in revoked:
        effects += cut_off(node, device, ErrorCode.REVOKED)
    return effects


def _verified(session: Session, signed: bytes) -> DeviceList:
    try:
        devices = SignedDeviceList.decode(signed).verify()
    except (CodecError, CryptoError):
        raise Refusal(ErrorCode.AUTHENTICATION_FAILED) from None
    if devices.account_key != session.holder.account_key:
        raise Refusal(ErrorCode.NOT_ALLOWED)
    return devices


async def fetch_device_list(
    node: Node, session: Session, frame: frames.FetchDeviceList, now: int
) -> Effects:
    """Return an account's newest device list."""
    newest = await node.engine.device_list(frame.account)
    if newest is None:
        raise not_found()
    return [Send(session, frames.DeviceListed(frame.request, newest[1]))]


async def create_server_invite(
    node: Node, session: Session, frame: frames.CreateServerInvite, now: int
) -> Effects:
    """Store an invite by which others create accounts; owners only."""
    if not session.is_owner:
        raise Refusal(ErrorCode.NOT_ALLOWED)
    invite = ServerInvite(
        frame.invite, frame.public_key, now, frame.expires, frame.uses
    )
    if not await node.engine.put_server_invite(invite):
        raise Refusal(ErrorCode.EXISTS)
    return [Send(session, frames.Done(frame.request))]
