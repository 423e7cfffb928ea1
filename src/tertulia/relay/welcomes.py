"""The mailbox of a device: Welcomes wait in it until the device says it has them."""

from tertulia.relay.effects import Effects, Send
from tertulia.relay.node import Node
from tertulia.relay.session import Session
from tertulia.wire import frames


async def fetch_welcomes(
    node: Node, session: Session, frame: frames.FetchWelcomes, now: int
) -> Effects:
    """Return a page of this device's Welcomes."""
    waiting, more = await node.engine.welcomes(session.holder.device, frame.after)
    return [Send(session, frames.Welcomes(frame.request, tuple(waiting), more))]


async def discard_welcomes(
    node: Node, session: Session, frame: frames.DiscardWelcomes, now: int
) -> Effects:
    """Remove Welcomes that the device has on its own disk."""
    await node.engine.discard_welcomes(session.holder.device, frame.until)
    return [Send(session, frames.Done(frame.request))]
