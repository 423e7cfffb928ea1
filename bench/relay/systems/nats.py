"""NATS: a broker, without storage, and as JetStream with a log in files.

With JetStream everybody listens to what a push consumer delivers, so that nothing is
heard before it is in the log. The log is synced every two minutes, or always.
"""

import json
import sysconfig
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from typing_extensions import override

from bench.relay.load import LOOPBACK, Link, Manners, Template
from bench.relay.server import Server
from bench.relay.systems.peer import Peer

_STREAM: Final = "ROOMS"
_CONNECT: Final = json.dumps(
    {"verbose": False, "pedantic": False, "lang": "c", "version": "1", "protocol": 1}
)


class Nats(Peer):
    """Core NATS: a room is a subject."""

    name = "NATS"
    durability = "no"
    program = "nats-server"
    # Each connection of a writer is read by a thread of its own.
    manners = Manners(ordered=False, alive=b"PING\r\n")

    @override
    def found(self) -> str | None:
        ours = Path(sysconfig.get_path("scripts")) / self.program
        return str(ours) if ours.exists() else super().found()

    @override
    def command(self, folder: Path, port: int) -> list[str]:
        settings = folder / "nats.conf"
        settings.write_text(f'listen: "{LOOPBACK}:{port}"\n{self.settings(folder)}')
        return [self.found() or self.program, "-c", str(settings)]

    def settings(self, folder: Path) -> str:  # noqa: ARG002 -- for those who store
        """Return more settings."""
        return ""

    @override
    def sign_in(self, server: Server, number: int) -> Link:
        link = Link(server.port)
        link.read_until(b"\r\n")
        link.send(f"CONNECT {_CONNECT}\r\n".encode())
        _flush(link)
        return link

    @override
    def join(self, link: Link, room: int, number: int) -> None:
        link.send(f"SUB room.{room} 1\r\n".encode())
        _flush(link)

    @override
    def template(self, room: int, number: int, payload: int) -> Template:
        return Template(f"PUB room.{room} {payload}\r\n".encode(), b"\r\n")


class JetStream(Nats):
    """NATS with a stream in files; writers ask for acknowledgements."""

    manners = Manners(alive=b"PING\r\n")

    def __init__(self, *, synced: bool) -> None:
        self.name = "JetStream, sync always" if synced else "JetStream"
        self.durability = "synced" if synced else "written"
        self._sync = "always" if synced else "2m"

    @override
    def settings(self, folder: Path) -> str:
        return f'jetstream {{ store_dir: "{folder}", sync_interval: {self._sync} }}\n'

    @override
    def join(self, link: Link, room: int, number: int) -> None:
        link.send(f"SUB heard.{room} 1\r\nSUB mine.{number} 2\r\n".encode())
        _flush(link)
        stream = {"name": _STREAM, "subjects": ["room.*"], "storage": "file"}
        consumer = {
            "durable_name": f"room{room}",
            "deliver_subject": f"heard.{room}",
            "deliver_policy": "new",
            "ack_policy": "none",
            "filter_subject": f"room.{room}",
        }
        # Everybody may be the first; making the same again changes nothing.
        _call(link, number, f"STREAM.CREATE.{_STREAM}", stream)
        _call(
            link,
            number,
            f"CONSUMER.DURABLE.CREATE.{_STREAM}.room{room}",
            {"stream_name": _STREAM, "config": consumer},
        )

    @override
    def template(self, room: int, number: int, payload: int) -> Template:
        head = f"PUB room.{room} mine.{number} {payload}\r\n"
        return Template(head.encode(), b"\r\n")


def _flush(link: Link) -> None:
    link.send(b"PING\r\n")
    answer = link.read_until(b"PONG\r\n")
    if b"-ERR" in answer:
        raise ConnectionError(answer.decode())


def _call(link: Link, number: int, api: str, request: Mapping[str, Any]) -> None:
    body = json.dumps(request)
    link.send(f"PUB $JS.API.{api} mine.{number} {len(body)}\r\n{body}\r\n".encode())
    while True:
        head = link.read_until(b"\r\n").split()
        if head[0] == b"MSG":
            answer = link.read(int(head[-1]) + 2)
            if b'"error"' in answer:
                raise ConnectionError(answer.decode())
            return
