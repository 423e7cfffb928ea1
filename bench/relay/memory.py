"""What costs before anybody says a word: starting, and idle connections."""

from dataclasses import dataclass
from statistics import median

from bench.relay.measuring import running
from bench.relay.systems.system import System


@dataclass(frozen=True)
class Idle:
    """Bytes and seconds of a system in which nothing happens."""

    system: str
    ready_after: float
    resident: int
    connections: int
    per_connection: float


def idle(system: System, connections: int, rounds: int, core: int | None) -> Idle:
    """Return how fast a system starts, and its memory without and with people."""
    ready = median(_ready_after(system, core) for _ in range(rounds))
    with running(system, core) as server:
        # What is loaded or allocated at the first use counts once.
        first = system.enter(server, range(10))
        alone = server.resident()
        links = system.enter(server, range(10, 10 + connections))
        grown = server.resident() - alone
        for link in (*first, *links):
            link.close()
        return Idle(system.name, ready, alone, connections, grown / connections)


def _ready_after(system: System, core: int | None) -> float:
    with running(system, core) as server:
        return server.ready_after
