"""From which address a request comes, for rates and bans.

The connection's peer, unless that is a proxy the operator named: then the last address
of X-Forwarded-For, which that proxy wrote itself. What stands before it, anybody could
have written.
"""

import ipaddress
from collections.abc import Collection

UNKNOWN = "unknown"


def plain_address(text: str) -> str:
    """Return an address in one spelling; IPv4 also where it came as IPv6."""
    try:
        address = ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        return UNKNOWN
    mapped = address.ipv4_mapped if address.version == 6 else None
    return str(mapped or address)


def client_address(
    peer: str, forwarded_for: str | None, proxies: Collection[str]
) -> str:
    """Return the address that counts."""
    if peer not in proxies or not forwarded_for:
        return peer
    last = plain_address(forwarded_for.rpartition(",")[2].strip())
    return peer if last == UNKNOWN else last
