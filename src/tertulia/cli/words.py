"""The one place of the command line where an error becomes words and an exit code.

Every error is told in three sentences: what happened, what is safe, what to do next.
The most specific class that is registered speaks; the families answer for the rest.
"""

from dataclasses import dataclass
from enum import IntEnum
from functools import singledispatch

from typing_extensions import override

from tertulia.errors import (
    BugError,
    OfflineError,
    PeerError,
    RefusedError,
    TertuliaError,
    UsageError,
    VaultError,
)
from tertulia.l10n import _


class ExitCode(IntEnum):
    """What the process tells its caller; above 2 as in BSD's sysexits(3)."""

    OK = 0
    USAGE = 2  # as argparse has it
    UNAVAILABLE = 69  # EX_UNAVAILABLE: nobody there, try later
    BUG = 70  # EX_SOFTWARE
    STORE = 74  # EX_IOERR
    PROTOCOL = 76  # EX_PROTOCOL: the other side broke the rules
    REFUSED = 77  # EX_NOPERM
    INTERRUPTED = 130  # 128 + SIGINT, as shells have it


@dataclass(frozen=True, slots=True)
class Words:
    """What a person is told about an error."""

    happened: str
    safe: str
    next: str
    exit_code: ExitCode

    @override
    def __str__(self) -> str:
        return "\n".join(line for line in (self.happened, self.safe, self.next) if line)


@singledispatch
def describe(error: TertuliaError) -> Words:
    """Return the words for `error`, in the language in use."""
    return Words(
        happened=_("Something went wrong: {error}").format(error=error),
        safe="",
        next="",
        exit_code=ExitCode.BUG,
    )


@describe.register
def _usage(error: UsageError) -> Words:
    return Words(
        happened=_("That cannot be done: {error}").format(error=error),
        safe=_("Nothing was changed."),
        next=_("`tertulia --help` shows what can be asked."),
        exit_code=ExitCode.USAGE,
    )


@describe.register
def _peer(error: PeerError) -> Words:
    return Words(
        happened=_("The other side broke the rules: {error}").format(error=error),
        safe=_("What it sent was not used; what you have is unharmed."),
        next=_("If it goes on, tell the person who runs that side."),
        exit_code=ExitCode.PROTOCOL,
    )


@describe.register
def _refused(error: RefusedError) -> Words:
    return Words(
        happened=_("The server said no: {error}").format(error=error),
        safe=_("Nothing was changed."),
        next=_("Ask the person who runs the server."),
        exit_code=ExitCode.REFUSED,
    )


@describe.register
def _offline(error: OfflineError) -> Words:
    return Words(
        happened=_("Nobody can be reached: {error}").format(error=error),
        safe=_("Nothing was lost."),
        next=_("Check the network and try again."),
        exit_code=ExitCode.UNAVAILABLE,
    )


@describe.register
def _vault(error: VaultError) -> Words:
    return Words(
        happened=_("The local store cannot be used: {error}").format(error=error),
        safe=_("It was not changed."),
        next=_("Keep a copy of it before you try anything."),
        exit_code=ExitCode.STORE,
    )


@describe.register
def _bug(error: BugError) -> Words:
    return Words(
        happened=_("Tertulia broke a rule of its own: {error}").format(error=error),
        safe=_("What was stored before is unharmed."),
        next=_("Please report it; SECURITY.md and README.md say where."),
        exit_code=ExitCode.BUG,
    )
