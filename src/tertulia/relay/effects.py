"""What the relay wants done, as values; the shell carries them out in order."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import TypeAlias

from tertulia.relay.session import Session
from tertulia.wire import frames


@dataclass(frozen=True, slots=True)
class Send:
    """One frame for one connection."""

    session: Session
    frame: frames.Frame


@dataclass(frozen=True, slots=True)
class Broadcast:
    """One frame for many connections: encode it once, hand the same bytes to all."""

    sessions: Collection[Session]
    frame: frames.Frame


@dataclass(frozen=True, slots=True)
class HangUp:
    """Close the connection once what was sent before is out."""

    session: Session


Effect: TypeAlias = Send | Broadcast | HangUp
Effects: TypeAlias = list[Effect]
