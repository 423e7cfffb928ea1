"""What can be wrong with the values that people choose and others send."""

from typing import ClassVar

from tertulia.errors import PeerError, UsageError


class BadNameError(UsageError):
    """A name cannot be had: `reason` is `empty`, `too_long` or `unprintable`."""

    code: ClassVar[str] = "bad_name"
    sentence: ClassVar[str] = "this name cannot be had: {reason}"

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class EmptyTextError(UsageError):
    """A message without any text."""

    code: ClassVar[str] = "empty_text"
    sentence: ClassVar[str] = "there is no text to send"


class TextTooLongError(UsageError):
    """A text beyond its limit, in bytes of UTF-8."""

    code: ClassVar[str] = "text_too_long"
    sentence: ClassVar[str] = "the text takes {size} bytes, at most {limit} may be sent"

    def __init__(self, size: int, limit: int) -> None:
        super().__init__(size, limit)
        self.size = size
        self.limit = limit


class BrokenTextError(UsageError):
    """A text with lone surrogates: half characters that UTF-8 cannot write."""

    code: ClassVar[str] = "broken_text"
    sentence: ClassVar[str] = "the text holds half a character"


class PolicyTooLargeError(UsageError):
    """A room's policy would be larger than members take."""

    code: ClassVar[str] = "policy_too_large"
    sentence: ClassVar[str] = "the room has too many invites, admins or bans"


class NoAccountKeyError(UsageError):
    """This device does not hold the key of its account."""

    code: ClassVar[str] = "no_account_key"
    sentence: ClassVar[str] = "this device does not hold the account's key"


class BadContentError(PeerError):
    """What a message holds is not content, though it opened."""

    code: ClassVar[str] = "bad_content"
    sentence: ClassVar[str] = "no content: {reason}"

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class PaddingError(PeerError):
    """A blob that is not padded as ours are."""

    code: ClassVar[str] = "padding"
    sentence: ClassVar[str] = "the padding has no end"


class SealError(PeerError):
    """What was sealed for members or joiners does not open, or not to what it says."""

    code: ClassVar[str] = "seal"
    sentence: ClassVar[str] = "does not open: {reason}"

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class UpdateNeededError(PeerError):
    """A room follows rules of a version that this program does not know.

    No verdict at all: the client neither applies nor skips, it stops until updated.
    """

    code: ClassVar[str] = "update_needed"
    sentence: ClassVar[str] = "the room's rules are of version {version}: update"

    def __init__(self, version: int) -> None:
        super().__init__(version)
        self.version = version
