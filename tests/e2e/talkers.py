"""People at real processes: what `tertulia` says in lines, and waiting for one of them.

A `Program` is one process. What it prints is gathered as it comes, so its pipes are
never full; whoever waits, waits for a line, with bounded patience. A `Talker` is a
program that speaks JSON. A `Circle` is a folder of profiles, and ends what it started.
"""

import contextlib
import os
import select
import signal
import subprocess
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, TypeVar

from typing_extensions import override

from tertulia.cli.json_lines import (
    AnyLine,
    HostingLine,
    MemberLine,
    MessageLine,
    WarningLine,
    decode_line,
)
from tertulia.client.identity import credential_of
from tertulia.client.rows import ProfileRow
from tertulia.crypto import KeyPair
from tertulia.vault import ProfileFolder, Vault, open_vault, unlock
from tests.running_relay import LOOPBACK, command, environment
from tests.wire_client import Person

T = TypeVar("T")
L = TypeVar("L")

PATIENCE = 60.0
MEETING = 120.0  # who lost the relay tries again at most a minute later

# A keyring that works would ask, or keep what tests leave behind.
NO_KEYRING = {"PYTHON_KEYRING_BACKEND": "keyring.backends.fail.Keyring"}


class Program:
    """A process whose output is gathered as it comes."""

    def __init__(self, *arguments: str, more: Mapping[str, str] | None = None) -> None:
        self.printed: list[str] = []
        self.errors: list[str] = []
        self._news = threading.Condition()
        self._open = 2  # outputs that are not at their end
        self.popen = subprocess.Popen(
            command(*arguments),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            encoding="utf-8",
            env=environment(**NO_KEYRING, **(more or {})),
        )
        self._threads = [
            threading.Thread(target=self._gather, args=output)
            for output in (
                (self.popen.stdout, self._take),
                (self.popen.stderr, self.errors.append),
            )
        ]
        for thread in self._threads:
            thread.start()

    def _gather(self, output: IO[str], take: Callable[[str], object]) -> None:
        for line in output:
            with self._news:
                take(line)
                self._news.notify_all()
        with self._news:
            self._open -= 1
            self._news.notify_all()

    def _take(self, line: str) -> None:
        self.printed.append(line)

    # Talking

    def types(self, *lines: str) -> None:
        """Give lines to its standard input."""
        assert self.popen.stdin is not None
        self.popen.stdin.write("".join(line + "\n" for line in lines))
        self.popen.stdin.flush()

    def hangs_up(self) -> None:
        """End its standard input."""
        assert self.popen.stdin is not None
        with contextlib.suppress(BrokenPipeError):
            self.popen.stdin.close()

    def prints(self, words: str, patience: float = PATIENCE) -> str:
        """Wait for a line that has `words` in it."""
        return self._first(
            self.printed, lambda line: words in line, patience, f"{words!r}"
        )

    def _first(
        self, lines: list[T], fits: Callable[[T], bool], patience: float, wanted: str
    ) -> T:
        """Return the first line that fits; wait for it."""
        looked = 0

        def look() -> bool:
            nonlocal looked
            while looked < len(lines):
                if fits(lines[looked]):
                    return True
                looked += 1
            return self._open == 0

        with self._news:
            self._news.wait_for(look, patience)
            if looked < len(lines):
                return lines[looked]
        raise AssertionError(f"waited in vain for {wanted}; {self}")

    @override
    def __str__(self) -> str:
        return (
            f"exit code {self.popen.poll()}, errors {''.join(self.errors)[-2000:]!r}, "
            f"last lines {self.printed[-5:]}"
        )

    # The end

    def signalled(self, number: signal.Signals) -> int:
        """Send a signal, and return the exit code."""
        self.popen.send_signal(number)
        return self.ends()

    def ends(self, patience: float = PATIENCE) -> int:
        """Wait for the end; return the exit code."""
        code = self.popen.wait(patience)
        for thread in self._threads:
            thread.join(patience)
        return code

    def be_killed(self) -> None:
        """End as by `kill -9`; what was printed before is gathered."""
        self.popen.kill()
        self.hangs_up()
        self.popen.wait()
        for thread in self._threads:
            thread.join()
        for output in (self.popen.stdout, self.popen.stderr):
            assert output is not None
            output.close()

    def close(self) -> None:
        """End, however it is; the relay of a host ends because of that."""
        relays = children(self.popen.pid)
        self.be_killed()
        wait_for_end(relays)


