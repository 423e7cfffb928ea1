"""Programs that only pass bytes on: what no server can beat, in C and in Python."""

import sys
from pathlib import Path
from typing import Final

from typing_extensions import override

from bench.relay.compiler import build
from bench.relay.load import Link, Manners, Template
from bench.relay.server import Server
from bench.relay.systems.peer import Peer

_PYTHON: Final = Path(__file__).parent.parent / "limit.py"


class Limit(Peer):
    """Frames of two bytes of length and a payload."""

    durability = "no"
    manners = Manners()

    @override
    def sign_in(self, server: Server, number: int) -> Link:
        link = Link(server.port)
        link.read(2)
        return link

    @override
    def join(self, link: Link, room: int, number: int) -> None:
        link.send(room.to_bytes(4))
        link.read(2)

    @override
    def template(self, room: int, number: int, payload: int) -> Template:
        return Template(payload.to_bytes(2))


class LimitInC(Limit):
    """An epoll loop in C."""

    name = "limit in C"
    program = "cc"

    @override
    def command(self, folder: Path, port: int) -> list[str]:
        return [str(build("limit.c")), str(port)]


class LimitInPython(Limit):
    """A uvloop server in Python."""

    name = "limit in Python"
    program = sys.executable

    @override
    def command(self, folder: Path, port: int) -> list[str]:
        return [self.program, str(_PYTHON), str(port)]
