"""Every abuse that the campaign knows, one row each."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from tests.chaos.abuse.attacks import frames, garbage, hunger, idle, joining, slow
from tests.chaos.abuse.stage import Stage


@dataclass(frozen=True)
class Abuse:
    """What is done, by how many, beside which room, at which relay."""

    attack: Callable[[Stage], Awaitable[None]]
    size: int
    short: int = 10  # how many do it in a test
    members: int = 100
    rate: float = 40.0  # messages a second in the good room
    relay: tuple[str, ...] = ()


ABUSES: Final = MappingProxyType(
    {
        "idle": Abuse(idle.hold_idle, 10_000, members=1_000, rate=10.0),
        "slow-readers": Abuse(slow.read_slowly, 50),
        "slowloris": Abuse(slow.drip, 1_000),
        "half-open": Abuse(slow.half_open, 1_000),
        "huge-frames": Abuse(
            frames.send_huge, 8, short=2, relay=("--room-storage=64M",)
        ),
        "fragments": Abuse(frames.send_fragments, 10, short=2),
        "tiny-frames": Abuse(frames.send_tiny, 10, short=2),
        "pings": Abuse(frames.flood_pings, 10, short=2),
        "joins": Abuse(joining.storm, 200),
        "garbage": Abuse(garbage.babble, 100),
        "handshakes": Abuse(garbage.shake_hands, 20, short=4),
        "catch-up": Abuse(hunger.catch_up, 200),
        "greedy-pages": Abuse(hunger.fetch_greedily, 200),
        "quotas": Abuse(
            hunger.want_too_much,
            24,
            short=6,
            relay=("--room-storage=4M", "--account-storage=4M"),
        ),
    }
)
