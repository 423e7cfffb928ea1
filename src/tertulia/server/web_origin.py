"""Which browsers may talk to this relay: judged by the Host and Origin they name.

- *Host.* A page of a stranger can make its own name lead to our address (DNS
  rebinding); the browser then treats us as that page's server. So a name must be one of
  ours. An address is always fine: it cannot be made to lead elsewhere.
- *Origin.* Browsers let any page open a WebSocket to anywhere, and say which page it
  was. It must be a page of ours. Programs other than browsers send no Origin.
"""

import ipaddress
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

DEFAULT_PORTS: Final = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True)
class Authority:
    """A host, in lower case and without brackets, and a port if one was named."""

    host: str
    port: int | None


def parse_authority(text: str) -> Authority | None:
    """Return what a Host header names; None if it names nothing sensible."""
    if not text.isascii() or not text.isprintable() or set(text) & set("/\\@?# "):
        return None
    try:
        parts = urlsplit(f"//{text}")
        host, port = parts.hostname, parts.port
    except ValueError:
        return None
    return Authority(host.rstrip("."), port) if host else None


@dataclass(frozen=True, slots=True)
class OriginRules:
    """What this relay answers to."""

    names: frozenset[str]
    origins: frozenset[str]
    schemes: frozenset[str]

    def knows(self, authority: Authority) -> bool:
        """Tell whether a request for this host can be meant for us."""
        return is_address(authority.host) or authority.host in self.names

    def allows(self, origin: str, authority: Authority) -> bool:
        """Tell whether a page of `origin` may connect to us as `authority`."""
        if origin in self.origins:
            return True
        scheme, separator, rest = origin.partition("://")
        page = parse_authority(rest) if separator else None
        if page is None or scheme not in self.schemes:
            return False
        # Behind a proxy we see neither its scheme nor its port: only one may be in use.
        return page.host == authority.host and _port(page, scheme) in {
            _port(authority, known) for known in self.schemes
        }


def origin_rules(
    names: Iterable[str], origins: Iterable[str], *, http: bool
) -> OriginRules:
    """Return the rules for a relay that has these names besides its addresses."""
    return OriginRules(
        frozenset({"localhost", *(name.lower().rstrip(".") for name in names)}),
        frozenset(origin.lower().rstrip("/") for origin in origins),
        frozenset({"http", "https"} if http else {"https"}),
    )


def is_address(host: str) -> bool:
    """Tell an IP address from a name."""
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def _port(authority: Authority, scheme: str) -> int:
    return authority.port or DEFAULT_PORTS[scheme]
