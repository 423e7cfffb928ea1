"""Where a conversation is typed and read: a prompt, or plain lines.

A `Screen` gives what was typed, line by line, and shows lines. Plain lines are for
pipes, dumb terminals and screen readers: nothing is ever drawn over.
"""

import asyncio
import contextlib
import io
import os
import shutil
import sys
import threading
from collections.abc import (
    AsyncIterator,
    Callable,
    Iterable,
    Iterator,
    Mapping,
    Sequence,
)
from contextlib import asynccontextmanager
from dataclasses import dataclass
from enum import Enum, auto
from typing import Final, Protocol

from typing_extensions import override

from tertulia.cli.folding import fold


class Ending(Enum):
    """Why no line comes any more."""

    END_OF_INPUT = auto()
    INTERRUPTED = auto()


@dataclass(slots=True)
class Names:
    """What can be completed; the conversation keeps it up to date."""

    rooms: Sequence[str] = ()
    members: Sequence[str] = ()


class Screen(Protocol):
    """What a conversation needs of the place it is shown in."""

    async def line(self, given_back: str = "") -> str | Ending:
        """Return the next line typed; `given_back` stands there to be edited."""

    def show(self, lines: Sequence[str]) -> None:
        """Show lines, above what is being typed."""

    def show_whole(self, line: str) -> None:
        """Show a line that is to be copied: it is not broken, however long it is."""

    def show_code(self, rows: Sequence[str]) -> None:
        """Show a QR code, of rows of half blocks, if there is room for it."""


def is_plain(environment: Mapping[str, str]) -> bool:
    """Tell whether this process has no terminal that can redraw a line."""
    terminals = sys.stdin.isatty() and sys.stdout.isatty()
    return not terminals or environment.get("TERM") == "dumb"


def tolerate_narrow_output() -> None:
    """Show a question mark for what the terminal's encoding cannot."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")


def screen_width() -> int | None:
    """Return how many columns the terminal has; None where there is none."""
    return shutil.get_terminal_size().columns if sys.stdout.isatty() else None


def code_fits(rows: Sequence[str]) -> bool:
    """Tell whether a QR code can be shown here so that it can be scanned."""
    width = screen_width()
    return width is not None and bool(rows) and len(rows[0]) <= width


class PlainScreen(Screen):
    """Lines in, lines out."""

    def __init__(
        self, typed: AsyncIterator[str], write: Callable[[str], object]
    ) -> None:
        self._typed = typed
        self._write = write

    @override
    async def line(self, given_back: str = "") -> str | Ending:
        return await anext(self._typed, Ending.END_OF_INPUT)

    @override
    def show(self, lines: Sequence[str]) -> None:
        self._write("".join(line + "\n" for line in fold(lines, screen_width())))

    @override
    def show_whole(self, line: str) -> None:
        self._write(line + "\n")

    @override
    def show_code(self, rows: Sequence[str]) -> None:
        if code_fits(rows) and os.environ.get("TERM") != "dumb":
            self._write("".join(f"{WHITE_ON_BLACK}{row}{RESET}\n" for row in rows))


# A code that is drawn in the terminal's own colours is inverted on a light ground.
WHITE_ON_BLACK: Final = "\x1b[97;40m"
RESET: Final = "\x1b[0m"


def write_out(text: str) -> None:
    """Write to standard output at once."""
    sys.stdout.write(text)
    sys.stdout.flush()


# Standard input

CHUNK: Final = 64 * 1024
LONGEST: Final = 256 * 1024  # beyond what any message may be, so that it is refused
WAITING: Final = 64  # lines read ahead; whoever writes faster waits


@asynccontextmanager
async def typed_lines(descriptor: int) -> AsyncIterator[AsyncIterator[str]]:
    """Read lines from a pipe, file or terminal without stopping the loop."""
    loop = asyncio.get_running_loop()
    lines: asyncio.Queue[str | None] = asyncio.Queue()
    places = threading.Semaphore(WAITING)

    def give(line: str | None) -> None:
        places.acquire()
        loop.call_soon_threadsafe(lines.put_nowait, line)

    def read() -> None:
        # RuntimeError: the loop is gone, and nobody wants the lines any more.
        with contextlib.suppress(RuntimeError):
            with contextlib.suppress(OSError):  # as good as the end
                for line in read_lines(lambda: os.read(descriptor, CHUNK)):
                    give(line)
            give(None)

    async def take() -> AsyncIterator[str]:
        while (line := await lines.get()) is not None:
            places.release()
            yield line

    # A thread that waits for input cannot be stopped, so it must not be waited for.
    threading.Thread(target=read, name="typed-lines", daemon=True).start()
    yield take()


def read_lines(read: Callable[[], bytes]) -> Iterator[str]:
    """Yield the lines that `read` gives in pieces; of a huge one only the beginning."""
    for line in _whole_lines(iter(read, b"")):
        yield line.decode("utf-8", "replace").removesuffix("\r")


def _whole_lines(pieces: Iterable[bytes]) -> Iterator[bytes]:
    pending = bytearray()
    for piece in pieces:
        *ends, rest = piece.split(b"\n")
        for end in ends:
            pending += end[: LONGEST - len(pending)]
            yield bytes(pending)
            pending.clear()
        pending += rest[: LONGEST - len(pending)]
    if pending:
        yield bytes(pending)
