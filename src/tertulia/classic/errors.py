"""What can go wrong between a classic server and its clients, as facts.

The sentences here are for logs. What a person reads, in that person's language and
with advice, is composed by the command line from the class, `reason` and the facts.
"""

from typing import ClassVar, Literal

from tertulia.errors import OfflineError, UsageError

ListenReason = Literal["forbidden", "not-here", "failed"]
ConnectReason = Literal["refused", "no-answer", "unknown-name", "no-route"]


class PortInUseError(UsageError):
    """Another program listens on the port that the server wants."""

    code: ClassVar[str] = "port-in-use"

    def __init__(self, host: str, port: int) -> None:
        super().__init__(f"port {port} on {host} is in use")
        self.host = host
        self.port = port


class CannotListenError(UsageError):
    """The system does not let the server listen on this address and port.

    `reason` is "forbidden" (the port needs an administrator), "not-here" (the address
    is not one of this machine) or "failed" (anything else).
    """

    code: ClassVar[str] = "cannot-listen"

    def __init__(self, host: str, port: int, reason: ListenReason) -> None:
        super().__init__(f"cannot listen on {host} port {port}: {reason}")
        self.host = host
        self.port = port
        self.reason = reason


class UnreachableError(OfflineError):
    """No classic server answers at this address and port.

    `reason` is "refused" (the machine is there, the server is not), "no-answer" (the
    usual sign of a firewall), "unknown-name" or "no-route".
    """

    code: ClassVar[str] = "unreachable"

    def __init__(self, host: str, port: int, reason: ConnectReason) -> None:
        super().__init__(f"cannot reach {host} port {port}: {reason}")
        self.host = host
        self.port = port
        self.reason = reason


class ServerGoneError(OfflineError):
    """The server ended the conversation, or the connection to it broke."""

    code: ClassVar[str] = "server-gone"

    def __init__(self, host: str, port: int) -> None:
        super().__init__(f"the server at {host} port {port} is gone")
        self.host = host
        self.port = port
