"""Who may enrol; how invites are counted is in the engines' contract."""

from dataclasses import replace

import pytest

from tertulia.relay import (
    EnrolledDevice,
    Enrolment,
    EnrolmentView,
    InviteUse,
    RoomInvite,
    ServerInvite,
    object_to_enrolment,
)
from tertulia.wire import Device, ErrorCode, frames, limits

DEVICE = Device(bytes(16), bytes(32), bytes(32), bytes(32))
KNOWN = EnrolledDevice(bytes(16), bytes(32), bytes(32), 0, is_revoked=False)
NEW = EnrolmentView(None, 0, is_revoked=False, has_account=False, invite=None)
OPEN = Enrolment(DEVICE, 100, None, may_create_account=True)
INVITED = Enrolment(DEVICE, 100, InviteUse(bytes(16)), may_create_account=True)
SERVER = ServerInvite(bytes(16), bytes(32), 0, expires=101, uses=2, used=1)
TERMS = frames.Invite(bytes(16), bytes(32), bytes(16), 101, 2)
ROOM = RoomInvite(bytes(16), TERMS, joined=9, accounts=1)


@pytest.mark.parametrize(
    ("view", "enrolment", "code"),
    [
        (NEW, OPEN, None),
        (replace(NEW, is_revoked=True), OPEN, ErrorCode.REVOKED),
        (replace(NEW, device=KNOWN), OPEN, ErrorCode.EXISTS),
        (replace(NEW, devices=limits.DEVICES_PER_ACCOUNT), OPEN, ErrorCode.TOO_MANY),
        (NEW, INVITED, ErrorCode.INVITE_INVALID),
        (replace(NEW, invite=SERVER), INVITED, None),
        (replace(NEW, invite=ROOM), INVITED, None),
        (replace(NEW, has_account=True), INVITED, None),
    ],
)
def test_the_rule(
    view: EnrolmentView, enrolment: Enrolment, code: ErrorCode | None
) -> None:
    assert object_to_enrolment(view, enrolment) is code


@pytest.mark.parametrize(
    "invite",
    [
        ServerInvite(bytes(16), bytes(32), 0, expires=100),
        ServerInvite(bytes(16), bytes(32), 0, uses=1, used=1),
        RoomInvite(bytes(16), TERMS, joined=0, accounts=2),
        RoomInvite(
            bytes(16), frames.Invite(bytes(16), bytes(32), bytes(16), 100), 0, 0
        ),
    ],
)
def test_a_spent_invite_creates_no_account(invite: ServerInvite | RoomInvite) -> None:
    objection = object_to_enrolment(replace(NEW, invite=invite), INVITED)
    assert objection is ErrorCode.INVITE_INVALID


def test_an_account_that_may_not_be_created_is_not() -> None:
    enrolment = Enrolment(DEVICE, 100, None, may_create_account=False)
    assert object_to_enrolment(NEW, enrolment) is ErrorCode.INVITE_REQUIRED
