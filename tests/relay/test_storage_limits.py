"""Quotas of account, room and relay."""

import pytest

from tertulia.relay import Blob, BlobLimits, Denied, object_to_blob
from tertulia.wire import ErrorCode, frames

BLOB = Blob(bytes(16), bytes(16), bytes(32), 10, bytes(32), 0)


@pytest.mark.parametrize(
    ("stored", "code"),
    [
        (BlobLimits(91, 0, 0), ErrorCode.ACCOUNT_FULL),
        (BlobLimits(0, 91, 0), ErrorCode.ROOM_FULL),
        (BlobLimits(0, 0, 91), ErrorCode.RELAY_FULL),
    ],
)
def test_each_quota_is_its_own(stored: BlobLimits, code: ErrorCode) -> None:
    allowed = BlobLimits(100, 100, 100)
    assert object_to_blob(BLOB, BlobLimits(90, 90, 90), allowed) is None
    denied = Denied(code, frames.Facts(limit=100, actual=91))
    assert object_to_blob(BLOB, stored, allowed) == denied
