"""Every system the bench knows, by the name it is asked for."""

from typing import Final

from bench.relay.systems.system import System
from bench.relay.systems.tertulia import Tertulia

SYSTEMS: Final[dict[str, System]] = {
    "tertulia": Tertulia(tls=False),
    "tertulia-tls": Tertulia(tls=True),
}
