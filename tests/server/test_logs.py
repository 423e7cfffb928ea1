import io
import logging
import re
import sys

from hypothesis import given
from hypothesis import strategies as st

from tertulia.server.logs import LOGGER, EventFormatter, Log, write_logs_to


def lines_of(log: Log, **facts: object) -> str:
    stream = io.StringIO()
    write_logs_to(stream, "debug")
    log.info("event", **facts)
    write_logs_to(sys.stderr)
    return stream.getvalue()


def test_an_event_is_one_line_of_facts() -> None:
    line = lines_of(Log(), port=8000, code="x y")
    assert re.fullmatch(r'\S+Z info event port=8000 code="x y"\n', line)


def test_addresses_are_left_out_unless_asked_for() -> None:
    assert "192.0.2.1" not in lines_of(Log(), address="192.0.2.1")
    asked = Log(with_addresses=True)
    assert "address=192.0.2.1" in lines_of(asked, address="192.0.2.1")


@given(st.text())
def test_no_fact_writes_a_line_of_its_own(text: str) -> None:
    record = logging.makeLogRecord({"msg": "event", "facts": {"fact": text}})
    line = EventFormatter().format(record)
    assert line.isascii()
    assert line.isprintable()


def test_a_bug_says_where_but_not_what() -> None:
    stream = io.StringIO()
    write_logs_to(stream)
    try:
        int("the secret")
    except ValueError as error:
        Log().bug("failed", error)
    Log().bug("failed", ValueError("the secret"))
    Log().debug("not shown")
    Log().warning("shown")
    write_logs_to(sys.stderr)
    assert "ValueError" in stream.getvalue()
    assert "secret" not in stream.getvalue()
    assert stream.getvalue().count("\n") == 3
    assert LOGGER.propagate is False
