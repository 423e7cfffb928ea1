"""Where a relay is: `https://HOST[:PORT]`, or `http://` where TLS is somebody else's.

TLS does not ask an authority who the relay is: the relay proves its identity over the
key of the certificate that this end saw, and the session checks that. Only where the
session asks for it (`trusted`), because somebody else ends TLS, the system must vouch.
"""

import ssl
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

from tertulia.agent.errors import LinkFailedError
from tertulia.wire import WEBSOCKET_PATH

_PORTS: Final = {"https": 443, "http": 80}


@dataclass(frozen=True, slots=True)
class Address:
    """A relay's address, taken apart."""

    base: str
    host: str
    port: int
    is_secure: bool

    @classmethod
    def parse(cls, base: str) -> "Address":
        """Take a base address apart; raise LinkFailedError."""
        try:
            parts = urlsplit(base)
            host, port = parts.hostname, parts.port
        except ValueError:
            raise LinkFailedError(base, "bad_address") from None
        if parts.scheme not in _PORTS or not host or parts.username is not None:
            raise LinkFailedError(base, "bad_address")
        if parts.path not in {"", "/"} or parts.query or parts.fragment:
            raise LinkFailedError(base, "bad_address")
        if port is None:
            port = _PORTS[parts.scheme]
        return cls(base, host, port, parts.scheme == "https")

    @property
    def websocket_url(self) -> str:
        """Where the link begins."""
        scheme = "wss" if self.is_secure else "ws"
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{scheme}://{host}:{self.port}{WEBSOCKET_PATH}"

    def tls(self, *, trusted: bool) -> ssl.SSLContext | None:
        """Return how to speak TLS there, None for not at all."""
        if not self.is_secure:
            return None
        if trusted:
            context = ssl.create_default_context()
        else:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
        context.minimum_version = ssl.TLSVersion.TLSv1_3
        context.set_alpn_protocols(["http/1.1"])
        return context
