"""Every system the bench knows, by the name it is asked for."""

from typing import Final

from bench.relay.systems.irc import Inspircd, Ngircd
from bench.relay.systems.limits import LimitInC, LimitInPython
from bench.relay.systems.mosquitto import Mosquitto
from bench.relay.systems.nats import JetStream, Nats
from bench.relay.systems.system import System
from bench.relay.systems.tertulia import Tertulia
from bench.relay.systems.xmpp import Ejabberd, Prosody

SYSTEMS: Final[dict[str, System]] = {
    "tertulia": Tertulia(tls=False),
    "tertulia-tls": Tertulia(tls=True),
    "nats": Nats(),
    "jetstream": JetStream(synced=False),
    "jetstream-sync": JetStream(synced=True),
    "mosquitto-0": Mosquitto(quality=0),
    "mosquitto-1": Mosquitto(quality=1),
    "ngircd": Ngircd(),
    "inspircd": Inspircd(),
    "prosody": Prosody(),
    "ejabberd": Ejabberd(),
    "limit-c": LimitInC(),
    "limit-python": LimitInPython(),
}
