"""What can be wrong with bytes that should have been a value."""

from typing import ClassVar

from tertulia.errors import PeerError


class CodecError(PeerError):
    """The bytes are not an encoding of the expected type."""

    code: ClassVar[str] = "malformed"
    sentence: ClassVar[str] = "malformed encoding: {reason}"

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class TruncatedError(CodecError):
    """The bytes end before the value does."""

    code: ClassVar[str] = "truncated"

    def __init__(self, wanted: int, left: int) -> None:
        super().__init__(f"{wanted} bytes wanted, {left} left")
        self.wanted = wanted
        self.left = left


class OversizeError(CodecError):
    """A length exceeds the limit of its field."""

    code: ClassVar[str] = "oversize"

    def __init__(self, size: int, limit: int) -> None:
        super().__init__(f"{size} bytes where at most {limit} are allowed")
        self.size = size
        self.limit = limit