class Talker(Program):
    """A program that speaks JSON, each line a declared struct."""

    def __init__(self, *arguments: str, more: Mapping[str, str] | None = None) -> None:
        self.lines: list[AnyLine] = []
        super().__init__(*arguments, "--json", more=more)

    @override
    def _take(self, line: str) -> None:
        super()._take(line)
        # The line a killed process did not finish is nothing it has said.
        if line.endswith("\n"):
            self.lines.append(decode_line(line.encode()))

    def says(self, *texts: str) -> None:
        """Say something in the room."""
        self.types(*texts)

    def hears(
        self,
        kind: type[L],
        fits: Callable[[L], bool] = lambda _line: True,
        patience: float = PATIENCE,
        wanted: str = "a line that fits",
    ) -> L:
        """Return the first line of a kind that fits; wait for it."""

        def of_kind(line: Any) -> bool:
            return isinstance(line, kind) and fits(line)

        lines: list[Any] = self.lines
        words = f"{wanted}, a {kind.__name__}"
        found: L = self._first(lines, of_kind, patience, words)
        return found

    def hears_text(self, text: str, patience: float = PATIENCE) -> MessageLine:
        """Wait until it shows a message."""
        return self.hears(
            MessageLine,
            lambda line: (line.kind, line.text) == ("text", text),
            patience,
            repr(text),
        )

    @property
    def texts(self) -> list[str]:
        """What it has shown of what people said."""
        return [line.text for line in self.messages if line.kind == "text"]

    @property
    def messages(self) -> list[MessageLine]:
        """Every message and notice it has shown."""
        return [line for line in tuple(self.lines) if isinstance(line, MessageLine)]

    @property
    def warnings(self) -> list[WarningLine]:
        """Everything unusual it has told of."""
        return [line for line in tuple(self.lines) if isinstance(line, WarningLine)]


@dataclass(frozen=True)
class Ended:
    """A command that came to its end."""

    code: int
    output: str
    errors: str

    @property
    def lines(self) -> list[AnyLine]:
        """Its lines of JSON."""
        return [decode_line(line.encode()) for line in self.output.splitlines()]

    @property
    def texts(self) -> list[str]:
        """The texts among them."""
        found = [line for line in self.lines if isinstance(line, MessageLine)]
        return [line.text for line in found if line.kind == "text"]


class Circle:
    """Profiles and a relay's data in a folder, and all processes that use them."""

    def __init__(self, folder: Path, stack: ExitStack) -> None:
        self.folder = folder
        self._stack = stack

    @property
    def relay(self) -> Path:
        """Where the host's relay keeps its data."""
        return self.folder / "relay"

    def profile(self, name: str) -> Path:
        """Where somebody's profile is."""
        return self.folder / "profiles" / name

    def host(
        self,
        name: str = "Ana",
        *,
        room: str | None = "Clase",
        listen: str = f"{LOOPBACK}:0",
        profile: str = "ana",
        more: Mapping[str, str] | None = None,
    ) -> tuple[Talker, HostingLine]:
        """Start a room; return once others may come."""
        named = () if room is None else ("--room", room)
        host = self.start(
            "host",
            *("--name", name, *named, "--listen", listen, "--data", str(self.relay)),
            profile=profile,
            more=more,
        )
        return host, host.hears(HostingLine)

    def join(self, link: str, name: str, *, profile: str | None = None) -> Talker:
        """Start to enter by a link."""
        return self.start("join", link, "--name", name, profile=profile or name)

    def start(
        self, *arguments: str, profile: str, more: Mapping[str, str] | None = None
    ) -> Talker:
        """Start a program that speaks JSON, for as long as there is this circle."""
        folder = str(self.profile(profile))
        talker = Talker(*arguments, "--profile", folder, more=more)
        self._stack.callback(talker.close)
        return talker

    def open_console(self, *arguments: str, profile: str) -> Program:
        """Start a program that reads what people type, without a terminal."""
        program = Program(*arguments, "--profile", str(self.profile(profile)))
        self._stack.callback(program.close)
        return program

    def run(
        self,
        *arguments: str,
        profile: str,
        code: int = 0,
        typed: str = "",
        patience: float = PATIENCE,
    ) -> Ended:
        """Run a command to its end, which must be with this exit code."""
        done = subprocess.run(
            command(*arguments, "--profile", str(self.profile(profile))),
            check=False,
            capture_output=True,
            encoding="utf-8",
            env=environment(**NO_KEYRING),
            input=typed,
            timeout=patience,
        )
        assert done.returncode == code, (done.returncode, done.stdout, done.stderr)
        assert "Traceback" not in done.stderr
        return Ended(done.returncode, done.stdout, done.stderr)

    def known(self, profile: str, room: str = "Clase") -> list[MessageLine]:
        """Return all that somebody knows of a room, oldest first."""
        lines = self.run("export", room, "--json", profile=profile).lines
        return [line for line in lines if isinstance(line, MessageLine)]

    def members(self, profile: str, room: str = "Clase") -> dict[str, str]:
        """Return the members that somebody sees, by account."""
        lines = self.run("members", room, "--json", profile=profile).lines
        return {
            line.account: line.name for line in lines if isinstance(line, MemberLine)
        }


