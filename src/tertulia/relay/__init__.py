"""The rules of the relay: who may append or read, in which order, and how much.

The relay is blind: it sees accounts, devices, rooms, places, times and sizes, and no
content. It knows no socket, no clock and no disk: bytes come in, effects go out, and
what must last is behind the `Engine` port.
"""

from tertulia.relay.append import (
    Placement,
    RoomView,
    decide,
    decide_repair,
    empty_room,
    state_after,
)
from tertulia.relay.effects import Broadcast, Effect, Effects, HangUp, Send
from tertulia.relay.engine import (
    Account,
    Ban,
    Blob,
    BlobLimits,
    Change,
    Cut,
    Delivery,
    Denied,
    DeviceListChange,
    Engine,
    EnrolledDevice,
    Enrolment,
    Entrance,
    InviteUse,
    Listener,
    Outcome,
    Overtaken,
    Page,
    Placed,
    Proposal,
    Removed,
    RepairProposal,
    RetentionRules,
    RoomInvite,
    RoomState,
    RoomUsage,
    Route,
    ServerInvite,
    Usage,
)
from tertulia.relay.enrolment import EnrolmentView, object_to_enrolment
from tertulia.relay.errors import StorageError
from tertulia.relay.group_trees import kept_advice
from tertulia.relay.pages import ENTRY_COST, cost, take_page, take_welcomes
from tertulia.relay.places import neighbourhood
from tertulia.relay.refusal import Refusal
from tertulia.relay.relay import HANDLERS, Counts, Relay
from tertulia.relay.retention import Progress, entry_age, first_needed, is_past
from tertulia.relay.session import Phase, Session
from tertulia.relay.settings import DEFAULT_RATES, Settings
from tertulia.relay.storage_limits import object_to_blob

__all__ = [
    "DEFAULT_RATES",
    "ENTRY_COST",
    "HANDLERS",
    "Account",
    "Ban",
    "Blob",
    "BlobLimits",
    "Broadcast",
    "Change",
    "Counts",
    "Cut",
    "Delivery",
    "Denied",
    "DeviceListChange",
    "Effect",
    "Effects",
    "Engine",
    "EnrolledDevice",
    "Enrolment",
    "EnrolmentView",
    "Entrance",
    "HangUp",
    "InviteUse",
    "Listener",
    "Outcome",
    "Overtaken",
    "Page",
    "Phase",
    "Placed",
    "Placement",
    "Progress",
    "Proposal",
    "Refusal",
    "Relay",
    "Removed",
    "RepairProposal",
    "RetentionRules",
    "RoomInvite",
    "RoomState",
    "RoomUsage",
    "RoomView",
    "Route",
    "Send",
    "ServerInvite",
    "Session",
    "Settings",
    "StorageError",
    "Usage",
    "cost",
    "decide",
    "decide_repair",
    "empty_room",
    "entry_age",
    "first_needed",
    "is_past",
    "kept_advice",
    "neighbourhood",
    "object_to_blob",
    "object_to_enrolment",
    "state_after",
    "take_page",
    "take_welcomes",
]
