"""How a conversation begins."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Opening:
    """What is said first, and whether all that the room has is news.

    What arrives after the announcement is shown, however early.
    """

    announce: Callable[[], Awaitable[None]] | None = None
    is_new: bool = False


CONTINUED: Final = Opening()
