"""Everything an operator may choose, read once by the command line, frozen here."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from tertulia.relay import Settings

DEFAULT_PORT: Final = 8000  # as in the origin
DEFAULT_SEND_QUEUE: Final = 4 * 1024 * 1024
DEFAULT_SEND_MEMORY: Final = 512 * 1024 * 1024
UNFINISHED_MEMORY: Final = 256 * 1024 * 1024  # as many messages of 1 MiB come at once
DEFAULT_CONNECTIONS: Final = 20_000


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A host and a port to listen on; an empty host means all addresses."""

    host: str
    port: int


@dataclass(frozen=True, slots=True)
class Certificate:
    """A certificate the operator brings, and its key."""

    certificate: Path
    key: Path


@dataclass(frozen=True, slots=True)
class WebRules:
    """Under which names browsers may come, and through which proxies."""

    names: tuple[str, ...] = ()
    origins: tuple[str, ...] = ()
    proxies: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Bounds:
    """How much the shell holds at most; more is refused or cut off."""

    connections: int = DEFAULT_CONNECTIONS
    send_queue: int = DEFAULT_SEND_QUEUE
    send_memory: int = DEFAULT_SEND_MEMORY
    unfinished_memory: int = UNFINISHED_MEMORY


@dataclass(frozen=True, slots=True)
class Config:
    """One relay."""

    data: Path
    listen: Endpoint = Endpoint("", DEFAULT_PORT)
    http: bool = False
    certificate: Certificate | None = None
    metrics: Endpoint | None = None
    web: WebRules = field(default_factory=WebRules)
    bounds: Bounds = field(default_factory=Bounds)
    relay: Settings = field(default_factory=Settings)
    log_addresses: bool = False
