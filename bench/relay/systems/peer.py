"""What peers have in common: a program, and members who join one after the other."""

import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from bench.relay.load import Link, Manners, Seat, Template
from bench.relay.server import Server, free_port, start
from bench.relay.systems.system import Shape

# Where Debian keeps servers, which is not in the path of everybody.
_PATH: Final = "/usr/sbin:/usr/bin:/usr/local/bin:/usr/local/sbin"


class Peer:
    """A system that is one program with one file of settings."""

    name: str
    durability: str
    program: str
    manners = Manners()

    def lacks(self) -> str | None:
        """Return the program's name if it is not installed."""
        return None if self.found() else self.program

    def found(self) -> str | None:
        """Return where the program is."""
        return shutil.which(self.program) or shutil.which(self.program, path=_PATH)

    def start(self, folder: Path) -> Server:
        """Write its settings and start it."""
        port = free_port()
        return start(self.command(folder, port), port, folder)

    def command(self, folder: Path, port: int) -> Sequence[str]:
        """Write the settings into a folder; return what to run."""
        raise NotImplementedError

    def enter(self, server: Server, numbers: range) -> list[Link]:
        """Connect and sign in, one after the other."""
        return [self.sign_in(server, number) for number in numbers]

    def sign_in(self, server: Server, number: int) -> Link:
        """Connect and sign in as the person of that number; join nothing."""
        raise NotImplementedError

    def join(self, link: Link, room: int, number: int) -> None:
        """Join a room; return once everything later will be got."""
        raise NotImplementedError

    def template(self, room: int, number: int, payload: int) -> Template:
        """Return how that person writes into a room."""
        raise NotImplementedError

    def gather(self, server: Server, shape: Shape) -> Sequence[Seat]:
        """Let everybody enter and join."""
        return list(self._seats(server, shape))

    def _seats(self, server: Server, shape: Shape) -> Iterator[Seat]:
        everybody = self.enter(server, range(shape.rooms * shape.members))
        for number, link in enumerate(everybody):
            room, place = divmod(number, shape.members)
            self.join(link, room, number)
            writes = place < shape.writers
            template = self.template(room, number, shape.payload) if writes else None
            yield Seat(link, room, template)

    def examine(self, stream: bytes) -> list[str]:  # noqa: ARG002 -- nothing to know
        """Nothing beyond the payloads is ours to judge."""
        return []
