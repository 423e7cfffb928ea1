"""What a session answers when a command cannot be carried out."""

from typing import ClassVar

from tertulia.errors import OfflineError, PeerError, RefusedError, UsageError
from tertulia.wire import ErrorCode


class RelayRefusedError(RefusedError):
    """The relay understood what a command needs and said no; `reason` is its code."""

    code: ClassVar[str] = "relay_refused"
    sentence: ClassVar[str] = "the relay refuses: {reason}"

    def __init__(self, reason: ErrorCode, retry_after: int | None = None) -> None:
        super().__init__(reason, retry_after)
        self.reason = str(reason.value)
        self.retry_after = retry_after


class NotReachedError(OfflineError):
    """The relay was not reached in time; nothing was changed."""

    code: ClassVar[str] = "relay_not_reached"
    sentence: ClassVar[str] = "the relay was not reached in time"


class NotMemberError(UsageError):
    """There is no such room, or this device is not in it."""

    code: ClassVar[str] = "not_member"
    sentence: ClassVar[str] = "not a member of the room {room}"

    def __init__(self, room: bytes) -> None:
        super().__init__(room)
        self.room = room.hex()


class NotPermittedError(UsageError):
    """The room's rules do not let this member do that."""

    code: ClassVar[str] = "not_permitted"
    sentence: ClassVar[str] = "the rules of the room do not allow it: {reason}"

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class NoSuchMemberError(UsageError):
    """Nobody of that account is in the room."""

    code: ClassVar[str] = "no_such_member"
    sentence: ClassVar[str] = "no member of the account {account}"

    def __init__(self, account: bytes) -> None:
        super().__init__(account)
        self.account = account.hex()


class NoSuchInviteError(UsageError):
    """The room has no such invite."""

    code: ClassVar[str] = "no_such_invite"
    sentence: ClassVar[str] = "no invite {invite}"

    def __init__(self, invite: bytes) -> None:
        super().__init__(invite)
        self.invite = invite.hex()


class NoSuchMessageError(UsageError):
    """There is no such message, or the relay has it already."""

    code: ClassVar[str] = "no_such_message"
    sentence: ClassVar[str] = "no message {message} that could be taken back"

    def __init__(self, message: bytes) -> None:
        super().__init__(message)
        self.message = message.hex()


class InviteRefusedError(PeerError):
    """What the relay gave for a link does not fit the link."""

    code: ClassVar[str] = "invite_does_not_fit"
    sentence: ClassVar[str] = "what the relay gave does not fit the link: {reason}"

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class FullRoomError(UsageError):
    """The room has as many devices as its rules let in."""

    code: ClassVar[str] = "too_many_devices"
    sentence: ClassVar[str] = "the room has its {most} devices"

    def __init__(self, most: int) -> None:
        super().__init__(most)
        self.most = most


class WrongRelayError(PeerError):
    """Whoever answers is not the relay that the link names."""

    code: ClassVar[str] = "wrong_relay"
    sentence: ClassVar[str] = "not the relay {fingerprint}"

    def __init__(self, fingerprint: bytes) -> None:
        super().__init__(fingerprint)
        self.fingerprint = fingerprint.hex()


class UnreadableRoomError(PeerError):
    """The room moved on in a way this program cannot follow."""

    code: ClassVar[str] = "room_unreadable"
    sentence: ClassVar[str] = "the room cannot be read: {reason}"

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class AskedAgainError(UsageError):
    """The same link was used by a later command, which goes on instead."""

    code: ClassVar[str] = "asked_again"
    sentence: ClassVar[str] = "the same link was used again since"


class BadInviteError(UsageError):
    """An invite that nobody could come by: `what` is `expires` or `uses`."""

    code: ClassVar[str] = "bad_invite"
    sentence: ClassVar[str] = "nobody could come by that invite: {what}"

    def __init__(self, what: str) -> None:
        super().__init__(what)
        self.what = what


class BadKeyError(UsageError):
    """A message's key has another size than 16 bytes."""

    code: ClassVar[str] = "bad_key"
    sentence: ClassVar[str] = "a key of {size} bytes"

    def __init__(self, size: int) -> None:
        super().__init__(size)
        self.size = size
