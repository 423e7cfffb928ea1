"""What is counted as one place, for rates and limits.

Who has an IPv6 address has a whole network of them, and could come from another one
each time.
"""

import ipaddress


def neighbourhood(address: str) -> str:
    """Return what is counted as one place: an IPv4 address, an IPv6 /64."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return address
    if parsed.version == 4:
        return address
    return str(ipaddress.ip_network((parsed, 64), strict=False))
