"""A running relay: everything is put together here, and taken apart again.

Starting: folder, port, identity, store, certificate, tasks; then it is ready. Stopping:
nobody new is let in, everybody is told when to come back, what is on its way gets out,
the store is closed.
"""

import asyncio
import contextlib
import functools
import socket
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from importlib.resources import as_file, files
from typing import Final

from tertulia.crypto import KeyPair
from tertulia.errors import TertuliaError
from tertulia.relay import Relay, Settings
from tertulia.server.administration import Office, create_invite
from tertulia.server.backups import back_up
from tertulia.server.commands import CreateInvite
from tertulia.server.config import Config
from tertulia.server.control import (
    METRICS_PATH,
    ControlSite,
    MetricsSite,
    listen_for_metrics,
    listen_for_owner,
)
from tertulia.server.engines import SqliteEngine
from tertulia.server.folder import DataFolder
from tertulia.server.identity import (
    TlsFiles,
    certificate_names,
    fingerprint,
    given_certificate,
    load_identity,
    own_certificate,
    tls_context,
    utc,
)
from tertulia.server.listener import Gate, Listener, open_sockets
from tertulia.server.metrics import exposition
from tertulia.server.open_files import SPARE, connections_that_fit
from tertulia.server.reach import Reach, find_reach
from tertulia.server.shell import Shell
from tertulia.server.site import PublicSite, RedirectSite
from tertulia.server.static_files import StaticFile, load_static_files
from tertulia.server.surroundings import Surroundings
from tertulia.server.switchboard import Switchboard
from tertulia.server.web_origin import OriginRules, origin_rules

TICK: Final = 0.2  # seconds; joiners' turns and markers are measured in seconds
SWEEP: Final = 3600.0
STOP_TIME: Final = 5.0  # for what is on its way when we stop
RETRY_AFTER: Final = 2_000  # milliseconds after which clients come back, at least
# And for each of them: a return costs over a millisecond, and they come within twice
# this time. All at once would wait longer than they have patience.
RETRY_AFTER_EACH: Final = 2


@dataclass(frozen=True, slots=True)
class Ready:
    """What there is to say once connections are accepted."""

    reach: Reach
    port: int
    fingerprint: str
    metrics: str
    owner_invite: str | None


async def serve(
    config: Config,
    surroundings: Surroundings,
    announce: Callable[[Ready], None],
    stop: asyncio.Event,
) -> None:
    """Run a relay until `stop` is set.

    Raises UsageError or VaultError if it cannot start.
    """
    folder = DataFolder(config.data)
    folder.prepare()
    sockets = open_sockets(config.listen)
    try:
        identity = load_identity(folder, surroundings.rng)
        engine = await SqliteEngine.open(folder.path, surroundings.rng)
    except BaseException:
        _close(sockets)
        raise
    try:
        running = _RelayServer(config, surroundings, folder, engine, identity)
        await running.run(sockets, announce, stop)
    finally:
        _close(sockets)
        await engine.close()


def _close(sockets: list[socket.socket]) -> None:
    for listening in sockets:
        listening.close()


