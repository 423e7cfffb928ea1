"""A prompt at which lines are edited, while others' lines appear above it.

`prompt_toolkit` does the editing: history (in memory only), Tab for commands, rooms and
`@names`, and a pasted text of several lines is one message. What is typed stays as it
is, whatever arrives.
"""

import os
import shutil
import sys
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from typing import Final

from prompt_toolkit import PromptSession, print_formatted_text
from prompt_toolkit.completion import CompleteEvent, Completer, Completion
from prompt_toolkit.data_structures import Size
from prompt_toolkit.document import Document
from prompt_toolkit.formatted_text import FormattedText
from prompt_toolkit.output import Output
from prompt_toolkit.patch_stdout import patch_stdout
from prompt_toolkit.shortcuts import CompleteStyle
from typing_extensions import override

from tertulia.cli import slash_commands
from tertulia.cli.folding import fold
from tertulia.cli.screen import (
    Ending,
    Names,
    Screen,
    code_fits,
    screen_width,
    write_out,
)

PROMPT: Final = ">"


class LineCompleter(Completer):
    """Completes commands, their arguments, and names after an `@`."""

    def __init__(self, names: Names) -> None:
        self._names = names

    @override
    def get_completions(
        self, document: Document, complete_event: CompleteEvent
    ) -> Iterator[Completion]:
        begun, candidates = self._offered(document.text_before_cursor)
        folded = begun.casefold()
        for candidate in candidates:
            if candidate.casefold().startswith(folded):
                yield Completion(candidate, start_position=-len(begun))

    def _offered(self, text: str) -> tuple[str, Sequence[str]]:
        """Return what was begun, and what it could become."""
        if text.startswith("/") and not text.startswith("//"):
            name, space, argument = text[1:].partition(" ")
            if not space:
                return text, [_typed(row) for row in slash_commands.slash_commands()]
            return argument, self._arguments(name)
        word = text[text.rfind(" ") + 1 :]
        if word.startswith("@"):
            return word, [f"@{name}" for name in self._names.members]
        return word, ()

    def _arguments(self, name: str) -> Sequence[str]:
        for row in slash_commands.slash_commands():
            if row.name == name:
                match row.completes:
                    case slash_commands.Completion.ROOM:
                        return self._names.rooms
                    case slash_commands.Completion.MEMBER:
                        return self._names.members
                    case _:
                        return row.choices
        return ()


def _typed(row: slash_commands.SlashCommand) -> str:
    """Return how a command begins, up to where its argument would."""
    return f"/{row.name} " if row.arguments else f"/{row.name}"


class PromptScreen(Screen):
    """A person at a terminal."""

    def __init__(self, session: PromptSession[str]) -> None:
        self._session = session

    @override
    async def line(self, given_back: str = "") -> str | Ending:
        try:
            return await self._session.prompt_async(
                PROMPT, default=given_back, handle_sigint=False
            )
        except EOFError:
            return Ending.END_OF_INPUT
        except KeyboardInterrupt:
            return Ending.INTERRUPTED

    @override
    def show(self, lines: Sequence[str]) -> None:
        write_out("".join(line + "\n" for line in fold(lines, screen_width())))

    @override
    def show_whole(self, line: str) -> None:
        write_out(line + "\n")

    @override
    def show_code(self, rows: Sequence[str]) -> None:
        if code_fits(rows):
            white_on_black = "fg:ansiwhite bg:ansiblack"
            for row in rows:
                print_formatted_text(FormattedText([(white_on_black, row)]))


@asynccontextmanager
async def open_prompt(names: Names) -> AsyncIterator[PromptScreen]:
    """Take the terminal for as long as the conversation lasts."""
    session: PromptSession[str] = PromptSession(
        completer=LineCompleter(names),
        complete_while_typing=False,
        complete_style=CompleteStyle.READLINE_LIKE,
        reserve_space_for_menu=0,
        output=_output(),
    )
    with patch_stdout():
        yield PromptScreen(session)


def _output() -> Output | None:
    """Return an output that asks the terminal nothing: some never answer."""
    if sys.platform == "win32":
        return None
    from prompt_toolkit.output.vt100 import Vt100_Output

    def size() -> Size:
        columns, rows = shutil.get_terminal_size()
        return Size(rows=rows, columns=columns)

    term = os.environ.get("TERM")
    return Vt100_Output(sys.stdout, size, term=term, enable_cpr=False)
