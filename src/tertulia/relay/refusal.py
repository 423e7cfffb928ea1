"""The relay's no: raised by any rule, turned into a frame in one place."""

from typing import ClassVar

from tertulia.errors import RefusedError
from tertulia.wire import ErrorCode, frames

NO_FACTS = frames.Facts()


class Refusal(RefusedError):  # noqa: N818 - it is an answer, not a fault
    """A request that is not carried out; `fatal` ends the connection too."""

    code: ClassVar[str] = "refused"
    sentence: ClassVar[str] = "refused: {reason}"

    def __init__(
        self, reason: ErrorCode, facts: frames.Facts = NO_FACTS, *, fatal: bool = False
    ) -> None:
        super().__init__(reason)
        self.reason = reason
        self.facts = facts
        self.fatal = fatal

    def answer(self, request: int) -> frames.Refused:
        """Return the frame that says so to the request of this number."""
        return frames.Refused(request, self.reason, self.facts)


def not_found() -> Refusal:
    """Return the one answer for what is not there and for what is not yours."""
    return Refusal(ErrorCode.NOT_FOUND)


def too_large(actual: int, limit: int) -> Refusal:
    """Return the answer to a part that is too large."""
    return Refusal(ErrorCode.TOO_LARGE, frames.Facts(limit=limit, actual=actual))
