"""Kill clients while everybody talks, again and again, and check what they promised.

A promise is an own message that a program has shown, or a `send` that ended with 0: it
is in the room in the end, once, in the same order for all. Whoever is killed is started
again at once, the host as well, whose relay goes down with it. The same seed gives the
same victims and delays, though not the same moments.
"""

import random
import signal
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from typing_extensions import override

from tertulia.cli.json_lines import JoinedLine, MessageLine
from tests.e2e.talkers import Circle, Talker, gathered, meet
from tests.running_relay import LOOPBACK

CHECK_EVERY = 10
LONGEST_LIFE = 2.5  # seconds; coming up takes about one
PATIENCE = 120.0
ROOM = "Clase"
HOST = "Ana"
GUESTS = ("Luis", "Mara")

RATES = """
rate = ["connections=1000000/1000000", "handshakes=1000000/1000000"]
log-level = "warning"
"""


@dataclass
class Summary:
    """What a campaign found."""

    kills: int = 0
    hosts_killed: int = 0
    said: int = 0
    acknowledged: int = 0
    messages: int = 0
    broken: tuple[str, ...] = ()
    seconds: float = 0.0

    @override
    def __str__(self) -> str:
        return (
            f"kills {self.kills} (of the host {self.hosts_killed}), said {self.said}, "
            f"acknowledged {self.acknowledged}, in the room {self.messages}, losses, "
            f"doubles and changes {len(self.broken)}, {self.seconds:.0f} s"
        )


@dataclass
class Person:
    """Somebody who says numbered lines, through one process after the other."""

    name: str
    circle: Circle
    command: tuple[str, ...]
    talker: Talker
    said: int = 0
    promised: set[str] = field(default_factory=set)
    errands: list[tuple[str, Talker]] = field(default_factory=list)
    broken: list[str] = field(default_factory=list)

    def speak(self, count: int) -> None:
        """Say some lines; whoever is just coming up reads them later, if ever."""
        self.talker.says(*(f"{self.name} {self.said + n}" for n in range(count)))
        self.said += count

    def send_by_errand(self) -> None:
        """Say a line through a second process."""
        text = f"{self.name}'s errand {len(self.errands)}"
        errand = self.circle.start(
            *("send", ROOM, text, "--timeout", f"{PATIENCE:.0f}s"), profile=self.name
        )
        self.errands.append((text, errand))

    def be_killed(self) -> None:
        """Die, be heard out, and start again."""
        self.talker.be_killed()
        self.note()
        self.talker = self.circle.start(*self.command, profile=self.name)

    def note(self) -> None:
        """Note what its process has shown."""
        shown = self.talker.messages
        self.promised |= {line.text for line in shown if is_own_text(line)}
        doubles = [
            key for key, n in Counter(line.id for line in shown).items() if n > 1
        ]
        self.broken += [f"{self.name} was shown {key} twice" for key in doubles]
        self.broken += [
            f"{self.name} was warned: {line.code}, place {line.place}"
            for line in self.talker.warnings
        ]
        complaints = "".join(self.talker.errors)
        if complaints:
            self.broken.append(f"{self.name} complained: {complaints[-500:]}")

    def finish_errands(self) -> None:
        """Wait for the second processes, and note what they promised."""
        for text, errand in self.errands:
            if errand.ends(PATIENCE * 2) == 0:
                self.promised.add(text)


def is_own_text(line: MessageLine) -> bool:
    return line.sender.me and line.kind == "text"


def kill_clients(
    folder: Path, kills: int, seed: int, report: Callable[[str], object]
) -> Summary:
    """Kill clients `kills` times while they talk."""
    chance = random.Random(seed)
    began = time.monotonic()
    summary = Summary()
    with gathered(folder) as circle:
        people = gather(circle)
        while summary.kills < kills and not summary.broken:
            for person in people:
                person.speak(chance.randrange(6))
            victim = chance.choice(people)
            if chance.random() < 0.15:
                victim.send_by_errand()
            time.sleep(chance.uniform(0, LONGEST_LIFE))
            victim.be_killed()
            summary.kills += 1
            summary.hosts_killed += victim.name == HOST
            if summary.kills % CHECK_EVERY == 0 or summary.kills == kills:
                check(people, summary)
                summary.seconds = time.monotonic() - began
                report(f"so far: {summary}")
        for person in people:
            person.talker.popen.send_signal(signal.SIGTERM)
    return summary


def gather(circle: Circle) -> list[Person]:
    """Have everybody in one room."""
    config = circle.folder / "relay.toml"
    config.write_text(RATES)
    settings = {"TERTULIA_CONFIG": str(config)}
    host, first = circle.host(HOST, room=ROOM, profile=HOST, more=settings)
    port = first.url.rpartition(":")[2]
    command = ("host", "--data", str(circle.relay), "--listen", f"{LOOPBACK}:{port}")
    people = [Person(HOST, circle, command, host)]
    for name in GUESTS:
        talker = circle.join(first.invite, name)
        talker.hears(JoinedLine)
        people.append(Person(name, circle, ("chat", ROOM), talker))
    return people


# Checks


def check(people: list[Person], summary: Summary) -> None:
    """Wait until everybody has everything, and compare."""
    for person in people:
        person.finish_errands()
    talkers = {person.name: person.talker for person in people}
    meet(talkers, f"check {summary.kills}")
    for person in people:
        person.note()
    circle = people[0].circle
    logs = {person.name: log_of(circle.known(person.name, ROOM)) for person in people}
    summary.said = sum(person.said + len(person.errands) for person in people)
    summary.said += 2 * len(people) * -(-summary.kills // CHECK_EVERY)  # at checks
    summary.acknowledged = sum(len(person.promised) for person in people)
    summary.messages = len(logs[HOST])
    summary.broken = tuple(faults(people, logs))


def log_of(messages: list[MessageLine]) -> list[tuple[int | None, str, str]]:
    """Return what was said in a form that is the same for all."""
    said = [line for line in messages if line.kind == "text"]
    return [(line.place, line.id, line.text) for line in said]


def faults(
    people: list[Person], logs: dict[str, list[tuple[int | None, str, str]]]
) -> Iterator[str]:
    """Yield every promise that is broken."""
    log = logs[HOST]
    texts = [text for _place, _id, text in log]
    for name, known in logs.items():
        if known != log:
            yield f"{name} knows another conversation than {HOST}"
    for text, count in Counter(texts).items():
        if count > 1:
            yield f"{text!r} is there {count} times"
    for person in people:
        yield from person.broken
        for text in sorted(person.promised - set(texts)):
            yield f"{text!r} was acknowledged and is not there"
        numbers = numbers_of(person.name, texts)
        if numbers != sorted(numbers):
            yield f"the lines of {person.name} are out of order"


def numbers_of(name: str, texts: list[str]) -> list[int]:
    """Return the numbers of somebody's lines, as they stand in the room."""
    own = [text.removeprefix(f"{name} ") for text in texts]
    return [int(number) for number in own if number.isdecimal()]
