"""What is no longer kept; the rules for every engine.

Headers stay for ever: the running hash is made of them. Blobs of application entries go
with age. Blobs of handshakes go when nobody needs them to catch up. Uploaded blobs go
when they are old, unfinished or were replaced.
"""

from collections.abc import Iterable
from typing import Final

from tertulia.relay.engine import Blob, RetentionRules, Value

# A GroupInfo that was replaced is kept for who has just begun to read it.
_REPLACED_AGE: Final = 10 * 60_000


class Progress(Value, frozen=True):
    """How far a device is in a room; `last` is where its routing ended."""

    last: int | None
    handshake: int
    heard: int


def entry_age(rules: RetentionRules, room: int | None) -> int | None:
    """Return how long a room's entries are kept: what it asks, at most what may be."""
    ages = [age for age in (rules.entry_age, room) if age is not None]
    return min(ages, default=None)


def first_needed(
    rules: RetentionRules, newest: int, progress: Iterable[Progress]
) -> int:
    """Return the place of the first handshake that must be kept."""
    behind = [
        device.handshake + 1
        for device in progress
        if device.heard + rules.handshake_idle >= rules.now
        and (device.last is None or device.handshake < device.last)
    ]
    return min([newest, *behind])


def is_past(blob: Blob, replaced: int | None, rules: RetentionRules) -> bool:
    """Tell whether a blob that no current GroupInfo names is kept no longer."""
    if replaced is not None:
        return replaced + _REPLACED_AGE < rules.now
    age = rules.blob_age if blob.is_complete else rules.upload_age
    return blob.created + age < rules.now
