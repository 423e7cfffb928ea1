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


def idle(system: System, connections: int, core: int | None) -> Idle:
    """Return what a system has in memory alone, and with people signed in."""
    with running(system, core) as server:
        first = system.enter(server, 0)  # what is loaded at the first use, counts once
        alone = server.resident()
        links = [system.enter(server, number + 1) for number in range(connections)]
        grown = server.resident() - alone
        for link in (first, *links):
            link.close()
        return Idle(
            system.name, server.ready_after, alone, connections, grown / connections
        )


def ready_after(system: System, rounds: int, core: int | None) -> float:
    """Return the seconds from its start to accepting connections, as a median."""
    times = []
    for _ in range(rounds):
        with running(system, core) as server:
            times.append(server.ready_after)
    return median(times)
