"""Under which URLs others reach a relay: what the operator named, else its addresses."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from tertulia.server.config import Config
from tertulia.server.web_origin import DEFAULT_PORTS

# Given the address listened on ("" for all), returns those of use to others.
FindAddresses: TypeAlias = Callable[[str], Sequence[str]]


@dataclass(frozen=True, slots=True)
class Reach:
    """The best URL and the others, each `SCHEME://HOST[:PORT]`."""

    url: str
    others: tuple[str, ...] = ()
    # Whether anybody but this machine can use the first one.
    is_for_others: bool = True


def find_reach(config: Config, port: int, addresses: Sequence[str]) -> Reach:
    """Return the URLs of a relay that listens on `port`."""
    scheme = "http" if config.http else "https"
    hosts = [*config.web.names, *addresses]
    urls = [*config.web.origins, *(_url(scheme, host, port) for host in hosts)]
    if not urls:
        here = config.listen.host or "127.0.0.1"
        return Reach(_url(scheme, here, port), is_for_others=False)
    first, *others = dict.fromkeys(urls)
    return Reach(first, tuple(others))


def _url(scheme: str, host: str, port: int) -> str:
    bracketed = f"[{host}]" if ":" in host else host
    shown = "" if port == DEFAULT_PORTS[scheme] else f":{port}"
    return f"{scheme}://{bracketed}{shown}"
