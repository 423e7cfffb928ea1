"""Whether a device may enrol, and an account come with it; the rule for every engine."""

from dataclasses import dataclass

from tertulia.relay.engine import (
    EnrolledDevice,
    Enrolment,
    RoomInvite,
    ServerInvite,
)
from tertulia.wire import ErrorCode, limits


@dataclass(frozen=True, slots=True)
class EnrolmentView:
    """What an engine knows about an enrolment at the moment of the change."""

    device: EnrolledDevice | None
    devices: int
    is_revoked: bool
    has_account: bool
    invite: ServerInvite | RoomInvite | None


def object_to_enrolment(view: EnrolmentView, enrolment: Enrolment) -> ErrorCode | None:
    """Return why the device may not enrol, None if it may."""
    if view.is_revoked:
        return ErrorCode.REVOKED
    if view.device is not None:
        return ErrorCode.EXISTS
    if view.devices >= limits.DEVICES_PER_ACCOUNT:
        return ErrorCode.TOO_MANY
    if view.has_account:
        return None
    if not enrolment.may_create_account:
        return ErrorCode.INVITE_REQUIRED
    if enrolment.invite is not None and not _creates(view.invite, enrolment.now):
        return ErrorCode.INVITE_INVALID
    return None


def _creates(invite: ServerInvite | RoomInvite | None, now: int) -> bool:
    match invite:
        case ServerInvite():
            return is_unspent(invite, now)
        case RoomInvite(invite=terms):
            uses = terms.uses
            return _is_current(terms.expires, now) and (
                uses is None or invite.accounts < uses
            )
        case None:
            return False


def is_unspent(invite: ServerInvite, now: int) -> bool:
    """Tell whether a server invite is neither expired nor used up."""
    return _is_current(invite.expires, now) and (
        invite.uses is None or invite.used < invite.uses
    )


def _is_current(expires: int | None, now: int) -> bool:
    return expires is None or now < expires
