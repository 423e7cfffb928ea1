"""The messages of one client: which wait, and which may be answered together.

At most `MAX_UNDER_WAY` messages of `MAX_HELD` bytes are being answered at a time, or
one larger message, or one that asks for a page of a log: a page must be on its way
before the next is made.
"""

import re
from collections import deque
from collections.abc import Sequence
from typing import Final

from tertulia.wire import limits

MAX_UNDER_WAY: Final = 64
MAX_HELD: Final = limits.FRAME

# A tag stands within the first bytes of a frame.
_LARGE_ANSWERS: Final = re.compile(
    b"fetch_entries|fetch_welcomes|fetch_group|list_rooms|follow_room|claim_key_packages"
)
_FIRST_BYTES: Final = 24


def asks_for_pages(message: bytes) -> bool:
    """Tell whether the answer to a message may be large, by its tag."""
    return _LARGE_ANSWERS.search(message, 0, _FIRST_BYTES) is not None


class Inbox:
    """What waits for an answer, in order, and how much is being answered."""

    __slots__ = ("_held", "_under_way", "_waiting")

    def __init__(self) -> None:
        self._waiting: deque[bytes] | None = None
        self._under_way = 0
        self._held = 0

    @property
    def has_waiting(self) -> bool:
        """Whether a message is there that nobody took."""
        return bool(self._waiting)

    def put(self, messages: Sequence[bytes]) -> None:
        """Add messages, in the order in which they came."""
        if self._waiting is None:
            self._waiting = deque()
        self._waiting.extend(messages)

    def take(self, most: int) -> list[bytes]:
        """Take what may be answered now, with at most so many messages under way."""
        waiting = self._waiting
        some: list[bytes] = []
        free = most - self._under_way
        while waiting and len(some) < free:
            is_page = asks_for_pages(waiting[0])
            held = self._held + len(waiting[0])
            if (is_page or held > MAX_HELD) and (some or self._under_way):
                break
            self._held = held
            some.append(waiting.popleft())
            if is_page:
                break
        self._under_way += len(some)
        return some

    def done(self, messages: Sequence[bytes]) -> None:
        """What was taken together is answered."""
        self._under_way -= len(messages)
        self._held -= sum(map(len, messages))

    def clear(self) -> None:
        """Forget what nobody took."""
        self._waiting = None
