"""What the relay wants done, as values; the shell carries them out in order.

Msgspec structs, as frames are: one is made for each acknowledgement.
"""

from collections.abc import Collection
from typing import TypeAlias

from msgspec import Struct

from tertulia.relay.session import Session
from tertulia.wire import frames


class Send(Struct, frozen=True, gc=False):
    """One frame for one connection."""

    session: Session
    frame: frames.Frame


class Broadcast(Struct, frozen=True, gc=False):
    """One frame for many connections: encode it once, hand the same bytes to all."""

    sessions: Collection[Session]
    frame: frames.Frame


class HangUp(Struct, frozen=True, gc=False):
    """Close the connection once what was sent before is out."""

    session: Session


Effect: TypeAlias = Send | Broadcast | HangUp
Effects: TypeAlias = list[Effect]
