"""How much we hold for those who make us hold something, all of them together.

Each connection has a bound of its own; but thousands of them that read nothing, or
never end their message, would still fill the memory. So each of those gets an equal
share of a budget, at most the bound of one connection: the more there are, the sooner
each is cut off. Connections that keep up hold nothing, and need no share.
"""

from typing import Final, NamedTuple

# Nobody is cut off for less: it is what the system's own buffers are like.
LEAST: Final = 64 * 1024


class Budget:
    """Counts who makes us hold something, and how much each may."""

    def __init__(self, each: int, total: int) -> None:
        self._each = each
        self._total = total
        self._holders = 0
        self.share = each

    def enter(self) -> None:
        """One more makes us hold something."""
        self._count(1)

    def leave(self) -> None:
        """One of those no longer does, or is gone."""
        self._count(-1)

    def _count(self, change: int) -> None:
        self._holders += change
        share = self._total // max(1, self._holders)
        self.share = max(min(LEAST, self._each), min(self._each, share))


class Budgets(NamedTuple):
    """Those that all connections of a relay share."""

    sending: Budget  # what waits for those who read too slowly
    unfinished: Budget  # the beginnings of messages that are not whole yet
