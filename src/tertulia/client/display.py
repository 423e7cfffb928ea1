"""Text of others, made harmless to draw.

Terminals obey control characters, and people believe their eyes: escape sequences and
controls become a visible replacement, marks that turn the direction of text or that
cannot be seen go, and so do combining marks piled on one character. What is left says
what it said. The result is its own neutralised form.
"""

import unicodedata
from itertools import pairwise
from typing import Final

from tertulia.client import limits

_REPLACEMENT: Final = "\N{REPLACEMENT CHARACTER}"
_BASE: Final = "\N{DOTTED CIRCLE}"
_JOINERS: Final = "\N{ZERO WIDTH NON-JOINER}\N{ZERO WIDTH JOINER}"

_NEWLINES: Final = dict.fromkeys(
    map(ord, "\r\x0b\x0c\x85\N{LINE SEPARATOR}\N{PARAGRAPH SEPARATOR}"), "\n"
)

# Category Cf, and yet drawn: number and verse signs that stand before digits.
_DRAWN: Final = frozenset("\u0600\u0601\u0602\u0603\u0604\u0605\u06dd\u070f\u08e2")
# Letters by category, and yet nothing to see: names could be made of them.
_UNSEEN: Final = frozenset("\u115f\u1160\u3164\uffa0\u17b4\u17b5")
_NEVER_CHARACTERS: Final = 0xFFFE

# Scripts whose letters joiners connect or part: Arabic to Sinhala, Myanmar, Khmer,
# Mongolian.
_JOINING_SCRIPTS: Final = (
    range(0x0600, 0x0E00),
    range(0x1000, 0x10A0),
    range(0x1780, 0x18B0),
)
_EMOJI_STYLE: Final = "\N{VARIATION SELECTOR-16}"
_SKIN_TONES: Final = range(0x1F3FB, 0x1F400)


def neutralise(text: str, *, multiline: bool = False) -> str:
    """Return `text` fit to be drawn; on one line unless `multiline`."""
    lines = text.replace("\r\n", "\n").translate(_NEWLINES)
    if not multiline:
        lines = lines.replace("\n", " ").replace("\t", " ")
    seen = "".join(_seen(character) for character in lines)
    return _with_few_marks(_with_joiners_in_place(seen))


def _seen(character: str) -> str:
    if character in "\n\t" or character in _JOINERS:
        return character
    if character in _UNSEEN:
        return ""
    code_point = ord(character)
    category = unicodedata.category(character)
    if category == "Cf":
        return character if character in _DRAWN else ""
    if code_point & 0xFFFF >= _NEVER_CHARACTERS or 0xFDD0 <= code_point <= 0xFDEF:
        return _REPLACEMENT
    if 0xE0000 <= code_point <= 0xE0FFF:
        return ""
    return _REPLACEMENT if category in {"Cc", "Cs"} else character


def _with_joiners_in_place(text: str) -> str:
    """Drop joiners that join nothing: between them words could hide."""
    if not any(joiner in text for joiner in _JOINERS):
        return text
    kept = []
    framed = f" {text} "
    for (before, character), after in zip(pairwise(framed), framed[2:], strict=False):
        if character not in _JOINERS or _joins(before, after):
            kept.append(character)
    return "".join(kept)


def _joins(before: str, after: str) -> bool:
    if _is_joining_letter(before) and _is_joining_letter(after):
        return True
    return _ends_emoji(before) and unicodedata.category(after) == "So"


def _is_joining_letter(character: str) -> bool:
    letter = unicodedata.category(character)[0] in "LM"
    return letter and any(ord(character) in script for script in _JOINING_SCRIPTS)


def _ends_emoji(character: str) -> bool:
    return (
        character == _EMOJI_STYLE
        or ord(character) in _SKIN_TONES
        or unicodedata.category(character) == "So"
    )


def _with_few_marks(text: str) -> str:
    """Bound the combining marks per character, and give each row of them a base."""
    if text.isascii():
        return text
    kept: list[str] = []
    marks = 0
    for character in text:
        if unicodedata.category(character) not in {"Mn", "Me"}:
            marks = 0
        else:
            if marks == 0 and (not kept or kept[-1] in "\n\t "):
                kept.append(_BASE)
            marks += 1
        if marks <= limits.MARKS:
            kept.append(character)
    return "".join(kept)
