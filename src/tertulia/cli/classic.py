"""`tertulia classic`: the chat this project grew from, as a server and a client.

Reads the arguments, asks for what is missing, and leaves the work to the package of the
same name. Its lines in Spanish are, to the letter, those of the first programs.
"""

import argparse
import io
import signal
import sys
from types import FrameType

from tertulia.cli.own_command import own_command
from tertulia.l10n import _


def add_parser(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add `classic` with its sub-commands to `commands`."""
    parser = commands.add_parser(
        "classic",
        help=_("the chat this project grew from (it protects nothing)"),
        description=_(
            "The chat this project grew from: one server, a Caesar cipher, no "
            "protection at all. Without a sub-command it starts the server."
        ),
    )
    parser.set_defaults(run=run_server, host=None, port=None, hint=True)
    roles = parser.add_subparsers(title=_("commands"), metavar=_("COMMAND"))
    _add_server(roles)
    _add_client(roles)


def _add_server(roles: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    words = _("start a server, which passes messages on and reads none")
    parser = roles.add_parser("server", help=words, description=words)
    parser.add_argument(
        "--host",
        metavar=_("HOST"),
        help=_(
            "address to listen on (all IPv4 addresses of this machine if not given)"
        ),
    )
    parser.add_argument(
        "--port",
        type=_port,
        metavar=_("PORT"),
        help=_("port to listen on (8000 if not given; 0 lets the system choose)"),
    )
    parser.set_defaults(run=run_server, hint=False)


def _add_client(roles: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    words = _("join a server and talk; FIN leaves")
    parser = roles.add_parser("client", help=words, description=words)
    parser.add_argument(
        "--host",
        metavar=_("HOST"),
        help=_("address of the server (asked if not given)"),
    )
    parser.add_argument(
        "--port",
        type=_port,
        metavar=_("PORT"),
        help=_("port of the server (8000 if not given)"),
    )
    parser.add_argument(
        "--name", metavar=_("NAME"), help=_("your user name (asked if not given)")
    )
    parser.add_argument(
        "--key",
        type=_key,
        metavar=_("KEY"),
        help=_("places that each letter moves in the alphabet (10 if not given)"),
    )
    parser.set_defaults(run=run_client)


def _port(text: str) -> int:
    if not text.isascii() or not text.isdigit() or int(text) > 65535:
        raise argparse.ArgumentTypeError(
            _("{text} is not a port: a number from 0 to 65535").format(text=repr(text))
        )
    return int(text)


def _key(text: str) -> int:
    try:
        return int(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(
            _("{text} is not a key: a whole number").format(text=repr(text))
        ) from error


def run_server(arguments: argparse.Namespace) -> int:
    """Serve until Ctrl-C or SIGTERM. Raises PortInUseError, CannotListenError."""
    from tertulia.classic import DEFAULT_PORT, EVERY_IPV4, Log, Server, listen

    _tolerate_narrow_output()
    port = DEFAULT_PORT if arguments.port is None else arguments.port
    listener = listen(arguments.host or EVERY_IPV4, port)
    log = Log()
    server = Server(listener, log.say)

    def stop(_signal: int, _frame: FrameType | None) -> None:
        server.stop()

    # SIGINT too: a shell starts background programs with Ctrl-C switched off.
    signal.signal(signal.SIGINT, stop)
    signal.signal(signal.SIGTERM, stop)
    for line in _welcome(*listener.getsockname()[:2], hint=arguments.hint):
        log.say(line)
    server.serve()
    log.say(_("The server has stopped."))
    return 0


def _welcome(listening_on: str, port: int, *, hint: bool) -> list[str]:
    from tertulia.classic import (
        DEFAULT_PORT,
        EVERY_IPV4,
        EVERY_IPV6,
        reachable_addresses,
    )

    everywhere = listening_on in {EVERY_IPV4, EVERY_IPV6}
    for_others = reachable_addresses(listening_on)
    here = "127.0.0.1" if everywhere else listening_on
    best, *others = for_others or [here]
    lines = [_("The server is at: {ip}").format(ip=best)]
    if not for_others:
        lines.append(_("Only programs on this machine can reach that address."))
    if others:
        listed = ", ".join(others)
        lines.append(
            _("Other addresses of this machine: {addresses}").format(addresses=listed)
        )
    if port != DEFAULT_PORT:
        lines.append(_("Port: {port}").format(port=port))
    if hint:
        command = f"{own_command()} classic client --host {best}"
        lines.append(_("Others join with: {command}").format(command=command))
    return [*lines, _("Waiting for clients to connect...")]


def run_client(arguments: argparse.Namespace) -> int:
    """Talk until the person leaves. Raises UnreachableError, ServerGoneError."""
    from tertulia.classic import (
        DEFAULT_KEY,
        DEFAULT_PORT,
        Client,
        connect,
        open_terminal,
    )

    _tolerate_narrow_output()
    port = DEFAULT_PORT if arguments.port is None else arguments.port
    key = DEFAULT_KEY if arguments.key is None else arguments.key
    terminal = open_terminal()
    try:
        host = arguments.host or terminal.ask(_("Type the server's IP: "))
        name = arguments.name or terminal.ask(_("Type your user name: "))
        Client(connect(host, port), name, key, terminal).run()
    except (EOFError, KeyboardInterrupt):  # at a question, or on the way in or out
        print()
    return 0


def _tolerate_narrow_output() -> None:
    """Show a question mark for what the terminal's encoding cannot."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")
