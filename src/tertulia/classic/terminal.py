"""Where people type and read: a terminal, or the pipes of a script.

What others send is not to be trusted: a terminal obeys control characters, with which a
message could erase the screen, retitle the window or forge a line. `visible` makes them
harmless; accents and every other script pass.

On a terminal a line that arrives takes the place of the prompt, and the prompt returns
below it with what was being typed, as far as the system tells us (`readline` does;
Windows has none). With pipes there is no prompt, only lines.
"""

import contextlib
import os
import sys
import threading
import unicodedata
from collections.abc import Callable, Iterator
from typing import Protocol

PROMPT = ">"

_COMMANDS = frozenset({"Cc", "Cs", "Zl", "Zp"})  # controls, surrogates, line separators
_DIRECTIONS = frozenset(
    "\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
)


def visible(text: str) -> str:
    """Return `text` on one line, with control characters spelled out (`\\x1b`)."""
    return "".join(
        character.encode("unicode_escape").decode()
        if _commands(character)
        else character
        for character in text
    )


def _commands(character: str) -> bool:
    if character == "\t":
        return False
    return unicodedata.category(character) in _COMMANDS or character in _DIRECTIONS


class Log:
    """Writes whole lines to standard output, whichever thread they come from."""

    def __init__(self) -> None:
        self._lock = threading.Lock()

    def say(self, line: str) -> None:
        """Write `line` at once. If nobody reads any more, go on without a log."""
        with self._lock, contextlib.suppress(OSError):
            sys.stdout.write(line + "\n")
            sys.stdout.flush()


class Terminal(Protocol):
    """What the client needs of the place it runs in."""

    def ask(self, question: str) -> str:
        """Return a line that is not blank. Raises EOFError if no more comes."""

    def lines(self) -> Iterator[str]:
        """Yield what is typed, line by line, until there is no more."""

    def show(self, line: str) -> None:
        """Show `line`, from any thread."""

    def close(self) -> None:
        """Leave the terminal as it was found."""


def open_terminal() -> Terminal:
    """Return the terminal this process runs in."""
    if sys.stdin.isatty() and sys.stdout.isatty():
        return Screen()
    return Pipes()


class Screen:
    """A person at a terminal."""

    def __init__(self) -> None:
        self._log = Log()
        self._prompting = False
        self._restore_modes = _modes_keeper()
        self._being_typed = _line_editor()

    def ask(self, question: str) -> str:
        """Return a line that is not blank. Raises EOFError if no more comes."""
        while not (answer := input(question).strip()):
            pass
        return answer

    def lines(self) -> Iterator[str]:
        """Yield what is typed after each prompt, until end of file."""
        while (line := self._line()) is not None:
            yield line

    def show(self, line: str) -> None:
        """Show `line` above the prompt."""
        if not self._prompting:
            self._log.say(line)
            return
        prompt = PROMPT + self._being_typed()
        self._log.say("\r" + " " * len(prompt) + "\r" + line)
        self._write(prompt)

    def close(self) -> None:
        """Undo what a prompt still waiting has done to the terminal."""
        if self._prompting:
            self._write("\n")
        self._restore_modes()

    def _line(self) -> str | None:
        self._prompting = True
        try:
            return input(PROMPT)
        except EOFError:
            self._write("\n")
            return None
        finally:
            self._prompting = False

    def _write(self, text: str) -> None:
        sys.stdout.write(text)
        sys.stdout.flush()


def _modes_keeper() -> Callable[[], None]:
    """Return a function that gives the terminal back the modes it has now."""
    try:
        import termios  # noqa: PLC0415 -- absent on Windows
    except ImportError:  # pragma: no cover -- Windows
        return lambda: None
    modes = termios.tcgetattr(sys.stdin)
    return lambda: termios.tcsetattr(sys.stdin, termios.TCSADRAIN, modes)


def _line_editor() -> Callable[[], str]:
    """Switch line editing on, if there is any; return what tells the unfinished line."""
    if sys.flags.utf8_mode:
        # The locale is C or not installed. Python then takes text for UTF-8 (PEP 540),
        # while readline would take half of an accented letter for a command.
        os.environ["LC_ALL"] = "C.UTF-8"
    try:
        import readline  # noqa: PLC0415 -- absent on Windows, and reads the locale
    except ImportError:  # pragma: no cover -- Windows
        return str
    readline.parse_and_bind("set disable-completion on")
    return readline.get_line_buffer


class Pipes:
    """A script, or anything else that is not a person at a terminal."""

    def __init__(self) -> None:
        self._log = Log()
        # Unbuffered: a thread that waits in a buffered reader holds a lock, and Python
        # cannot exit while it does.
        self._input = open(  # noqa: SIM115 -- a descriptor that is not ours
            sys.stdin.fileno(), "rb", buffering=0, closefd=False
        )

    def ask(self, question: str) -> str:
        """Return a line that is not blank. Raises EOFError if no more comes."""
        sys.stdout.write(question)
        sys.stdout.flush()
        for line in self.lines():
            if answer := line.strip():
                return answer
        raise EOFError

    def lines(self) -> Iterator[str]:
        """Yield the lines that come in, until end of file."""
        while line := self._input.readline():
            yield line.decode(sys.stdin.encoding, "replace").rstrip("\r\n")

    def show(self, line: str) -> None:
        """Write `line`."""
        self._log.say(line)

    def close(self) -> None:
        """Do nothing: pipes have no modes to restore."""
