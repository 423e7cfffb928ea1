"""Whether a blob may still be stored; the rule for every engine."""

from tertulia.relay.engine import Blob, BlobLimits, Denied
from tertulia.wire import ErrorCode, frames


def object_to_blob(
    blob: Blob, stored: BlobLimits, allowed: BlobLimits
) -> Denied | None:
    """Return why the blob may not come to what is stored, None if it may."""
    for code, used, limit in (
        (ErrorCode.ACCOUNT_FULL, stored.account, allowed.account),
        (ErrorCode.ROOM_FULL, stored.room, allowed.room),
        (ErrorCode.RELAY_FULL, stored.relay, allowed.relay),
    ):
        if used + blob.size > limit:
            return Denied(code, frames.Facts(limit=limit, actual=used))
    return None
