"""How much of what is sent may wait for slow readers, all of them together.

Each connection has a bound of its own; but thousands of them that read nothing would
still fill the memory. So whoever reads too slowly gets an equal share of a budget, at
most the bound of one connection: the more there are, the sooner each is told to catch
up later. Connections that keep up hold nothing, and need no share.
"""

from typing import Final

# Nobody is cut off for less: it is what the system's own buffers are like.
LEAST: Final = 64 * 1024


class SendBudget:
    """Counts who reads too slowly, and what each may make us hold."""

    def __init__(self, each: int, total: int) -> None:
        self._each = each
        self._total = total
        self._slow = 0
        self.share = each

    def enter(self) -> None:
        """One more reads too slowly."""
        self._count(1)

    def leave(self) -> None:
        """One of those has caught up, or is gone."""
        self._count(-1)

    def _count(self, change: int) -> None:
        self._slow += change
        share = self._total // max(1, self._slow)
        self.share = max(min(LEAST, self._each), min(self._each, share))
