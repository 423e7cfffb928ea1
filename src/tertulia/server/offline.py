"""The operator's commands where no relay is running: the store is opened for one.

A running relay holds the store, so the two ways cannot meet: either it answers on its
control socket, or the store can be opened.
"""

import asyncio
import functools

from tertulia.relay import Effects, Relay
from tertulia.server.administration import Office, carry_out
from tertulia.server.backups import back_up
from tertulia.server.commands import Answer, AnyCommand
from tertulia.server.config import Config
from tertulia.server.control import ask_running_relay
from tertulia.server.engines import SqliteEngine
from tertulia.server.errors import NoRelayError, NotRunningError
from tertulia.server.folder import DataFolder
from tertulia.server.identity import load_identity
from tertulia.server.reach import find_reach
from tertulia.server.surroundings import Surroundings


def ask_relay(
    config: Config, surroundings: Surroundings, command: AnyCommand
) -> Answer:
    """Let the relay of this folder, running or not, carry a command out.

    Raises VaultError or UsageError.
    """
    folder = DataFolder(config.data)
    try:
        return ask_running_relay(folder.control_socket, command)
    except NotRunningError:
        if not folder.database.exists():
            raise NoRelayError(folder.path) from None
        return asyncio.run(_ask_store(config, surroundings, command))


async def _ask_store(
    config: Config, surroundings: Surroundings, command: AnyCommand
) -> Answer:
    folder = DataFolder(config.data)
    identity = load_identity(folder, surroundings.rng)
    engine = await SqliteEngine.open(folder.path, surroundings.rng)
    try:
        relay = Relay(engine, config.relay, identity, surroundings.rng)
        await relay.start()
        addresses = list(surroundings.addresses(config.listen.host))
        office = Office(
            relay,
            engine,
            config.relay,
            identity.public,
            find_reach(config, config.listen.port, addresses),
            surroundings.clock,
            surroundings.rng,
            functools.partial(back_up, folder, engine.backup),
            _nobody_is_connected,
        )
        return await carry_out(office, command)
    finally:
        await engine.close()


def _nobody_is_connected(_effects: Effects) -> None:
    """Drop what would be sent."""
