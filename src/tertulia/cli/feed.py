"""Messages, each once and in order, from what the vault has to what comes in.

Events only say that there is news; what is shown is read from the vault, after the last
message that was shown. So nothing is missed between reading and listening, nor by a
listener that was too slow, and nothing comes twice.
"""

from collections import deque
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, Final

from tertulia.client import AnyEvent, MessageArrived, MessageMoved, MessageView

if TYPE_CHECKING:
    from tertulia.agent import Agent

PAGE: Final = 200
FROM_THE_FIRST: Final = 0

# Events of messages already read may still wait in the listener's queue.
_REMEMBERED: Final = 10_000


class Feed:
    """The messages of one room, or of all, after a certain one.

    With `stored_only`, own messages come once the relay has them, in the order that
    all members see.
    """

    def __init__(
        self,
        agent: "Agent",
        room: bytes | None,
        after: bytes | int = FROM_THE_FIRST,
        *,
        stored_only: bool = False,
    ) -> None:
        self._agent = agent
        self._stored_only = stored_only
        self._room = room
        self._after = after
        self._recent: deque[bytes] = deque(maxlen=_REMEMBERED)
        self._known: set[bytes] = set()

    async def skip_to_newest(self, show: int = 0) -> list[MessageView]:
        """Go to the end; return the last `show` messages before it."""
        newest = await self._agent.messages(
            self._room, limit=max(show, PAGE), newest=True
        )
        for message in newest:
            if message.place is not None or not self._stored_only:
                self._pass(message)
        return list(newest[-show:]) if show else []

    async def news(self) -> AsyncIterator[MessageView]:
        """Yield what there is beyond the messages yielded before."""
        from tertulia.agent import UnknownMessageError

        cursor = self._after
        while True:
            try:
                page = await self._page(cursor)
            except UnknownMessageError:
                if cursor == self._after:
                    raise
                cursor = self._after  # it waited, and was taken back
                continue
            for message in page:
                cursor = message.message
                is_waiting = self._stored_only and message.place is None
                if message.message not in self._known and not is_waiting:
                    self._pass(message)
                    yield message
            if len(page) < PAGE:
                return

    async def _page(self, cursor: bytes | int) -> list[MessageView]:
        return await self._agent.messages(self._room, after=cursor, limit=PAGE)

    def _pass(self, message: MessageView) -> None:
        if len(self._recent) == self._recent.maxlen:
            self._known.discard(self._recent[0])
        self._recent.append(message.message)
        self._known.add(message.message)
        if message.place is not None:
            # One that waits gets its number in the order of the log only later.
            self._after = message.message

    def is_touched_by(self, event: AnyEvent) -> bool:
        """Tell whether an event means that there may be something to read."""
        match event:
            case MessageArrived(message):
                room, identity = message.room, message.message
            case MessageMoved(room=room, message=identity):
                pass
            case _:
                return False
        return self._room in {None, room} and identity not in self._known
