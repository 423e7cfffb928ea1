"""What joiners need of a room's current epoch, sealed so that the relay can keep it.

Everything is encrypted under keys derived from one that the epoch exports. That key is
wrapped for members who lost the thread, under a key derived from the room secret, and
for each invite's wrap key. Whoever opens a wrap learns the epoch and the hash of its
confirmation tag, too, and so whether the advice is of the epoch it knows.

    sealed  = nonce || AES-256-GCM(key for its purpose, nonce, padded text; label, room)
    wrapped = nonce || AES-256-GCM(wrap key, nonce, AdviceKey; label and room as AAD)

How the tree gets there stands in `advice_tree`. Whether a GroupInfo is genuine and of
which room is for `mls.join_externally` and the room's rules to say.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Annotated, Final

from tertulia.client.advice_tree import KnownTree, epoch_key, known_tree, open_tree
from tertulia.client.derivation import derive
from tertulia.client.fields import HASH, SECRET, Versioned
from tertulia.client.identity import POSITION
from tertulia.client.padding import pad, unpad
from tertulia.client.room_policy import ListedInvite, RoomPolicy
from tertulia.client.sealing import open_sealed, seal
from tertulia.client.value_errors import PaddingError, SealError
from tertulia.codec import CodecError, uint64
from tertulia.crypto import Rng, Secret
from tertulia.mls import (
    Extension,
    Group,
    GroupInfo,
    InvalidError,
    Unverified,
    find_extension,
    make_group_info,
)
from tertulia.wire import frames

_KIND: Final = "group advice"
_GROUP_INFO: Final = "group info"
_WRAP: Final = "wrap"


@dataclass(frozen=True, slots=True)
class Position(Versioned):
    """The last entry that a GroupInfo's maker had seen, and the running hash there."""

    place: Annotated[int, uint64]
    hash: Annotated[bytes, HASH]


@dataclass(frozen=True, slots=True)
class AdviceKey(Versioned):
    """What a wrap holds: the key of an epoch's advice, and which epoch that is."""

    key: Annotated[Secret, SECRET]
    epoch: Annotated[int, uint64]
    tag_hash: Annotated[bytes, HASH]


@dataclass(frozen=True, slots=True)
class SealedAdvice:
    """What stands in `frames.GroupAdvice`, but for the tree that has this name."""

    name: bytes
    group_info: bytes
    member_wrap: bytes
    wraps: tuple[frames.Wrap, ...]
    invites: tuple[frames.Invite, ...]


@dataclass(frozen=True, slots=True)
class OpenedAdvice:
    """What an external join starts from.

    `position` stands in the GroupInfo and is worth as much: verified once a join with
    it succeeds. So is the tree.
    """

    group_info: Unverified[GroupInfo]
    known: KnownTree
    position: Position


@dataclass(frozen=True, slots=True)
class GivenAdvice:
    """What the relay gives to who enters: the tree, and patches that follow it."""

    group_info: bytes
    tree: bytes
    patches: tuple[bytes, ...]


def seal_advice(
    group: Group, policy: RoomPolicy, position: Position, rng: Rng
) -> SealedAdvice:
    """Return the advice on a group's current epoch, whose policy is `policy`."""
    room, key = group.context.group_id, epoch_key(group)
    advice_key = AdviceKey(key, group.context.epoch, _tag_hash(group)).encode()
    mark = Extension(POSITION, position.encode())
    group_info = pad(make_group_info(group, (mark,), tree=False).encode())
    keys = {wrap_id(each.wrap_key): each.wrap_key for each in policy.invites}
    return SealedAdvice(
        name=known_tree(key, group.tree).name,
        group_info=seal(_group_info_key(key), _GROUP_INFO, room, group_info, rng),
        member_wrap=seal(member_wrap_key(policy.secret), _WRAP, room, advice_key, rng),
        wraps=tuple(
            frames.Wrap(name, seal(wrap_key, _WRAP, room, advice_key, rng))
            for name, wrap_key in keys.items()
        ),
        invites=relay_invites(policy.invites),
    )


def relay_invites(invites: Sequence[ListedInvite]) -> tuple[frames.Invite, ...]:
    """Return the invites as the relay may know them."""
    return tuple(
        frames.Invite(
            each.invite,
            each.public_key,
            wrap_id(each.wrap_key),
            each.expires,
            each.uses,
        )
        for each in invites
    )


def wrap_id(wrap_key: Secret) -> bytes:
    """Return the name under which the relay keeps what is wrapped under a key."""
    return sha256(b"Tertulia 1 wrap id" + wrap_key.reveal()).digest()[:16]


def member_wrap_key(room_secret: Secret) -> Secret:
    """Return the key under which members find the current advice key."""
    return derive(room_secret, "room secret", "member wrap")


def open_wrap(wrap_key: Secret, room: bytes, wrapped: bytes) -> AdviceKey:
    """Return what is wrapped under an invite's or the members' key; raise SealError."""
    try:
        return AdviceKey.decode(open_sealed(wrap_key, _WRAP, room, wrapped))
    except CodecError as error:
        raise SealError(str(error)) from error


def open_advice(advice_key: AdviceKey, room: bytes, given: GivenAdvice) -> OpenedAdvice:
    """Return GroupInfo and tree, if they are of the epoch that the wrap names.

    Raises SealError, also for whatever does not decode.
    """
    key = advice_key.key
    try:
        sealed = open_sealed(_group_info_key(key), _GROUP_INFO, room, given.group_info)
        group_info = GroupInfo.decode(unpad(sealed))
        position = Position.decode(
            find_extension(group_info.extensions, POSITION) or b""
        )
        known = open_tree(key, room, given.tree, given.patches)
    except (PaddingError, CodecError, InvalidError) as error:
        raise SealError(str(error)) from error
    tag_hash = sha256(group_info.confirmation_tag).digest()
    if (group_info.group_context.epoch, tag_hash) != (
        advice_key.epoch,
        advice_key.tag_hash,
    ):
        raise SealError("it is of another epoch than its key")
    return OpenedAdvice(Unverified(group_info), known, position)


def is_current(advice_key: AdviceKey, group: Group) -> bool:
    """Tell whether the advice is of the very epoch that `group` is in."""
    return (advice_key.epoch, advice_key.tag_hash) == (
        group.context.epoch,
        _tag_hash(group),
    )


def _tag_hash(group: Group) -> bytes:
    return sha256(group.epoch.confirmation_tag).digest()


def _group_info_key(key: Secret) -> Secret:
    return derive(key, _KIND, _GROUP_INFO)
