"""What can go wrong between a face, the process that holds the vault, and the relay."""

from typing import ClassVar

from tertulia.errors import BugError, OfflineError, PeerError, UsageError, VaultError

# Links and transfers


class LinkFailedError(OfflineError):
    """A relay cannot be reached, or the link to it is gone; `reason` is a code."""

    code: ClassVar[str] = "link_failed"
    sentence: ClassVar[str] = "no link to {address}: {reason}"

    def __init__(self, address: str, reason: str) -> None:
        super().__init__(address, reason)
        self.address = address
        self.reason = reason


class TransferFailedError(OfflineError):
    """A blob could not be moved; `reason` is the relay's code or one of ours."""

    code: ClassVar[str] = "transfer_failed"
    sentence: ClassVar[str] = "a blob could not be moved: {reason}"

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class BadCertificateError(PeerError):
    """What was shown as a TLS certificate is none."""

    code: ClassVar[str] = "certificate_unreadable"
    sentence: ClassVar[str] = "the certificate cannot be read"


# Asking


class NoSuchRoomError(UsageError):
    """This profile knows no such room."""

    code: ClassVar[str] = "no_such_room"
    sentence: ClassVar[str] = "no room {room}"

    def __init__(self, room: bytes) -> None:
        super().__init__(room)
        self.room = room.hex()


class UnknownMessageError(UsageError):
    """This profile has no message of that id."""

    code: ClassVar[str] = "unknown_message"
    sentence: ClassVar[str] = "no message {message}"

    def __init__(self, message: bytes) -> None:
        super().__init__(message)
        self.message = message.hex()


class NoSuchRelayError(UsageError):
    """This profile knows no such relay."""

    code: ClassVar[str] = "no_such_relay"
    sentence: ClassVar[str] = "no relay {relay}"

    def __init__(self, relay: bytes) -> None:
        super().__init__(relay)
        self.relay = relay.hex()


class NoRelayKnownError(UsageError):
    """This profile knows no relay at all."""

    code: ClassVar[str] = "no_relay_known"
    sentence: ClassVar[str] = "this profile knows no relay yet"


class AmbiguousRelayError(UsageError):
    """The command is for one relay, and there are several."""

    code: ClassVar[str] = "ambiguous_relay"
    sentence: ClassVar[str] = "{count} relays are known: name one"

    def __init__(self, count: int) -> None:
        super().__init__(count)
        self.count = count


class BusyError(OfflineError):
    """More was asked for than is carried out; this was not begun."""

    code: ClassVar[str] = "busy"
    sentence: ClassVar[str] = "too much is under way; this was not begun"


class NotAnsweredError(OfflineError):
    """The command has begun and takes longer than anybody should wait for."""

    code: ClassVar[str] = "not_answered"
    sentence: ClassVar[str] = "no answer after {seconds} seconds; it may still be done"

    def __init__(self, seconds: int) -> None:
        super().__init__(seconds)
        self.seconds = seconds


class AgentClosedError(OfflineError):
    """The agent ends; what was asked for was not begun."""

    code: ClassVar[str] = "agent_closed"
    sentence: ClassVar[str] = "the client is being closed; this was not begun"


class FateUnknownError(OfflineError):
    """Who was to do it ended before the answer: it may be done or not."""

    code: ClassVar[str] = "fate_unknown"
    sentence: ClassVar[str] = (
        "interrupted: it may be done or not, look before trying again"
    )


class ListenerBehindError(OfflineError):
    """Events were missed; whoever listens reads again, then goes on listening."""

    code: ClassVar[str] = "listener_behind"
    sentence: ClassVar[str] = "events were missed: read again, then go on"


class StepFailedError(BugError):
    """A rule of the client failed on something; the session begins anew."""

    code: ClassVar[str] = "step_failed"
    sentence: ClassVar[str] = "a rule failed on {item}: {reason}"

    def __init__(self, item: str, reason: str) -> None:
        super().__init__(item, reason)
        self.item = item
        self.reason = reason


# Profiles


class NameNeededError(UsageError):
    """The profile is new, and nobody said what its owner wants to be called."""

    code: ClassVar[str] = "name_needed"
    sentence: ClassVar[str] = "a new profile needs a name"


class ProfileFolderError(VaultError):
    """The profile's folder cannot be made, read or written."""

    code: ClassVar[str] = "profile_folder"
    sentence: ClassVar[str] = "{path}: {reason}"

    def __init__(self, path: object, reason: str) -> None:
        super().__init__(path, reason)
        self.path = str(path)
        self.reason = reason


class ProfileBusyError(OfflineError):
    """Another process holds the profile and does not answer."""

    code: ClassVar[str] = "profile_busy"
    sentence: ClassVar[str] = "another process holds {path} and does not answer"

    def __init__(self, path: object) -> None:
        super().__init__(path)
        self.path = str(path)


class OtherVersionError(UsageError):
    """Another version of this program holds the profile."""

    code: ClassVar[str] = "other_version"
    sentence: ClassVar[str] = (
        "the process that holds the profile speaks version {theirs}, not {ours}: end it"
    )

    def __init__(self, ours: int, theirs: int) -> None:
        super().__init__(ours, theirs)
        self.ours = ours
        self.theirs = theirs


class HolderGoneError(OfflineError):
    """The process that held the profile is gone."""

    code: ClassVar[str] = "holder_gone"
    sentence: ClassVar[str] = "the process that held the profile is gone"


class BadCallError(PeerError):
    """What came over the profile's socket is no call of ours."""

    code: ClassVar[str] = "bad_call"
    sentence: ClassVar[str] = "not a call: {reason}"

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason
