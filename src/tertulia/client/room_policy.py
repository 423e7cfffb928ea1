"""A room's policy: its rules and its people, as all members agree on them.

It is an extension of the GroupContext, so every epoch has exactly one, and the relay
never sees it. This module knows what a policy can say; who may make it say something
else is for `policy_change` to judge.
"""

from dataclasses import dataclass
from enum import IntEnum
from typing import Annotated, ClassVar, Final
from weakref import WeakKeyDictionary

from tertulia.client import limits
from tertulia.client.fields import (
    ID,
    KEY,
    SECRET,
    Between,
    UnknownVersionError,
    Utf8,
    Versioned,
)
from tertulia.client.identity import POLICY, check_printable
from tertulia.client.value_errors import (
    BadNameError,
    PolicyTooLargeError,
    UpdateNeededError,
)
from tertulia.codec import (
    CodecError,
    Enumerated,
    Nested,
    Optional,
    OversizeError,
    Struct,
    Uint,
    Vector,
    uint16,
    uint32,
    uint64,
)
from tertulia.crypto import Secret
from tertulia.mls import Extension, GroupContext, InvalidError, Rule, find_extension
from tertulia.wire import MAX_INTEGER
from tertulia.wire import limits as wire_limits


class Role(IntEnum):
    """What an account is in a room; who is more may do all that who is less may."""

    MEMBER = 0
    ADMIN = 1
    OWNER = 2


_ROLE: Final = Enumerated(1, Role)
_ACCOUNTS: Final = Vector(KEY, limits.POLICY)
_TIME: Final = Between(uint64, 0, MAX_INTEGER)


@dataclass(frozen=True, slots=True)
class Permissions(Struct):
    """The least role that may invite, post, and change name, topic and retention."""

    invite: Annotated[Role, _ROLE] = Role.MEMBER
    post: Annotated[Role, _ROLE] = Role.MEMBER
    change: Annotated[Role, _ROLE] = Role.ADMIN


@dataclass(frozen=True, slots=True)
class ListedInvite(Struct):
    """An invite as members know it: enough to check a joiner and to wrap keys for it.

    `role` is what it grants, `creator` the account key of who made it. Expiry and
    number of uses are the relay's to enforce, and within what the relay takes.
    """

    invite: Annotated[bytes, ID]
    public_key: Annotated[bytes, KEY]
    wrap_key: Annotated[Secret, SECRET]
    role: Annotated[Role, _ROLE]
    creator: Annotated[bytes, KEY]
    expires: Annotated[int | None, Optional(_TIME)] = None
    uses: Annotated[
        int | None, Optional(Between(uint32, 1, wire_limits.INVITE_USES))
    ] = None

    @property
    def is_reusable(self) -> bool:
        """Whether more than one person may come by it."""
        return self.uses != 1


@dataclass(frozen=True, slots=True)
class RoomPolicy(Versioned):
    """What all members agree on. Accounts are named by their keys.

    `retention` is in milliseconds. The room secret is new after every removal.
    """

    version: ClassVar[int] = 1
    version_codec: ClassVar[Uint] = uint16

    name: Annotated[str, Utf8(limits.ROOM_NAME)]
    topic: Annotated[str, Utf8(limits.TOPIC)]
    owner: Annotated[bytes, KEY]
    secret: Annotated[Secret, SECRET]
    admins: Annotated[tuple[bytes, ...], _ACCOUNTS] = ()
    permissions: Permissions = Permissions()
    retention: Annotated[int | None, Optional(_TIME)] = None
    revoked: Annotated[tuple[bytes, ...], Vector(ID, limits.POLICY)] = ()
    banned: Annotated[tuple[bytes, ...], _ACCOUNTS] = ()
    invites: Annotated[
        tuple[ListedInvite, ...], Vector(Nested(ListedInvite), limits.POLICY)
    ] = ()

    def role_of(self, account_key: bytes) -> Role:
        """Return what an account is here, whether or not it is in the room."""
        if account_key == self.owner:
            return Role.OWNER
        return Role.ADMIN if account_key in self.admins else Role.MEMBER

    def invite(self, invite: bytes) -> ListedInvite | None:
        """Return the listed invite of this id, if there is one."""
        return next((each for each in self.invites if each.invite == invite), None)

    def extension(self) -> Extension:
        """Return the policy for the GroupContext; raise PolicyTooLargeError."""
        try:
            data = self.encode()
        except OversizeError:
            raise PolicyTooLargeError from None
        if len(data) > limits.POLICY or len(self.invites) > limits.INVITES:
            raise PolicyTooLargeError
        return Extension(POLICY, data)


# Every text asks whether its sender may post, every commit asks for both its policies.
# They hold secrets: what was read is kept as long as the context it was read in.
_read: Final[WeakKeyDictionary[GroupContext, RoomPolicy]] = WeakKeyDictionary()


def policy_of(context: GroupContext) -> RoomPolicy:
    """Return a group's policy; raise InvalidError, UpdateNeededError."""
    policy = _read.get(context)
    if policy is None:
        policy = _read[context] = _policy_in(context)
    return policy


def _policy_in(context: GroupContext) -> RoomPolicy:
    data = find_extension(context.extensions, POLICY)
    if data is None:
        raise InvalidError(Rule.POLICY, "the group has no room policy")
    try:
        if len(data) > limits.POLICY:
            raise OversizeError(len(data), limits.POLICY)
        policy = RoomPolicy.decode(data)
    except UnknownVersionError as error:
        raise UpdateNeededError(error.version) from None
    except CodecError as error:
        raise InvalidError(Rule.POLICY, f"no room policy: {error}") from error
    _check_lists(policy)
    return policy


def _check_lists(policy: RoomPolicy) -> None:
    if len(policy.invites) > limits.INVITES:
        raise InvalidError(Rule.POLICY, f"{len(policy.invites)} invites")
    ids = tuple(each.invite for each in policy.invites)
    for name, values in (
        ("admins", policy.admins),
        ("revoked devices", policy.revoked),
        ("banned accounts", policy.banned),
        ("invites", ids),
    ):
        if len(values) != len(set(values)):
            raise InvalidError(Rule.POLICY, f"the {name} have one twice")


def check_room_name(text: str) -> str:
    """Return a room's name without the space around it; raise BadNameError."""
    name = text.strip()
    check_printable(name)
    if not name:
        raise BadNameError("empty")
    if len(name.encode()) > limits.ROOM_NAME:
        raise BadNameError("too_long")
    return name


def check_topic(text: str) -> str:
    """Return a room's topic, perhaps empty, of any lines; raise BadNameError."""
    topic = text.strip()
    for line in topic.split("\n"):
        check_printable(line)
    if len(topic.encode()) > limits.TOPIC:
        raise BadNameError("too_long")
    return topic
