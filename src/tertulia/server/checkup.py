"""Looks a relay's set-up over: what is wrong, as values; faces say how to mend it.

It changes nothing. From this machine it cannot see what stands between it and others: a
firewall of the system is found by its files, one in a router is not.
"""

import errno
import http.client
import os
import shutil
import socket
import ssl
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import IntEnum, StrEnum
from pathlib import Path
from typing import Final, TypeAlias

from tertulia.crypto import CryptoError, read_certificate
from tertulia.errors import TertuliaError
from tertulia.server.config import Config
from tertulia.server.errors import CannotListenError
from tertulia.server.folder import DataFolder, is_exposed, read_secret_file
from tertulia.server.identity import given_certificate, load_identity, tls_context, utc
from tertulia.server.listener import open_sockets
from tertulia.server.site import HEALTH_PATH
from tertulia.server.surroundings import Surroundings

Facts: TypeAlias = Mapping[str, str | int]

PROBE_TIME: Final = 3.0
LITTLE_SPACE: Final = 2 * 1024**3
NO_SPACE: Final = 200 * 1024**2
SOON: Final = timedelta(days=30)
# No clock that is right shows an earlier day than this program was written.
WRITTEN: Final = datetime(2026, 1, 1, tzinfo=UTC)
TOLERANCE: Final = timedelta(hours=1)


class Checked(StrEnum):
    """What was looked at."""

    FOLDER = "folder"
    IDENTITY = "identity"
    DISK = "disk"
    CLOCK = "clock"
    CERTIFICATE = "certificate"
    PORT = "port"
    ADDRESS = "address"
    FIREWALL = "firewall"


class Verdict(IntEnum):
    """How it is."""

    GOOD = 0
    DOUBTFUL = 1
    BAD = 2


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at; `what` is stable, `facts` are for the sentence."""

    checked: Checked
    verdict: Verdict
    what: str
    facts: Facts = field(default_factory=dict)


def check_relay(config: Config, surroundings: Surroundings) -> list[Finding]:
    """Return what there is to say about a relay's set-up."""
    now = utc(surroundings.clock())
    findings = [
        *_check_folder(DataFolder(config.data), surroundings),
        _check_disk(config.data),
        _check_clock(DataFolder(config.data), now),
        *_check_certificate(config, now),
    ]
    port = _check_port(config)
    findings.append(port)
    addresses = surroundings.addresses(config.listen.host)
    if port.what == "running":
        findings += [_check_address(config, address) for address in addresses]
    if addresses:
        findings += _check_firewall(config.listen.port)
    return findings


# Folder and identity


def _check_folder(folder: DataFolder, around: Surroundings) -> Iterator[Finding]:
    path = str(folder.path)
    if not folder.path.exists():
        yield Finding(Checked.FOLDER, Verdict.GOOD, "new", {"path": path})
        return
    if not os.access(folder.path, os.R_OK | os.W_OK | os.X_OK):
        yield Finding(Checked.FOLDER, Verdict.BAD, "not_ours", {"path": path})
        return
    exposed = is_exposed(folder.path.stat().st_mode)
    yield Finding(
        Checked.FOLDER,
        Verdict.DOUBTFUL if exposed else Verdict.GOOD,
        "open_to_others" if exposed else "ours",
        {"path": path},
    )
    yield _check_identity(folder, around)


def _check_identity(folder: DataFolder, around: Surroundings) -> Finding:
    try:
        if read_secret_file(folder.identity_key) is None:
            missing = folder.database.exists()
            return Finding(
                Checked.IDENTITY,
                Verdict.BAD if missing else Verdict.GOOD,
                "missing" if missing else "new",
                {"path": str(folder.identity_key)},
            )
        load_identity(folder, around.rng)
    except TertuliaError as error:
        facts = {"path": str(folder.identity_key), "reason": str(error)}
        return Finding(Checked.IDENTITY, Verdict.BAD, error.code, facts)
    return Finding(Checked.IDENTITY, Verdict.GOOD, "present")


