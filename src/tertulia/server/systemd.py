"""Tell a service manager how we are, as sd_notify(3) has it; silence without one."""

import contextlib
import socket


def notify(address: str | None, state: str) -> None:
    """Send `state` ("READY=1", "STOPPING=1") to the manager's socket, if there is one.

    `address` is what $NOTIFY_SOCKET said. A manager that does not listen is no reason
    to stop, so nothing is raised.
    """
    if not address:
        return
    if address.startswith("@"):  # Linux's abstract names
        address = "\0" + address[1:]
    with (
        contextlib.suppress(OSError),
        socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as channel,
    ):
        channel.connect(address)
        channel.send(state.encode())
