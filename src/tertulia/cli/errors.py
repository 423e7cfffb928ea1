"""What can be wrong with what a person typed, or with waiting for what was asked."""

from typing import ClassVar

from tertulia.errors import BugError, OfflineError, RefusedError, UsageError


class MissingOptionError(UsageError):
    """Something would have to be asked, and there is no terminal to ask at."""

    code: ClassVar[str] = "missing_option"
    sentence: ClassVar[str] = "{option} is missing, and there is nobody to ask"

    def __init__(self, option: str) -> None:
        super().__init__(option)
        self.option = option


class NoRoomError(UsageError):
    """The profile is in no room."""

    code: ClassVar[str] = "no_room"
    sentence: ClassVar[str] = "this profile is in no room"


class NoProfileError(UsageError):
    """There is no profile yet, and this command does not begin one."""

    code: ClassVar[str] = "no_profile"
    sentence: ClassVar[str] = "there is no profile in {path}"

    def __init__(self, path: object) -> None:
        super().__init__(path)
        self.path = str(path)


class BadValueError(UsageError):
    """What was typed is not what is wanted there."""

    code: ClassVar[str] = "bad_value"
    sentence: ClassVar[str] = "{text!r} is not {wanted}"

    def __init__(self, text: str, wanted: str) -> None:
        super().__init__(text, wanted)
        self.text = text
        self.wanted = wanted


class NothingNamedError(UsageError):
    """Nothing has the name or id that was typed."""

    code: ClassVar[str] = "nothing_named"
    sentence: ClassVar[str] = "nothing is called {text!r}"

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.text = text


class AmbiguousNameError(UsageError):
    """Several have the name, or begin with what was typed."""

    code: ClassVar[str] = "ambiguous_name"
    sentence: ClassVar[str] = "{text!r} could be {listed}"

    def __init__(self, text: str, candidates: tuple[str, ...]) -> None:
        super().__init__(text, candidates)
        self.text = text
        self.candidates = candidates
        self.listed = ", ".join(candidates)


class UnknownSlashCommandError(UsageError):
    """A line begins with a slash, and no command is called so."""

    code: ClassVar[str] = "unknown_slash_command"
    sentence: ClassVar[str] = "there is no command /{name}"

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.name = name


class MissingArgumentError(UsageError):
    """A command needs to be told more."""

    code: ClassVar[str] = "missing_argument"
    sentence: ClassVar[str] = "the command is used so: {usage}"

    def __init__(self, usage: str) -> None:
        super().__init__(usage)
        self.usage = usage


class NoAnswerError(OfflineError):
    """What was asked was not answered in the time one wanted to wait."""

    code: ClassVar[str] = "no_answer"
    sentence: ClassVar[str] = "no answer within {seconds:g} s"

    def __init__(self, seconds: float) -> None:
        super().__init__(seconds)
        self.seconds = seconds


class StillQueuedError(OfflineError):
    """A message is safe on this machine, and the relay does not have it yet."""

    code: ClassVar[str] = "still_queued"
    sentence: ClassVar[str] = "the relay did not take the message within {seconds:g} s"

    def __init__(self, seconds: float) -> None:
        super().__init__(seconds)
        self.seconds = seconds


class MessageFailedError(RefusedError):
    """The relay will not take a message; `reason` is the code that says why."""

    code: ClassVar[str] = "message_failed"
    sentence: ClassVar[str] = "the message was refused: {reason}"

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class RelayNotStartedError(OfflineError):
    """The relay that was to be started ended; these are its own words."""

    code: ClassVar[str] = "relay_not_started"
    sentence: ClassVar[str] = "the relay did not start: {happened}"

    def __init__(self, code: str, words: tuple[str, str, str], exit_code: int) -> None:
        super().__init__(code, words, exit_code)
        self.cause = code
        self.happened, self.safe, self.next = words
        self.exit_code = exit_code


class RelayEndedError(OfflineError):
    """The relay that this host started has ended; its log says why."""

    code: ClassVar[str] = "relay_ended"
    sentence: ClassVar[str] = "the relay has ended with {exit_code}; see {log}"

    def __init__(self, exit_code: int, log: object) -> None:
        super().__init__(exit_code, log)
        self.exit_code = exit_code
        self.log = str(log)


class UnexpectedAnswerError(BugError):
    """A command was answered with what it does not lead to."""

    code: ClassVar[str] = "unexpected_answer"
    sentence: ClassVar[str] = "answered with {answer}"

    def __init__(self, answer: object) -> None:
        super().__init__(answer)
        self.answer = type(answer).__name__
