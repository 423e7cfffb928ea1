"""Key packages: published by devices, claimed by who adds them to a room.

A one-time key package is handed out once. Claims are limited per account, or anybody
could use up the key packages of others; an account that is unknown looks like one
that published none.
"""

from tertulia.relay.effects import Effects, Send
from tertulia.relay.node import Node
from tertulia.relay.refusal import Refusal
from tertulia.relay.session import Session
from tertulia.wire import ErrorCode, frames, limits


async def publish(
    node: Node, session: Session, frame: frames.PublishKeyPackages, now: int
) -> Effects:
    """Add one-time key packages and replace the last resort."""
    stored = await node.engine.publish_key_packages(
        session.holder.device, frame.one_time, frame.last_resort
    )
    if not stored:
        facts = frames.Facts(limit=limits.KEY_PACKAGES_PER_DEVICE)
        raise Refusal(ErrorCode.TOO_MANY, facts)
    return [Send(session, frames.Done(frame.request))]


async def claim(
    node: Node, session: Session, frame: frames.ClaimKeyPackages, now: int
) -> Effects:
    """Hand out one key package of each device of an account."""
    node.buckets.take(limits.CLAIMS, session.holder.account, now)
    claimed = await node.engine.claim_key_packages(frame.account)
    return [Send(session, frames.KeyPackages(frame.request, tuple(claimed)))]
