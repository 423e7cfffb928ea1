"""`tertulia serve`: starts a relay and says how others reach it."""

import argparse
import asyncio
import gc
import json
import os
import signal
import sys
from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING

from tertulia.cli.options import add_options
from tertulia.cli.relay_options import read_config, relay_options
from tertulia.l10n import _

if TYPE_CHECKING:
    from tertulia.server import Config, Ready

LINE_VERSION = 1


def add_parser(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add `serve` to `commands`."""
    parser = commands.add_parser(
        "serve",
        help=_("start a relay: the machine in the middle, which cannot read"),
        description=_(
            "Start a relay. It passes on and keeps what members write, and cannot read "
            "it. Everything it keeps is in one folder; the first start makes it."
        ),
    )
    parser.add_argument(
        "--config",
        metavar=_("FILE"),
        help=_("TOML file with these options, by the same names"),
    )
    parser.add_argument(
        "--json",
        action="store_true",
        help=_("say what there is to say as one line of JSON"),
    )
    add_options(parser, relay_options())
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Serve until Ctrl-C or SIGTERM; raise UsageError or VaultError."""
    from tertulia.server import Log, Surroundings, notify, serve, write_logs_to

    os.umask(0o077)  # whatever is written from here on is for its owner only
    config, level = read_config(arguments, os.environ)
    write_logs_to(sys.stderr, level)
    surroundings = Surroundings(
        addresses=find_addresses,
        log=Log(with_addresses=config.log_addresses),
        notify=partial(notify, os.environ.get("NOTIFY_SOCKET")),
    )
    tell = _tell_program if arguments.json else _tell_person

    async def until_told() -> None:
        stop = asyncio.Event()
        _stop_on_signal(stop)
        await serve(config, surroundings, partial(tell, config), stop)

    _collect_rarely()
    _take_turns()
    with asyncio.Runner(loop_factory=_loop_factory()) as runner:
        runner.run(until_told())
    return 0


def _collect_rarely() -> None:
    """Let the garbage collector look for cycles less often, and not at the modules.

    Nearly all that a relay makes goes by its reference count. By the defaults, looking
    at thousands of sessions again and again was a fifth of its work.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 20)


def _take_turns() -> None:
    """Let the threads that make pages and commits give way ten times sooner.

    By default a thread computes for 5 ms before another one may; who talks in a room
    then waits for who catches up with another.
    """
    sys.setswitchinterval(0.0005)


def find_addresses(host: str) -> Sequence[str]:
    """Return the addresses of use to others when `host` ("" for all) is listened on."""
    from tertulia.classic import EVERY_IPV6, reachable_addresses

    try:
        return reachable_addresses(host or EVERY_IPV6)
    except ValueError:  # a name, not an address: it is what others use
        return [] if host == "localhost" else [host]


def _loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    try:
        import uvloop
    except ImportError:  # Windows has none
        return None
    return uvloop.new_event_loop


def _stop_on_signal(stop: asyncio.Event) -> None:
    loop = asyncio.get_running_loop()

    def stop_gently(number: signal.Signals) -> None:
        stop.set()
        loop.remove_signal_handler(number)  # the second one is not gentle

    for number in (signal.SIGINT, signal.SIGTERM):
        try:
            loop.add_signal_handler(number, stop_gently, number)
        except NotImplementedError:  # Windows: Ctrl-C ends the loop instead
            return


def _tell_program(config: "Config", ready: "Ready") -> None:
    line = {
        "event": "ready",
        "v": LINE_VERSION,
        "url": ready.reach.url,
        "urls": [ready.reach.url, *ready.reach.others],
        "port": ready.port,
        "fingerprint": ready.fingerprint,
        "data": str(config.data),
        "metrics": ready.metrics,
        "owner_invite": ready.owner_invite,
    }
    print(json.dumps(line), flush=True)


def _tell_person(config: "Config", ready: "Ready") -> None:
    for line in welcome(config, ready):
        print(line)
    sys.stdout.flush()


def welcome(config: "Config", ready: "Ready") -> list[str]:
    """Return what a person is told when the relay has started."""
    lines = [_("The relay is at: {url}").format(url=ready.reach.url)]
    if not ready.reach.is_for_others:
        lines.append(_("Only programs on this machine can reach that address."))
    if ready.reach.others:
        others = ", ".join(ready.reach.others)
        lines.append(_("It can also be reached at: {urls}").format(urls=others))
    lines.append(
        _("Its identity: {fingerprint}").format(
            fingerprint=in_groups(ready.fingerprint)
        )
    )
    lines.append(
        _(
            "Kept in {folder}: who is in which room, sizes, times and sealed messages. "
            "Not kept, because never seen: names, texts, files."
        ).format(folder=config.data)
    )
    if config.http:
        lines.append(
            _(
                "WARNING: no TLS. Messages stay sealed, but whoever is in between sees "
                "who talks when, and can replace the page that browsers load. Use this "
                "only behind a proxy that has TLS, or in a network you trust."
            )
        )
    if ready.owner_invite is not None:
        lines += [
            _("You are the first. Make your account with this link, which works once:"),
            ready.owner_invite,
        ]
    lines.append(_("Ctrl-C stops the relay."))
    return lines


def in_groups(fingerprint: str) -> str:
    """Return hexadecimal digits in groups of four, for people to compare."""
    return " ".join(
        fingerprint[start : start + 4] for start in range(0, len(fingerprint), 4)
    )
