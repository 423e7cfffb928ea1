"""Resting under load, so that work gathers.

Waking a thread for one message costs more than the message: the processor has slept, and
everything it needs is cold. A commit, and a write to each who follows, cost nearly the
same for one entry as for ten. So when entries come faster than one at a time, the event
loop sleeps for some milliseconds after it has sent them out, and finds all that came
meanwhile together. Network drivers do the same with interrupts.

Who speaks into silence waits for nothing: after a batch of one there is no rest. Under a
heavy load there is none either, for there is always enough to do.
`docs/performance.md` has what it gave.
"""

import time
from typing import Final

# Seconds from the end of one rest to that of the next, per entry in between.
EACH: Final = 0.001
MOST: Final = 0.004  # a latency that people do not notice
ENOUGH: Final = 64  # entries; what is shared among so many is not worth waiting for


class Pace:
    """When the event loop of one relay rests."""

    def __init__(self) -> None:
        self._rested = 0.0
        self._until = 0.0

    def note(self, entries: int) -> bool:
        """Take note of how many entries came together; tell whether to rest."""
        now = time.monotonic()
        if not 1 < entries < ENOUGH:
            self._rested = now
            return False
        self._until = self._rested + min(entries * EACH, MOST)
        if self._until <= now:
            self._rested = now
        return self._until > now

    def rest(self) -> None:
        """Sleep as long as it was said; blocks the thread, and so all on its loop."""
        time.sleep(max(0.0, self._until - time.monotonic()))
        self._rested = time.monotonic()
