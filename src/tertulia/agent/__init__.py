"""The shell of the client: owns links, vault and the one task of all sessions.

`open_agent` yields an `Agent`, which is all that a face needs, together with the
commands, events and views of `tertulia.client`. Knows no rule of the protocol; what a
session is to do, `tertulia.client` decides.
"""

from tertulia.agent.agent import MESSAGES, Agent, ProfileView
from tertulia.agent.errors import (
    AgentClosedError,
    AmbiguousRelayError,
    BusyError,
    FateUnknownError,
    LinkFailedError,
    ListenerBehindError,
    NameNeededError,
    NoRelayKnownError,
    NoSuchRelayError,
    NoSuchRoomError,
    NotAnsweredError,
    OtherVersionError,
    ProfileBusyError,
    ProfileFolderError,
    StepFailedError,
    TransferFailedError,
    UnknownMessageError,
)
from tertulia.agent.listeners import Listener
from tertulia.agent.opening import change_key_source, has_profile
from tertulia.agent.profile import ProfileAgent, open_agent
from tertulia.agent.session_task import Surroundings
from tertulia.vault import KeySource

__all__ = [
    "MESSAGES",
    "Agent",
    "AgentClosedError",
    "AmbiguousRelayError",
    "BusyError",
    "FateUnknownError",
    "KeySource",
    "LinkFailedError",
    "Listener",
    "ListenerBehindError",
    "NameNeededError",
    "NoRelayKnownError",
    "NoSuchRelayError",
    "NoSuchRoomError",
    "NotAnsweredError",
    "OtherVersionError",
    "ProfileAgent",
    "ProfileBusyError",
    "ProfileFolderError",
    "ProfileView",
    "StepFailedError",
    "Surroundings",
    "TransferFailedError",
    "UnknownMessageError",
    "change_key_source",
    "has_profile",
    "open_agent",
]
