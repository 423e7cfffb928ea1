"""What is measured: who talks to whom, how much of it, and how hard."""

from dataclasses import dataclass
from typing import Final

from bench.relay.systems.system import Shape

PAYLOAD: Final = 300  # bytes; a line of text, encrypted and padded


@dataclass(frozen=True)
class Case:
    """Rooms, the deliveries per second they are measured at, and what saturates them.

    Saturation is the best of several `windows`: messages of each writer under way.
    """

    title: str
    shape: Shape
    rates: tuple[int, ...]
    windows: tuple[int, ...]


CASES: Final = {
    "hundred": Case(
        "one room of 100, of whom 8 write",
        Shape(1, 100, 8, PAYLOAD),
        (20_000, 100_000),
        (8, 32, 96),
    ),
    "five": Case(
        "100 rooms of five, of whom all write",
        Shape(100, 5, 5, PAYLOAD),
        (10_000,),
        (1, 4, 16),
    ),
    "one": Case(
        "one room of five, of whom all write",
        Shape(1, 5, 5, PAYLOAD),
        (),
        (16, 128),
    ),
}