@contextlib.contextmanager
def gathered(folder: Path) -> Iterator[Circle]:
    """Have a circle for the length of a block; nothing of it runs afterwards."""
    with ExitStack() as stack:
        yield Circle(folder, stack)


def meet(talkers: Mapping[str, Talker], occasion: str) -> None:
    """Let everybody come up, then everybody hear everybody: nothing is under way."""
    for name, talker in talkers.items():
        talker.says(f"{occasion}: {name} is here")
    for name, talker in talkers.items():
        talker.hears_text(f"{occasion}: {name} is here", MEETING)
    for name, talker in talkers.items():
        talker.says(f"{occasion}: {name} is done")
    for talker in talkers.values():
        for name in talkers:
            talker.hears_text(f"{occasion}: {name} is done", MEETING)


def texts_of(messages: list[MessageLine]) -> list[str]:
    """Return what was said, without notices."""
    return [message.text for message in messages if message.kind == "text"]


# Processes of the system


def child_numbers(process: int) -> list[int]:
    """Return the children of a process; none if it has ended."""
    try:
        listed = Path(f"/proc/{process}/task/{process}/children").read_text()
    except OSError:
        return []
    return [int(child) for child in listed.split()]


def children(process: int) -> list[int]:
    """Return descriptors of a process's children; they are readable at their end."""
    return [os.pidfd_open(child) for child in child_numbers(process)]


def wait_for_end(descriptors: list[int], patience: float = PATIENCE) -> None:
    """Wait until processes that may not be ours have ended, and let go of them."""
    try:
        for descriptor in descriptors:
            ended, _, _ = select.select([descriptor], [], [], patience)
            assert ended, "a process outlives the one that started it"
    finally:
        for descriptor in descriptors:
            os.close(descriptor)


# What belongs to a profile, for those who do as they like with it


@contextlib.contextmanager
def opened_vault(folder: Path) -> Iterator[Vault]:
    """Open the vault of a profile that nobody uses."""
    key, _source = unlock(folder, None)
    vault = open_vault(ProfileFolder(folder).vault, key)
    try:
        yield vault
    finally:
        vault.close()


class Impostor(Person):
    """The device of a profile, without the rules of the product's client."""

    def __init__(self, profile: ProfileRow, counter: int) -> None:
        super().__init__()
        assert profile.account_key is not None
        self.account = KeyPair(profile.account_key, profile.account_public)
        self.device_keys = KeyPair(profile.device_key, profile.device_public)
        self.device = profile.device
        self.counter = counter
        self._credential = credential_of(profile).encode()

    @override
    def credential(self) -> bytes:
        return self._credential


def impostor(folder: Path) -> Impostor:
    """Take the keys out of a profile that nobody uses."""
    with opened_vault(folder) as vault:
        profile = vault.profile()
        assert profile is not None
        return Impostor(profile, max(row.counter for row in vault.relays()) + 1_000)
