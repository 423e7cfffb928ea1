"""What can be wrong with a frame."""

from collections.abc import Sequence
from typing import ClassVar

from tertulia.errors import PeerError


class MalformedFrameError(PeerError):
    """The bytes are not a frame of this protocol."""

    code: ClassVar[str] = "malformed_frame"
    sentence: ClassVar[str] = "malformed frame: {reason}"

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class OversizeFrameError(MalformedFrameError):
    """The frame is larger than any may be."""

    code: ClassVar[str] = "too_large"

    def __init__(self, size: int, limit: int) -> None:
        super().__init__(f"{size} bytes where at most {limit} are allowed")
        self.size = size
        self.limit = limit


class UnknownFrameError(PeerError):
    """A frame of a kind that this version does not know."""

    code: ClassVar[str] = "unknown_frame"
    sentence: ClassVar[str] = "unknown kind of frame"

    def __init__(self, request: int) -> None:
        super().__init__(request)
        self.request = request


class UnsupportedVersionError(PeerError):
    """The other side offers no version that we speak."""

    code: ClassVar[str] = "unsupported_version"
    sentence: ClassVar[str] = "no version in common, ours are {versions}"

    def __init__(self, versions: Sequence[int]) -> None:
        super().__init__(versions)
        self.versions = versions
