"""Options that can come from four places, and how their values are read.

The command line comes first, then the environment (`TERTULIA_NAME`), then the
configuration file (TOML, same names), then the default. An option is declared once, as
a row; the parser, `--help`, the file, the environment and the reference page walk the
rows. All values are read from text, so that they mean the same wherever they stand.
"""

import argparse
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Final

from tertulia.errors import UsageError
from tertulia.l10n import _


class BadOptionError(UsageError):
    """The value of an option cannot be used."""

    code: ClassVar[str] = "bad_option"
    sentence: ClassVar[str] = "{source}: {value!r} is not {wanted}"

    def __init__(self, source: str, value: object, wanted: str) -> None:
        super().__init__(source, value, wanted)
        self.source = source
        self.value = value
        self.wanted = wanted


class BadConfigurationError(UsageError):
    """The configuration file cannot be read."""

    code: ClassVar[str] = "bad_configuration"
    sentence: ClassVar[str] = "{path}: {reason}"

    def __init__(self, path: object, reason: str) -> None:
        super().__init__(path, reason)
        self.path = str(path)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Option:
    """One option. Without a metavar it is a switch; `wanted` says what fits."""

    name: str
    words: str
    read: Callable[[str], Any]
    metavar: str | None = None
    wanted: str = ""
    default: str = ""
    repeats: bool = False

    @property
    def flag(self) -> str:
        """The name on the command line."""
        return f"--{self.name}"

    @property
    def variable(self) -> str:
        """The name in the environment."""
        return f"TERTULIA_{self.name.replace('-', '_').upper()}"

    @property
    def destination(self) -> str:
        """The name among parsed arguments."""
        return self.name.replace("-", "_")


def add_options(parser: argparse.ArgumentParser, options: Sequence[Option]) -> None:
    """Let `parser` take the options, as text."""
    for option in options:
        words = option.words.replace("%", "%%")
        if option.metavar is None:
            parser.add_argument(
                option.flag, action="store_const", const="yes", help=words
            )
            continue
        parser.add_argument(
            option.flag,
            metavar=option.metavar,
            action="append" if option.repeats else "store",
            help=words,
        )


def read_options(
    options: Sequence[Option],
    arguments: argparse.Namespace,
    environment: Mapping[str, str],
    file: Path | None,
) -> dict[str, Any]:
    """Return the value of every option that was given; raise UsageError."""
    written = _read_file(options, file)
    values: dict[str, Any] = {}
    for option in options:
        given = getattr(arguments, option.destination, None)
        source = option.flag
        if given is None and option.variable in environment:
            source, given = option.variable, environment[option.variable]
            given = given.split(",") if option.repeats else given
        if given is None and option.name in written:
            source, given = f"{file}: {option.name}", written[option.name]
        if given is not None:
            values[option.name] = _read(option, source, given)
    return values


def _read(option: Option, source: str, given: object) -> Any:
    if option.repeats:
        texts = given if isinstance(given, list) else [given]
        return tuple(_read_one(option, source, text) for text in texts)
    return _read_one(option, source, given)


def _read_one(option: Option, source: str, given: object) -> Any:
    text = str(given).lower() if isinstance(given, bool) else given
    text = str(text) if isinstance(text, int) else text
    try:
        return option.read(str.strip(text))  # type: ignore[arg-type]
    except (ValueError, TypeError):
        raise BadOptionError(source, given, option.wanted) from None


def _read_file(options: Sequence[Option], file: Path | None) -> dict[str, Any]:
    if file is None:
        return {}
    import tomllib

    try:
        written = tomllib.loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise BadConfigurationError(file, error.strerror or str(error)) from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise BadConfigurationError(file, str(error)) from error
    unknown = sorted(set(written) - {option.name for option in options})
    if unknown:
        raise BadConfigurationError(
            file, _("there is no option {name}").format(name=unknown[0])
        )
    return written


# Values

_SIZES: Final = {"": 1, "k": 1024, "m": 1024**2, "g": 1024**3, "t": 1024**4}
_DURATIONS: Final = {
    "s": 1_000,
    "m": 60_000,
    "h": 3_600_000,
    "d": 86_400_000,
    "w": 604_800_000,
}


_SWITCHES: Final = {
    "yes": True,
    "true": True,
    "on": True,
    "1": True,
    "no": False,
    "false": False,
    "off": False,
    "0": False,
}


def switch(text: str) -> bool:
    """Return what `yes` or `no`, or one of their like, says."""
    if text.lower() not in _SWITCHES:
        raise ValueError
    return _SWITCHES[text.lower()]


def number(text: str) -> int:
    """Return a whole number above zero."""
    value = int(text)
    if value < 1:
        raise ValueError
    return value


def size(text: str) -> int:
    """Return bytes: `500M`, `64GiB`, `1048576`."""
    found = re.fullmatch(r"(\d{1,15})\s*([kmgt]?)(i?b)?", text.lower(), re.ASCII)
    if found is None:
        raise ValueError
    return int(found[1]) * _SIZES[found[2]]


def duration(text: str) -> int:
    """Return milliseconds: `30d`, `12h`, `2w`."""
    found = re.fullmatch(r"(\d{1,9})\s*([smhdw])", text.lower(), re.ASCII)
    if found is None:
        raise ValueError
    return int(found[1]) * _DURATIONS[found[2]]


def one_of(*choices: str) -> Callable[[str], str]:
    """Return a reader of one of a few words."""

    def read(text: str) -> str:
        if text.lower() not in choices:
            raise ValueError
        return text.lower()

    return read


def host_and_port(text: str) -> tuple[str, int]:
    """Return `HOST:PORT`, `[IPV6]:PORT`, `:PORT` or `HOST` (port -1) as a pair."""
    found = re.fullmatch(r"(?:\[([^\]]+)\]|([^:]*))(?::(\d{1,5}))?", text, re.ASCII)
    if found is None:
        raise ValueError
    port = int(found[3]) if found[3] else -1
    host = found[1] or found[2] or ""
    # A bare number is a port whose colon was forgotten, not the name of a host.
    if port > 65535 or (not host and port < 0) or host.isdecimal():
        raise ValueError
    return host, port