# Disk and clock


def _check_disk(path: Path) -> Finding:
    existing = next(folder for folder in (path, *path.parents) if folder.exists())
    free = shutil.disk_usage(existing).free
    verdict, what = Verdict.GOOD, "space"
    if free < NO_SPACE:
        verdict, what = Verdict.BAD, "full"
    elif free < LITTLE_SPACE:
        verdict, what = Verdict.DOUBTFUL, "nearly_full"
    return Finding(Checked.DISK, verdict, what, {"free": free, "path": str(existing)})


def _check_clock(folder: DataFolder, now: datetime) -> Finding:
    facts = {"now": now.strftime("%Y-%m-%d %H:%M")}
    written = WRITTEN
    if folder.database.exists():
        changed = folder.database.stat().st_mtime
        written = max(written, datetime.fromtimestamp(changed, UTC))
    if now < written - TOLERANCE:
        return Finding(Checked.CLOCK, Verdict.BAD, "behind", facts)
    if _is_synchronised() is False:
        return Finding(Checked.CLOCK, Verdict.DOUBTFUL, "not_synchronised", facts)
    return Finding(Checked.CLOCK, Verdict.GOOD, "plausible", facts)


def _is_synchronised() -> bool | None:
    """Ask systemd, where it is; None if nobody knows."""
    program = shutil.which("timedatectl")
    if program is None:
        return None
    try:
        answer = subprocess.run(  # noqa: S603 -- a fixed command
            [program, "show", "--property=NTPSynchronized", "--value"],
            capture_output=True,
            text=True,
            timeout=PROBE_TIME,
            check=True,
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return {"yes": True, "no": False}.get(answer.stdout.strip())


# Certificate


def _check_certificate(config: Config, now: datetime) -> Iterator[Finding]:
    if config.http:
        yield Finding(Checked.CERTIFICATE, Verdict.DOUBTFUL, "no_tls")
        return
    folder = DataFolder(config.data)
    path, key = folder.certificate, folder.certificate_key
    if config.certificate is not None:
        path, key = config.certificate.certificate, config.certificate.key
    elif not path.exists():
        yield Finding(Checked.CERTIFICATE, Verdict.GOOD, "new")
        return
    try:
        tls_context(given_certificate(path, key))
        terms = read_certificate(path.read_bytes())
    except (TertuliaError, CryptoError, OSError) as error:
        facts = {"path": str(path), "reason": str(error)}
        yield Finding(Checked.CERTIFICATE, Verdict.BAD, "unusable", facts)
        return
    yield _judge_dates(path, terms.not_before, terms.not_after, now)
    for name in config.web.names:
        if config.certificate is not None and not _covers(terms.names, name):
            facts = {"path": str(path), "name": name}
            yield Finding(Checked.CERTIFICATE, Verdict.BAD, "other_name", facts)


def _judge_dates(
    path: Path, not_before: datetime, not_after: datetime, now: datetime
) -> Finding:
    facts = {"path": str(path), "until": not_after.strftime("%Y-%m-%d")}
    if now > not_after:
        return Finding(Checked.CERTIFICATE, Verdict.BAD, "expired", facts)
    if now < not_before:
        return Finding(Checked.CERTIFICATE, Verdict.BAD, "not_yet_valid", facts)
    if now > not_after - SOON:
        return Finding(Checked.CERTIFICATE, Verdict.DOUBTFUL, "expires_soon", facts)
    return Finding(Checked.CERTIFICATE, Verdict.GOOD, "valid", facts)


def _covers(names: tuple[str, ...], name: str) -> bool:
    wildcard = f"*.{name.partition('.')[2]}"
    return name in names or wildcard in names


# Port and addresses


def _check_port(config: Config) -> Finding:
    host, port = config.listen.host or "127.0.0.1", config.listen.port
    facts: Facts = {"port": port, "host": host}
    match _probe(config, host):
        case "us":
            return Finding(Checked.PORT, Verdict.GOOD, "running", facts)
        case "stranger":
            return Finding(Checked.PORT, Verdict.BAD, "taken", facts)
        case _:
            return _check_free(config, facts)


def _check_free(config: Config, facts: Facts) -> Finding:
    try:
        for listening in open_sockets(config.listen):
            listening.close()
    except CannotListenError as error:
        cause = error.__cause__
        number = cause.errno if isinstance(cause, OSError) else None
        what = {
            errno.EADDRINUSE: "taken",
            errno.EACCES: "forbidden",
            errno.EADDRNOTAVAIL: "no_such_address",
        }.get(number or 0, "unusable")
        return Finding(
            Checked.PORT, Verdict.BAD, what, {**facts, "reason": error.reason}
        )
    return Finding(Checked.PORT, Verdict.GOOD, "free", facts)


def _check_address(config: Config, address: str) -> Finding:
    facts: Facts = {"address": address, "port": config.listen.port}
    match _probe(config, address):
        case "us":
            return Finding(Checked.ADDRESS, Verdict.GOOD, "answers", facts)
        case "stranger":
            return Finding(Checked.ADDRESS, Verdict.BAD, "stranger", facts)
        case _:
            return Finding(Checked.ADDRESS, Verdict.BAD, "silent", facts)


def _probe(config: Config, host: str) -> str:
    """Tell who answers at an address: `us`, a `stranger` or `nobody`."""
    try:
        with socket.create_connection(
            (host, config.listen.port), timeout=PROBE_TIME
        ) as connection:
            return "us" if _is_us(config, connection) else "stranger"
    except OSError:
        return "nobody"


def _is_us(config: Config, connection: socket.socket) -> bool:
    try:
        if config.http:
            return _is_healthy(connection)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE  # compared below, byte by byte
        with context.wrap_socket(connection) as tls:
            return tls.getpeercert(binary_form=True) == _own(config) and _is_healthy(
                tls
            )
    except (OSError, ValueError, http.client.HTTPException):
        return False


def _is_healthy(connection: socket.socket) -> bool:
    client = http.client.HTTPConnection("localhost", timeout=PROBE_TIME)
    client.sock = connection
    client.request("GET", HEALTH_PATH)
    answer = client.getresponse()
    return answer.status == http.client.OK and answer.read(16).strip() == b"ok"


def _own(config: Config) -> bytes:
    path = DataFolder(config.data).certificate
    if config.certificate is not None:
        path = config.certificate.certificate
    first, end, _rest = path.read_text().partition("-----END CERTIFICATE-----")
    return ssl.PEM_cert_to_DER_cert(first[first.index("-----BEGIN") :] + end)


# Firewall


def _check_firewall(port: int, root: Path = Path("/")) -> Iterator[Finding]:
    facts: Facts = {"port": port}
    if _has_line(root / "etc/ufw/ufw.conf", "ENABLED=yes"):
        allowed = _has_text(root / "etc/ufw/user.rules", f"--dport {port} ")
        verdict = Verdict.GOOD if allowed else Verdict.DOUBTFUL
        what = "ufw_allows" if allowed else "ufw"
        yield Finding(Checked.FIREWALL, verdict, what, facts)
    elif (root / "run/firewalld").exists():
        yield Finding(Checked.FIREWALL, Verdict.DOUBTFUL, "firewalld", facts)
    else:
        yield Finding(Checked.FIREWALL, Verdict.GOOD, "none_found", facts)


def _has_line(path: Path, line: str) -> bool:
    return line in _read(path).splitlines()


def _has_text(path: Path, words: str) -> bool:
    return words in _read(path)


def _read(path: Path) -> str:
    try:
        return path.read_text()
    except OSError:
        return ""
