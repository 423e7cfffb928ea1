"""The options of a relay, one row each, and the frozen Config they make."""

import argparse
import ipaddress
import os
import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from tertulia.cli.folders import user_folder
from tertulia.cli.options import (
    BadOptionError,
    Option,
    duration,
    host_and_port,
    number,
    one_of,
    read_options,
    size,
    switch,
)
from tertulia.l10n import _

if TYPE_CHECKING:
    from tertulia.relay import Settings
    from tertulia.server import Config, Endpoint
    from tertulia.wire import limits

DEFAULT_PORT: Final = 8000
CONFIG_VARIABLE: Final = "TERTULIA_CONFIG"


def default_data(environment: Mapping[str, str]) -> Path:
    """Return where a relay keeps its data if nobody says otherwise."""
    return user_folder(environment, "relay")


def data_option() -> Option:
    """Return the option that says which relay is meant."""
    return Option(
        "data",
        _("folder that holds everything the relay keeps"),
        Path,
        metavar=_("FOLDER"),
        wanted=_("a folder"),
        default=_("a folder of this user, shown at the start"),
    )


def relay_options() -> tuple[Option, ...]:
    """Return all options of a relay."""
    return (
        Option(
            "listen",
            _("address and port to listen on; without an address, all of them"),
            host_and_port,
            metavar=_("HOST:PORT"),
            wanted=_("an address and a port, like 192.168.1.5:8000"),
            default=":8000",
        ),
        data_option(),
        Option(
            "accounts",
            _("who may create an account: invite (whoever has a link), open, closed"),
            one_of("invite", "open", "closed"),
            metavar=_("POLICY"),
            wanted="invite, open, closed",
            default="invite",
        ),
        *_transport_options(),
        *_web_options(),
        *_limit_options(),
        *_log_options(),
    )


def _transport_options() -> tuple[Option, ...]:
    return (
        Option(
            "http",
            _("no TLS: only behind a proxy that has it, or in a network you trust"),
            switch,
            wanted=_("yes or no"),
            default="no",
        ),
        Option(
            "tls-cert",
            _("certificate of your own, as PEM with its chain"),
            Path,
            metavar=_("FILE"),
            wanted=_("a file"),
            default=_("one that the relay makes and signs itself"),
        ),
        Option(
            "tls-key",
            _("private key of that certificate"),
            Path,
            metavar=_("FILE"),
            wanted=_("a file"),
        ),
        Option(
            "metrics",
            _("loopback address and port for Prometheus, besides the control socket"),
            _loopback,
            metavar=_("HOST:PORT"),
            wanted=_("a loopback address and a port, like 127.0.0.1:9100"),
            default=_("none"),
        ),
    )


def _web_options() -> tuple[Option, ...]:
    return (
        Option(
            "name",
            _("host name under which browsers may come; can be repeated"),
            _host_name,
            metavar=_("HOST"),
            wanted=_("a host name"),
            default=_("localhost, this machine's own name and every address"),
            repeats=True,
        ),
        Option(
            "origin",
            _("https://HOST[:PORT] of a page that may connect; can be repeated"),
            _origin,
            metavar=_("ORIGIN"),
            wanted=_("an origin, like https://chat.example"),
            default=_("the relay's own pages"),
            repeats=True,
        ),
        Option(
            "proxy",
            _("address of a proxy whose X-Forwarded-For is believed; can be repeated"),
            _address,
            metavar=_("ADDRESS"),
            wanted=_("an IP address"),
            default=_("none"),
            repeats=True,
        ),
    )


def _limit_options() -> tuple[Option, ...]:
    sized: dict[str, Any] = {
        "read": size,
        "metavar": _("SIZE"),
        "wanted": _("a size, like 500M or 64G"),
    }
    return (
        Option(
            "relay-storage",
            _("how much the relay stores in all"),
            default="64G",
            **sized,
        ),
        Option("room-storage", _("how much one room may store"), default="8G", **sized),
        Option(
            "account-storage",
            _("how much one account may store in files"),
            default="2G",
            **sized,
        ),
        Option(
            "keep",
            _("how long messages are kept at most"),
            duration,
            metavar=_("TIME"),
            wanted=_("a time, like 90d or 12h"),
            default=_("for ever"),
        ),
        Option(
            "rate",
            _("NAME=BURST/PER-MINUTE of a rate (see the reference); can be repeated"),
            _rate,
            metavar=_("RATE"),
            wanted=_("a rate, like connections=60/60"),
            repeats=True,
        ),
        Option(
            "connections",
            _("how many connections there may be at once"),
            number,
            metavar=_("NUMBER"),
            wanted=_("a number"),
            default="20000",
        ),
        Option(
            "send-queue",
            _("how much waits for one slow reader before it is told to catch up"),
            default="4M",
            **sized,
        ),
        Option(
            "send-memory",
            _("how much waits for all slow readers together, each having its share"),
            default="512M",
            **sized,
        ),
    )


