"""The one base error and its families, one family for each way to react.

    TertuliaError
    ├── UsageError      the caller asked for something that cannot be: ask otherwise
    ├── PeerError       the other side broke the rules: distrust what it sent
    ├── RefusedError    the relay said no, and why: change what it objects to
    ├── OfflineError    nobody there, or gone: try later, nothing is lost
    ├── VaultError      the local store is locked or damaged: open or mend it
    └── BugError        we broke a rule of our own: report it

Each error keeps its facts as attributes. `code` is stable and made for programs;
`str(error)` is an English sentence for logs. What a person reads is composed by the
faces, in that person's language, from the type, the code and the facts.
"""

from typing import ClassVar

from typing_extensions import override


class TertuliaError(Exception):
    """Anything that this package raises on purpose.

    A subclass names its facts in `sentence`, in braces, and sets them in `__init__`.
    """

    code: ClassVar[str] = "error"
    sentence: ClassVar[str] = ""

    @override
    def __str__(self) -> str:
        return self.sentence.format_map(vars(self)) or super().__str__()


class UsageError(TertuliaError):
    """The caller asked for something that cannot be done as asked."""

    code: ClassVar[str] = "usage"


class PeerError(TertuliaError):
    """The other side broke the rules of the protocol."""

    code: ClassVar[str] = "peer"


class RefusedError(TertuliaError):
    """The relay understood the request and said no."""

    code: ClassVar[str] = "refused"


class OfflineError(TertuliaError):
    """The other side cannot be reached now."""

    code: ClassVar[str] = "offline"


class VaultError(TertuliaError):
    """The local store is locked, damaged or of an unknown version."""

    code: ClassVar[str] = "vault"


class BugError(TertuliaError):
    """A rule of our own does not hold: a fault of this program."""

    code: ClassVar[str] = "bug"
