"""What a relay finds around itself, passed in by whoever starts it."""

from collections.abc import Callable
from dataclasses import dataclass, field

from tertulia.crypto import Rng, system_rng
from tertulia.server.clock import Clock, system_clock
from tertulia.server.logs import Log
from tertulia.server.reach import FindAddresses


@dataclass(frozen=True, slots=True)
class Surroundings:
    """Clock, chance, addresses, the log, a service manager."""

    addresses: FindAddresses
    clock: Clock = system_clock
    rng: Rng = system_rng
    log: Log = field(default_factory=Log)
    notify: Callable[[str], None] = lambda _state: None
