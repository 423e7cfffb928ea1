import asyncio
import io
import os
import sys
from collections.abc import AsyncIterator, Iterable

import pytest
from hypothesis import given
from hypothesis import strategies as st
from typing_extensions import override

from tertulia.cli import screen
from tertulia.cli.screen import (
    CHUNK,
    LONGEST,
    Ending,
    PlainScreen,
    code_fits,
    is_plain,
    read_lines,
    screen_width,
    tolerate_narrow_output,
    typed_lines,
)


def pieces(data: bytes, size: int) -> list[str]:
    found = iter([data[at : at + size] for at in range(0, len(data), size)])
    return list(read_lines(lambda: next(found, b"")))


@given(text=st.text(), size=st.integers(1, 20))
def test_lines_are_read_whatever_the_pieces(text: str, size: int) -> None:
    data = text.encode("utf-8", "surrogatepass")
    whole = data.decode("utf-8", "replace").split("\n")
    expected = [line.removesuffix("\r") for line in whole]
    if whole[-1] == "":
        del expected[-1]
    assert pieces(data, size) == expected


def test_of_a_huge_line_only_the_beginning_is_kept() -> None:
    data = b"x" * (3 * LONGEST) + b"\nshort\n"
    long, short = pieces(data, CHUNK)
    assert len(long) == LONGEST
    assert short == "short"


def test_a_plain_screen_shows_lines_and_ends_with_its_input(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    written: list[str] = []

    async def typed() -> AsyncIterator[str]:
        yield "one"

    async def story() -> None:
        plain = PlainScreen(typed(), written.append)
        assert await plain.line("ignored") == "one"
        assert await plain.line() is Ending.END_OF_INPUT
        plain.show(["a", "b"])
        plain.show_whole("c" * 200)
        plain.show_code(["█"])  # there is no terminal

    monkeypatch.setattr(screen, "screen_width", lambda: None)
    asyncio.run(story())
    assert written == ["a\nb\n", "c" * 200 + "\n"]


def test_a_code_is_drawn_where_it_fits(monkeypatch: pytest.MonkeyPatch) -> None:
    written: list[str] = []

    async def nothing() -> AsyncIterator[str]:
        return
        yield

    plain = PlainScreen(nothing(), written.append)
    monkeypatch.setattr(screen, "screen_width", lambda: 10)
    monkeypatch.setenv("TERM", "xterm")
    assert not code_fits(["█" * 11])
    assert not code_fits([])
    plain.show_code(["█" * 11])
    plain.show_code(["█" * 10])
    monkeypatch.setenv("TERM", "dumb")
    plain.show_code(["█" * 10])
    assert written == ["\x1b[97;40m" + "█" * 10 + "\x1b[0m\n"]


def test_lines_come_from_a_pipe_while_the_loop_goes_on() -> None:
    reader, writer = os.pipe()

    async def story() -> list[str]:
        async with typed_lines(reader) as typed:
            os.write(writer, b"one\r\ntwo\n")
            found = [await anext(typed), await anext(typed)]
            os.write(writer, b"end")
            os.close(writer)
            return found + [line async for line in typed]

    assert asyncio.run(story()) == ["one", "two", "end"]
    os.close(reader)


def test_who_leaves_does_not_wait_for_input() -> None:
    reader, writer = os.pipe()

    async def story() -> None:
        async with typed_lines(reader):
            return

    asyncio.run(story())
    os.write(writer, b"late\n")  # the thread finds the loop gone
    os.close(writer)


class Tty(io.StringIO):
    @override
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(
    ("terminals", "term"), [("io", "xterm"), ("io", "dumb"), ("i", "x"), ("o", "x")]
)
def test_what_cannot_redraw_a_line_is_plain(
    terminals: Iterable[str], term: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "stdin", Tty() if "i" in terminals else io.StringIO())
    monkeypatch.setattr(sys, "stdout", Tty() if "o" in terminals else io.StringIO())
    assert is_plain({"TERM": term}) is ((terminals, term) != ("io", "xterm"))
    assert (screen_width() is None) is ("o" not in terminals)


def test_a_narrow_output_shows_question_marks(monkeypatch: pytest.MonkeyPatch) -> None:
    out = io.BytesIO()
    narrow = io.TextIOWrapper(out, encoding="ascii")
    monkeypatch.setattr(sys, "stdout", narrow)
    tolerate_narrow_output()
    screen.write_out("ñ")
    assert out.getvalue() == b"?"
    monkeypatch.setattr(sys, "stdout", io.StringIO())
    tolerate_narrow_output()
