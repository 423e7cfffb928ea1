"""The one place of the command line where an error becomes words and an exit code.

Every error is told in three sentences: what happened, what is safe, what to do next.
The most specific class that is registered speaks, then the code if it has words of its
own (`client_words`), and the families answer for the rest.
"""

from dataclasses import dataclass, replace
from enum import IntEnum
from functools import singledispatch
from typing import Final, assert_never

from typing_extensions import override

from tertulia.classic import (
    CannotListenError,
    PortInUseError,
    ServerGoneError,
    UnreachableError,
)
from tertulia.cli.client_words import words_for
from tertulia.cli.errors import RelayNotStartedError
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
    TERMINATED = 143  # 128 + SIGTERM


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


def describe(error: TertuliaError) -> Words:
    """Return the words for `error`, in the language in use."""
    words = _describe(error)
    if _describe.dispatch(type(error)) not in _FAMILIES:
        return words
    told = words_for(error)
    return words if told is None else replace(words, **told._asdict())


@singledispatch
def _describe(error: TertuliaError) -> Words:
    return Words(
        happened=_("Something went wrong: {error}").format(error=error),
        safe="",
        next="",
        exit_code=ExitCode.BUG,
    )


@_describe.register
def _usage(error: UsageError) -> Words:
    return Words(
        happened=_("That cannot be done: {error}").format(error=error),
        safe=_("Nothing was changed."),
        next=_("`tertulia --help` shows what can be asked."),
        exit_code=ExitCode.USAGE,
    )


@_describe.register
def _peer(error: PeerError) -> Words:
    return Words(
        happened=_("The other side broke the rules: {error}").format(error=error),
        safe=_("What it sent was not used; what you have is unharmed."),
        next=_("If it goes on, tell the person who runs that side."),
        exit_code=ExitCode.PROTOCOL,
    )


@_describe.register
def _refused(error: RefusedError) -> Words:
    return Words(
        happened=_("The server said no: {error}").format(error=error),
        safe=_("Nothing was changed."),
        next=_("Ask the person who runs the server."),
        exit_code=ExitCode.REFUSED,
    )


@_describe.register
def _offline(error: OfflineError) -> Words:
    return Words(
        happened=_("Nobody can be reached: {error}").format(error=error),
        safe=_("Nothing was lost."),
        next=_("Check the network and try again."),
        exit_code=ExitCode.UNAVAILABLE,
    )


@_describe.register
def _vault(error: VaultError) -> Words:
    return Words(
        happened=_("The local store cannot be used: {error}").format(error=error),
        safe=_("It was not changed."),
        next=_("Keep a copy of it before you try anything."),
        exit_code=ExitCode.STORE,
    )


@_describe.register
def _bug(error: BugError) -> Words:
    return Words(
        happened=_("Tertulia broke a rule of its own: {error}").format(error=error),
        safe=_("What was stored before is unharmed."),
        next=_("Please report it; SECURITY.md and README.md say where."),
        exit_code=ExitCode.BUG,
    )


# Those that answer for the rest.
_FAMILIES: Final = frozenset({_usage, _peer, _refused, _offline, _vault, _bug})


@_describe.register
def _port_in_use(error: PortInUseError) -> Words:
    return Words(
        happened=_("Port {port} is already in use by another program.").format(
            port=error.port
        ),
        safe=_("Nothing was started; the other program goes on."),
        next=_("Stop the other server, or choose another port: --port 8001."),
        exit_code=ExitCode.USAGE,
    )


@_describe.register
def _cannot_listen(error: CannotListenError) -> Words:
    match error.reason:
        case "forbidden":
            happened = _("This system does not let you listen on port {port}.")
            advice = _("Choose a port above 1023: --port 8000.")
        case "not-here":
            happened = _("{host} is not an address of this machine.")
            advice = _("Leave --host out to listen on all addresses.")
        case "failed":
            happened = _(
                "The system refused to listen on {host}, port {port}: {cause}."
            )
            advice = _("Try another address or port.")
        case reason:
            assert_never(reason)
    return Words(
        happened=happened.format(
            host=error.host, port=error.port, cause=_cause_of(error)
        ),
        safe=_("Nothing was started."),
        next=advice,
        exit_code=ExitCode.USAGE,
    )


def _cause_of(error: TertuliaError) -> str:
    """Return the operating system's own word for what is behind `error`."""
    cause = error.__cause__
    return str((isinstance(cause, OSError) and cause.strerror) or cause)


@_describe.register
def _unreachable(error: UnreachableError) -> Words:
    match error.reason:
        case "refused":
            happened = _(
                "{host} answers, but no server listens on port {port}, or a firewall "
                "refuses it."
            )
            advice = _(
                "Check that the server runs, that the address and port are the ones it "
                "shows, and that its firewall lets port {port} in."
            )
        case "no-answer":
            happened = _("{host} does not answer on port {port}.")
            advice = _(
                "Most often a firewall on the server's machine blocks the port: let "
                "port {port} in. Check too that both machines are in the same network."
            )
        case "unknown-name":
            happened = _("No machine called {host} was found.")
            advice = _("Type the IP that the server shows when it starts.")
        case "no-route":
            happened = _("There is no way from this network to {host}.")
            advice = _(
                "Check the network and the address; a firewall can cause this too."
            )
        case reason:
            assert_never(reason)
    return Words(
        happened=happened.format(host=error.host, port=error.port),
        safe=_("Nothing was sent."),
        next=advice.format(port=error.port),
        exit_code=ExitCode.UNAVAILABLE,
    )


@_describe.register
def _server_gone(error: ServerGoneError) -> Words:
    return Words(
        happened=_(
            "The server at {host}, port {port}, has ended the conversation."
        ).format(host=error.host, port=error.port),
        safe=_(
            "What you had read stays on your screen; a line sent in the last moment "
            "may not have arrived."
        ),
        next=_("Ask for the server to be started again, and join again."),
        exit_code=ExitCode.UNAVAILABLE,
    )


@_describe.register
def _relay_not_started(error: RelayNotStartedError) -> Words:
    return Words(error.happened, error.safe, error.next, ExitCode(error.exit_code))
