"""Log lines of a relay: one event per line, `key=value`, no content, nobody's address.

An event has a fixed name and facts: ids, counts, codes. What came from outside is never
part of the name, and as a fact it is quoted, so that nobody can write a line of their
own into the log. Addresses of clients appear only where the operator asks for them.
"""

import json
import logging
import re
import sys
from datetime import UTC, datetime
from typing import Any, Final, TextIO

from typing_extensions import override

LOGGER: Final = logging.getLogger("tertulia.server")

_PLAIN: Final = re.compile(r"[A-Za-z0-9_./:+-]{1,200}")
_MAX_FACT: Final = 200


class Log:
    """Writes events; `with_addresses` is the operator's choice."""

    def __init__(
        self, logger: logging.Logger = LOGGER, *, with_addresses: bool = False
    ) -> None:
        self._logger = logger
        self._with_addresses = with_addresses

    def info(self, event: str, **facts: object) -> None:
        """Write what an operator wants to know."""
        self._logger.info(event, extra={"facts": self._allowed(facts)})

    def debug(self, event: str, **facts: object) -> None:
        """Write what only somebody looking for a fault wants to know."""
        if self._logger.isEnabledFor(logging.DEBUG):
            self._logger.debug(event, extra={"facts": self._allowed(facts)})

    def warning(self, event: str, **facts: object) -> None:
        """Write what an operator should look at."""
        self._logger.warning(event, extra={"facts": self._allowed(facts)})

    def bug(self, event: str, error: BaseException) -> None:
        """Write that we broke a rule of our own, and where; not with which values."""
        facts = {"error": type(error).__name__, "at": _place(error)}
        self._logger.error(event, extra={"facts": facts})

    def _allowed(self, facts: dict[str, object]) -> dict[str, object]:
        if self._with_addresses or "address" not in facts:
            return facts
        return {key: value for key, value in facts.items() if key != "address"}


def _place(error: BaseException) -> str:
    traceback = error.__traceback__
    while traceback is not None and traceback.tb_next is not None:
        traceback = traceback.tb_next
    if traceback is None:
        return "?"
    return f"{traceback.tb_frame.f_globals.get('__name__')}:{traceback.tb_lineno}"


class EventFormatter(logging.Formatter):
    """One line per event: time, level, event, facts."""

    @override
    def format(self, record: logging.LogRecord) -> str:
        time = datetime.fromtimestamp(record.created, UTC)
        stamp = time.isoformat(timespec="milliseconds").replace("+00:00", "Z")
        facts: dict[str, Any] = getattr(record, "facts", {})
        parts = [stamp, record.levelname.lower(), _shown(record.getMessage())]
        parts += [f"{key}={_shown(value)}" for key, value in facts.items()]
        return " ".join(parts)


def _shown(value: object) -> str:
    text = str(value)[:_MAX_FACT]
    # JSON's escapes leave no line break, no terminal sequence and no other alphabet.
    return text if _PLAIN.fullmatch(text) else json.dumps(text)


def write_logs_to(stream: TextIO = sys.stderr, level: str = "info") -> None:
    """Send the relay's log to `stream`, from `level` on."""
    handler = logging.StreamHandler(stream)
    handler.setFormatter(EventFormatter())
    LOGGER.handlers[:] = [handler]
    LOGGER.setLevel(level.upper())
    LOGGER.propagate = False
