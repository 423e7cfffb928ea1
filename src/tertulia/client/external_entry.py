"""Making the external commit by which a device enters a room.

By a link: what the relay gave must fit the link, and the link's key signs the entry. Or
again: the device key proves which leaf is replaced.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TypeAlias

from tertulia import mls
from tertulia.client import limits
from tertulia.client.annotation import (
    Annotation,
    Claim,
    InviteClaim,
    JoinAuthorization,
    RejoinAuthorization,
    RejoinClaim,
)
from tertulia.client.errors import FullRoomError, InviteRefusedError
from tertulia.client.group_advice import (
    GivenAdvice,
    OpenedAdvice,
    member_wrap_key,
    open_advice,
    open_wrap,
)
from tertulia.client.handshake_blob import seal_commit
from tertulia.client.identity import member_of, mls_identity
from tertulia.client.invites import InviteSecrets, invite_secrets
from tertulia.client.judgement import RULES, has_place
from tertulia.client.links import parse_room_link
from tertulia.client.room import Room
from tertulia.client.room_policy import policy_of
from tertulia.client.turn import Turn
from tertulia.client.value_errors import NoAccountKeyError, SealError
from tertulia.client.work import Entering, Fetched
from tertulia.crypto import Secret, cipher_suite
from tertulia.wire import RoomInviteLink, new_message_key

# Gets epoch, kem_output and the new leaf; returns what entitles the entry.
_Claiming: TypeAlias = Callable[[int, bytes, mls.LeafNode], Claim]


@dataclass(frozen=True, slots=True)
class _Plan:
    work: Fetched
    advice: OpenedAdvice
    claiming: _Claiming
    replaces: int | None = None
    former: bytes = b""


def enter_by_link(turn: Turn, room: Room, work: Fetched, tree: bytes) -> Entering:
    """Return the entry of a joiner.

    Raises PeerError, InvalidError, CodecError, and FullRoomError.
    """
    link = parse_room_link(room.state.link)
    secrets = invite_secrets(Secret(link.secret))
    advice_key = open_wrap(secrets.wrap_key, room.id, work.wrapped)
    if advice_key.epoch < link.epoch:
        raise InviteRefusedError("the room is older than the link")
    advice = open_advice(advice_key, room.id, _given(work, tree))
    _check_fits(link, advice)
    mine = _leaf_of(turn.session.profile.device, advice.known.tree)
    if mine is None:
        _check_place(advice)
        plan = _Plan(work, advice, _by_invite(room, secrets))
        return _external_commit(turn, room, plan)
    # An earlier attempt got through unnoticed: the device replaces its own leaf.
    return _external_commit(turn, room, _replacing(turn, room, work, advice, mine))


def _check_fits(link: RoomInviteLink, advice: OpenedAdvice) -> None:
    """Raise InviteRefusedError unless the group is the one that the link means."""
    context = advice.group_info.take_for_checking().group_context
    if context.group_id != link.room:
        raise InviteRefusedError("another room")
    if context.cipher_suite != link.suite:
        raise InviteRefusedError("another cipher suite")
    position = advice.position
    if position.place < link.place:
        raise InviteRefusedError("the room is older than the link")
    if position.place == link.place and position.hash != link.hash:
        raise InviteRefusedError("another history than the link's")


def _check_place(advice: OpenedAdvice) -> None:
    """Raise FullRoomError if the others would skip one more device."""
    context = advice.group_info.take_for_checking().group_context
    if not has_place(context, advice.known.tree):
        raise FullRoomError(limits.HYBRID_DEVICES)


def enter_again(turn: Turn, room: Room, work: Fetched, tree: bytes) -> Entering:
    """Return the entry of who comes back; raise PeerError, InvalidError, CodecError."""
    policy, group = room.policy, room.group
    if policy is None or group is None:
        raise InviteRefusedError("the keys of the room are lost")
    try:
        advice_key = open_wrap(member_wrap_key(policy.secret), room.id, work.wrapped)
    except SealError:
        raise InviteRefusedError("the keys of the room changed") from None
    if advice_key.epoch < group.context.epoch:
        raise InviteRefusedError("the room went back in time")
    advice = open_advice(advice_key, room.id, _given(work, tree))
    if advice.group_info.take_for_checking().group_context.group_id != room.id:
        raise InviteRefusedError("another room")
    former = member_of(group.leaf).device
    mine = _leaf_of(former, advice.known.tree)
    if mine is None:
        raise InviteRefusedError("this device is no longer in the room")
    plan = _replacing(turn, room, work, advice, mine)
    if former != turn.session.profile.device:
        plan = replace(plan, claiming=_as_account(turn, room, mine), former=former)
    return _external_commit(turn, room, plan)


def _given(work: Fetched, tree: bytes) -> GivenAdvice:
    return GivenAdvice(work.group_info, tree, work.patches)


def _by_invite(room: Room, secrets: InviteSecrets) -> _Claiming:
    def claim(epoch: int, kem_output: bytes, leaf: mls.LeafNode) -> Claim:
        said = JoinAuthorization(room.id, epoch, kem_output, leaf.encode())
        return InviteClaim(secrets.invite, said.sign(secrets.keys.private))

    return claim


def _replacing(
    turn: Turn, room: Room, work: Fetched, advice: OpenedAdvice, mine: int
) -> _Plan:
    def claim(epoch: int, kem_output: bytes, leaf: mls.LeafNode) -> Claim:
        said = RejoinAuthorization(room.id, epoch, kem_output, leaf.encode(), mine)
        return RejoinClaim(0, said.sign(turn.session.profile.device_key))

    return _Plan(work, advice, claim, mine)


def _as_account(turn: Turn, room: Room, mine: int) -> _Claiming:
    """Return the proof of a device that was another one: by the account's key."""
    key = turn.session.profile.account_key
    if key is None:
        raise NoAccountKeyError

    def claim(epoch: int, kem_output: bytes, leaf: mls.LeafNode) -> Claim:
        said = RejoinAuthorization(room.id, epoch, kem_output, leaf.encode(), mine)
        return RejoinClaim(1, said.sign(key))

    return claim


def _leaf_of(device: bytes, tree: mls.RatchetTree) -> int | None:
    for index, leaf in tree.members():
        if member_of(leaf).device == device:
            return index
    return None


def _external_commit(turn: Turn, room: Room, plan: _Plan) -> Entering:
    context = plan.advice.group_info.take_for_checking().group_context
    position = plan.work.position
    profile = turn.session.profile
    key = new_message_key(turn.now, turn.rng)

    def authorize(kem_output: bytes, leaf: mls.LeafNode) -> bytes:
        claim = plan.claiming(context.epoch, kem_output, leaf)
        return Annotation(key, position.place, position.hash, claim).encode()

    joined = mls.join_externally(
        plan.advice.group_info,
        mls.ExternalJoin(
            mls_identity(profile, cipher_suite(context.cipher_suite), profile.name),
            mls.Aids({}, plan.advice.known.tree),
            replaces=plan.replaces,
            authorize=authorize,
        ),
        RULES,
        turn.rng,
    )
    secret = policy_of(context).secret
    message = mls.encode_message(joined.message)
    blob = seal_commit(secret, room.id, message, turn.rng)
    return Entering(
        blob,
        joined.group,
        key,
        plan.work.handshake,
        position,
        plan.advice.known,
        plan.former,
    )
