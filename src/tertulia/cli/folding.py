"""Breaks long lines so that what is left over cannot pass for a line of its own.

A terminal breaks a long line by itself and begins the rest at the margin, where a
member could have put what looks like a line of somebody else. So lines are broken here,
and what is left over is indented.
"""

from collections.abc import Iterable, Sequence
from typing import Final

INDENT: Final = "    "
NARROWEST: Final = 20


def fold(lines: Iterable[str], width: int | None) -> list[str]:
    """Return the lines in pieces that fit; without a width, as they are."""
    if width is None:
        return list(lines)
    # The last column stays empty: some terminals go on there, some break after it.
    return [
        piece for line in lines for piece in _pieces(line, max(width - 1, NARROWEST))
    ]


def _pieces(line: str, columns: int) -> Sequence[str]:
    from prompt_toolkit.utils import get_cwidth

    pieces: list[str] = []
    piece, taken = "", 0
    for character in line:
        wide = get_cwidth(character)
        if taken + wide > columns:
            pieces.append(piece)
            piece, taken = INDENT, len(INDENT)
        piece, taken = piece + character, taken + wide
    return [*pieces, piece]