@dataclass(slots=True)
class _RelayServer:
    """The parts that are made before the first connection."""

    config: Config
    surroundings: Surroundings
    folder: DataFolder
    engine: SqliteEngine
    identity: KeyPair

    async def run(
        self,
        sockets: list[socket.socket],
        announce: Callable[[Ready], None],
        stop: asyncio.Event,
    ) -> None:
        """Serve until `stop` is set."""
        config, surroundings = self.config, self.surroundings
        port = sockets[0].getsockname()[1]
        addresses = list(surroundings.addresses(config.listen.host))
        reach = find_reach(config, port, addresses)
        tls = self._tls(addresses)
        context = tls_context(tls) if tls else None
        settings = replace(config.relay, certificate=tls.key_hash if tls else b"")
        relay = Relay(self.engine, settings, self.identity, surroundings.rng)
        await relay.start()
        async with asyncio.TaskGroup() as group:
            shell = Shell(group, surroundings.clock, surroundings.log)
            switchboard = Switchboard(relay, shell)
            self.engine.listen(
                lambda changes: switchboard.carry_out(relay.fan_out(changes))
            )
            office = self._office(relay, settings, reach, switchboard)
            listener = self._listener(shell, switchboard, context)
            async with self._control(shell, office) as metrics:
                listener.start(sockets, context)
                duties = _start_duties(group, shell, switchboard)
                announce(await self._ready(office, port, metrics))
                surroundings.notify("READY=1")
                shell.log.info("started", port=port, tls=context is not None)
                await stop.wait()
                surroundings.notify("STOPPING=1")
                shell.log.info("stopping", connections=shell.connections)
                listener.stop()
                switchboard.carry_out(relay.shut_down(retry_after(shell.connections)))
                await shell.drain(STOP_TIME)
            for duty in duties:
                duty.cancel()
        shell.log.info("stopped")

    def _tls(self, addresses: list[str]) -> TlsFiles | None:
        config, surroundings = self.config, self.surroundings
        if config.http:
            return None
        if config.certificate is not None:
            return given_certificate(
                config.certificate.certificate, config.certificate.key
            )
        names = certificate_names(config.web.names, addresses)
        now = utc(surroundings.clock())
        return own_certificate(self.folder, names, now, surroundings.rng)

    def _office(
        self, relay: Relay, settings: Settings, reach: Reach, switchboard: Switchboard
    ) -> Office:
        return Office(
            relay,
            self.engine,
            settings,
            self.identity.public,
            reach,
            self.surroundings.clock,
            self.surroundings.rng,
            functools.partial(back_up, self.folder, self.engine.backup),
            switchboard.carry_out,
        )

    def _listener(
        self, shell: Shell, switchboard: Switchboard, context: ssl.SSLContext | None
    ) -> Listener:
        config = self.config
        rules = host_rules(config)
        site = PublicSite(config, rules, switchboard, static_files())
        redirect = RedirectSite(rules) if context else None
        limit = connections_that_fit(config.bounds.connections)
        if limit + SPARE < config.bounds.connections:
            shell.log.info("too_few_open_files", connections=limit)
        gate = Gate(limit, self._admits(switchboard))
        return Listener(shell, gate, site, redirect)

    def _admits(self, switchboard: Switchboard) -> Callable[[str], bool]:
        relay, clock = switchboard.relay, switchboard.shell.clock
        proxies = self.config.web.proxies  # who stands for everybody
        return lambda address: address in proxies or relay.may_arrive(address, clock())

    @contextlib.asynccontextmanager
    async def _control(self, shell: Shell, office: Office) -> AsyncIterator[str]:
        """Listen for the operator; yield where the metrics are."""
        metrics = MetricsSite(functools.partial(_expose, shell, office))
        path = self.folder.control_socket
        servers: list[asyncio.AbstractServer] = []
        where = f"unix:{path}"
        try:
            owner = await listen_for_owner(shell, path, ControlSite(office, metrics))
            if owner is not None:
                servers.append(owner)
            if self.config.metrics is not None:
                server, port = await listen_for_metrics(
                    shell, self.config.metrics, metrics
                )
                servers.append(server)
                host = self.config.metrics.host
                shown = f"[{host}]" if ":" in host else host
                where = f"http://{shown}:{port}{METRICS_PATH}"
            yield where
        finally:
            for running in servers:
                running.close()
            with contextlib.suppress(OSError):
                path.unlink()

    async def _ready(self, office: Office, port: int, metrics: str) -> Ready:
        return Ready(
            office.reach,
            port,
            fingerprint(self.identity.public),
            metrics,
            await self._owner_invite(office),
        )

    async def _owner_invite(self, office: Office) -> str | None:
        """Make the first start's invite: nobody is here yet, and nobody was asked."""
        if (await self.engine.usage()).accounts or await self.engine.server_invites():
            return None
        return await create_invite(office, CreateInvite(uses=1, makes_owner=True))


def retry_after(connections: int) -> int:
    """Return after how many milliseconds so many clients may come back."""
    return max(RETRY_AFTER, RETRY_AFTER_EACH * connections)


def host_rules(config: Config) -> OriginRules:
    """Return under which hosts and origins this relay is known."""
    own = socket.gethostname().lower()
    hosts = [
        origin.partition("://")[2].partition(":")[0] for origin in config.web.origins
    ]
    names = (*config.web.names, *hosts, own, f"{own.partition('.')[0]}.local")
    return origin_rules(names, config.web.origins, http=config.http)


def static_files() -> Mapping[str, StaticFile]:
    """Return the browser client's files, as they are built into the package."""
    with as_file(files("tertulia") / "static") as folder:
        return load_static_files(folder) if folder.is_dir() else {}


async def _expose(shell: Shell, office: Office) -> str:
    usage = await office.engine.usage()
    return exposition(shell.metrics, office.relay.counts(), usage)


def _start_duties(
    group: asyncio.TaskGroup, shell: Shell, switchboard: Switchboard
) -> list[asyncio.Task[None]]:
    """Start what runs as long as the relay does."""
    relay, clock = switchboard.relay, shell.clock

    async def tick() -> None:
        switchboard.carry_out(await relay.tick(clock()))

    async def sweep() -> None:
        removed = await relay.sweep(clock())
        shell.log.info("swept", entries=removed.entry_blobs, blobs=removed.blobs)

    async def watch() -> None:
        shell.expire_late()

    return [
        group.create_task(_repeat(shell, TICK, tick)),
        group.create_task(_repeat(shell, SWEEP, sweep)),
        group.create_task(_repeat(shell, 1.0, watch)),
    ]


async def _repeat(
    shell: Shell, pause: float, duty: Callable[[], Awaitable[None]]
) -> None:
    """Do a duty again and again; when it fails, say so and go on."""
    while True:
        await asyncio.sleep(pause)
        try:
            await duty()
        except TertuliaError as error:
            shell.log.warning("duty_failed", code=error.code, reason=error)
        except Exception as error:  # noqa: BLE001 -- the relay goes on
            shell.report("duty_failed", error)
