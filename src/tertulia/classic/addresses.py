"""Under which addresses others can reach a server on this machine.

A machine has one address per network it is in, and none of its own choosing: no call
returns "my address". So we ask in several ways and keep what is of use to others. A
loopback address (127.0.0.1, ::1) means "this machine" wherever it is read: it is never
given out.

This does not know what stands between the machines: an address listed here may still
be behind a firewall, or a private one that ends at the router.
"""

import contextlib
import ipaddress
import socket
import struct
import sys
from collections.abc import Iterator

EVERY_IPV4 = "0.0.0.0"  # noqa: S104 -- a server is here to be reached
EVERY_IPV6 = "::"

# Documentation addresses (RFC 5737, RFC 3849): nobody has them, yet routes lead there.
ELSEWHERE = {socket.AF_INET: "192.0.2.1", socket.AF_INET6: "2001:db8::1"}


def reachable_addresses(listening_on: str) -> list[str]:
    """Return the addresses others may use, the most likely first; perhaps none."""
    if listening_on == EVERY_IPV4:
        candidates = [*_candidates(socket.AF_INET)]
    elif listening_on == EVERY_IPV6:
        candidates = [*_candidates(socket.AF_INET), *_candidates(socket.AF_INET6)]
    else:
        candidates = [listening_on]
    return [address for address in dict.fromkeys(candidates) if _is_for_others(address)]


def _candidates(family: socket.AddressFamily) -> Iterator[str]:
    yield from _of_route_outwards(family)
    if family == socket.AF_INET and sys.platform == "linux":
        yield from _of_interfaces()
    else:
        yield from _of_own_name(family)


def _of_route_outwards(family: socket.AddressFamily) -> Iterator[str]:
    """Ask which address of ours a packet to the outside would carry."""
    with (
        contextlib.suppress(OSError),
        socket.socket(family, socket.SOCK_DGRAM) as probe,
    ):
        probe.connect((ELSEWHERE[family], 9))  # UDP: chooses a route, sends nothing
        yield probe.getsockname()[0]


def _of_interfaces() -> Iterator[str]:
    """Ask each network interface, which only Linux lets us do in a few lines.

    There the machine's own name often leads to a loopback address and nothing else.
    """
    import fcntl  # noqa: PLC0415 -- absent on Windows

    get_interface_address = 0x8915  # SIOCGIFADDR, netdevice(7)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        for _index, name in socket.if_nameindex():
            request = struct.pack("256s", name.encode())
            with contextlib.suppress(OSError):  # this one has no IPv4 address
                answer = fcntl.ioctl(probe, get_interface_address, request)
                yield socket.inet_ntoa(answer[20:24])


def _of_own_name(family: socket.AddressFamily) -> Iterator[str]:
    with contextlib.suppress(OSError):
        for *_rest, address in socket.getaddrinfo(socket.gethostname(), None, family):
            yield str(address[0])


def _is_for_others(text: str) -> bool:
    address = ipaddress.ip_address(text)
    # A link-local IPv6 address needs an interface name that differs on each machine.
    local = address.version == 6 and address.is_link_local
    return not (address.is_loopback or address.is_unspecified or local)