def _log_options() -> tuple[Option, ...]:
    return (
        Option(
            "log-level",
            _("what is logged: debug, info, warning, error"),
            one_of("debug", "info", "warning", "error"),
            metavar=_("LEVEL"),
            wanted="debug, info, warning, error",
            default="info",
        ),
        Option(
            "log-addresses",
            _("log the addresses of clients too"),
            switch,
            wanted=_("yes or no"),
            default="no",
        ),
    )


def read_config(
    arguments: argparse.Namespace, environment: Mapping[str, str]
) -> tuple["Config", str]:
    """Return the relay's Config and the level to log at; raise UsageError."""
    from tertulia.server import Bounds, Config, WebRules

    file = getattr(arguments, "config", None) or environment.get(CONFIG_VARIABLE)
    values = read_options(
        relay_options(), arguments, environment, Path(file) if file else None
    )
    bounds = Bounds()
    config = Config(
        data=values.get("data", default_data(environment)).absolute(),
        listen=_endpoint(values.get("listen", ("", DEFAULT_PORT))),
        http=values.get("http", False),
        certificate=_certificate(values),
        metrics=_endpoint(values["metrics"]) if "metrics" in values else None,
        web=WebRules(
            values.get("name", ()), values.get("origin", ()), values.get("proxy", ())
        ),
        bounds=Bounds(
            values.get("connections", bounds.connections),
            values.get("send-queue", bounds.send_queue),
            values.get("send-memory", bounds.send_memory),
        ),
        relay=_settings(values),
        log_addresses=values.get("log-addresses", False),
    )
    return config, values.get("log-level", "info")


def data_folder(arguments: argparse.Namespace) -> Path:
    """Return the folder of the relay that is meant; raise UsageError."""
    return read_config(arguments, os.environ)[0].data


def _endpoint(pair: tuple[str, int]) -> "Endpoint":
    from tertulia.server import Endpoint

    host, port = pair
    host = "" if host in {"*", "0.0.0.0", "::"} else host  # noqa: S104
    return Endpoint(host, DEFAULT_PORT if port < 0 else port)


def _certificate(values: Mapping[str, Any]) -> Any:
    from tertulia.server import Certificate

    certificate, key = values.get("tls-cert"), values.get("tls-key")
    if certificate is None and key is None:
        return None
    if certificate is None or key is None:
        missing = "--tls-key" if key is None else "--tls-cert"
        raise BadOptionError(missing, "", _("given: certificate and key go together"))
    return Certificate(certificate.absolute(), key.absolute())


def _settings(values: Mapping[str, Any]) -> "Settings":
    from tertulia.relay import Settings
    from tertulia.wire import AccountPolicy

    settings = Settings()
    rates = {**settings.rates, **{rate.name: rate for rate in values.get("rate", ())}}
    return replace(
        settings,
        accounts=AccountPolicy[values.get("accounts", "invite").upper()],
        account_storage=values.get("account-storage", settings.account_storage),
        room_storage=values.get("room-storage", settings.room_storage),
        relay_storage=values.get("relay-storage", settings.relay_storage),
        entry_age=values.get("keep"),
        rates=rates,
    )


def _rate(text: str) -> "limits.Rate":
    from tertulia.wire import limits

    name, _equals, numbers = text.partition("=")
    burst, _slash, per_minute = numbers.partition("/")
    for rate in limits.RATES:
        if rate_key(rate.name) == name.strip():
            return replace(rate, burst=number(burst), per_minute=number(per_minute))
    raise ValueError


def rate_key(name: str) -> str:
    """Return the short name of a rate, for people to type."""
    words = re.sub(r"[^a-z ]", "", name.partition(",")[0].lower())
    return words.replace(" ", "-")


def _loopback(text: str) -> tuple[str, int]:
    host, port = host_and_port(text)
    if port < 0 or not (host == "localhost" or ipaddress.ip_address(host).is_loopback):
        raise ValueError
    return host, port


def _host_name(text: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9]([A-Za-z0-9.-]{0,251}[A-Za-z0-9])?", text):
        raise ValueError
    return text.lower()


def _origin(text: str) -> str:
    scheme, separator, rest = text.lower().rstrip("/").partition("://")
    if not separator or scheme not in {"http", "https"} or "/" in rest or not rest:
        raise ValueError
    return f"{scheme}://{rest}"


def _address(text: str) -> str:
    return str(ipaddress.ip_address(text))
