"""What the bench asks of a system: start, let people in, say how they write."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from bench.relay.load import Link, Manners, Seat
from bench.relay.server import Server


@dataclass(frozen=True)
class Shape:
    """Rooms of so many members, of whom so many write payloads of so many bytes."""

    rooms: int
    members: int
    writers: int
    payload: int


class System(Protocol):
    """A chat server or a broker. `durability`: what is on disk before it delivers."""

    name: str
    durability: str
    manners: Manners

    def lacks(self) -> str | None:
        """Return what is missing on this machine, or nothing."""

    def start(self, folder: Path) -> Server:
        """Start it, with its files in a folder; raise DidNotStartError."""

    def enter(self, server: Server, numbers: range) -> list[Link]:
        """Connect and sign in as the people of these numbers; join nothing."""

    def gather(self, server: Server, shape: Shape) -> Sequence[Seat]:
        """Let everybody enter and join; members of a room come one after the other."""

    def examine(self, stream: bytes) -> list[str]:
        """Return what is wrong in all that one member got, beyond the payloads."""
