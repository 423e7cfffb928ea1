import string
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tertulia.client import limits
from tertulia.client.display import neutralise

NASTY = st.text(
    st.one_of(
        st.characters(),
        st.characters(categories=["Cc", "Cf", "Cs", "Mn", "Me", "Zl", "Zp"]),
        st.sampled_from("\x1b[]\u200d\u200c\ufe0f👩🚀🏽♂ابक्ष\n\r\t "),
    ),
    max_size=40,
)
MULTILINE = st.booleans()


@given(NASTY, MULTILINE)
def test_nothing_is_left_that_a_terminal_obeys_or_an_eye_misses(
    text: str,
    multiline: bool,  # noqa: FBT001
) -> None:
    harmless = neutralise(text, multiline=multiline)
    for character in harmless:
        category = unicodedata.category(character)
        if category == "Cc":
            assert multiline
            assert character in "\n\t"
        assert category not in {"Cs", "Zl", "Zp"}
        if category == "Cf":
            bidirectional = unicodedata.bidirectional(character)
            assert bidirectional in {"AN", "AL", "BN"}, hex(ord(character))
            assert character in "\u200c\u200d" or bidirectional != "BN"
    harmless.encode()


@given(NASTY, MULTILINE)
def test_what_is_harmless_stays_as_it_is(text: str, multiline: bool) -> None:  # noqa: FBT001
    once = neutralise(text, multiline=multiline)
    assert neutralise(once, multiline=multiline) == once


@given(NASTY)
def test_a_single_line_is_one(text: str) -> None:
    harmless = neutralise(text)
    assert len(harmless.splitlines()) <= 1


@given(NASTY)
def test_marks_do_not_pile_up(text: str) -> None:
    marks = 0
    for character in neutralise(text, multiline=True):
        marked = unicodedata.category(character) in {"Mn", "Me"}
        marks = marks + 1 if marked else 0
        assert marks <= limits.MARKS


@pytest.mark.parametrize(
    "text",
    [
        "",
        string.printable[:95],
        "¿Qué tal, señora?",
        "Việt Nam, tiếng Việt",
        unicodedata.normalize("NFD", "Việt Nam, señora"),
        "שָׁלוֹם",
        "السلام عليكم",
        "می\u200cخواهم",  # noqa: RUF001
        "क्\u200dष और क्\u200cष",
        "ภาษาไทย",
        "日本語、한국어、中文",
        "👩\u200d🚀 👨\u200d👩\u200d👧\u200d👦 🏳\ufe0f\u200d🌈 👍🏽 ❤\ufe0f",
        "🧑🏽\u200d⚕\ufe0f",
        "🇪🇸",
        "∀x∈ℝ: ⌈x⌉ = −⌊−x⌋",  # noqa: RUF001
        "\u0600\u0661\u0662",
    ],
)
def test_people_write_as_they_do(text: str) -> None:
    assert neutralise(text) == text
    assert neutralise(f"{text}\n\t{text}", multiline=True) == f"{text}\n\t{text}"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        # Escape sequences: colour, title, clipboard, 8-bit forms.
        ("\x1b[31mred\x1b[0m", "�[31mred�[0m"),
        ("\x1b]0;title\x07", "�]0;title�"),
        ("\x1b]52;c;ZXZpbA==\x1b\\", "�]52;c;ZXZpbA==�\\"),
        ("\x9b2J\x9d0;x\x9c", "�2J�0;x�"),
        ("a\x00b\x08c\x7fd", "a�b�c�d"),
        # Directions.
        ("user\u202etxt.exe", "usertxt.exe"),
        ("\u2066a\u2067b\u2068c\u2069", "abc"),
        ("\u200ea\u200f\u061c", "a"),
        # What cannot be seen.
        ("pass\u200bword\u00ad\ufeff\u2060", "password"),
        ("a\u200db\u200cc", "abc"),
        ("а\u200dб", "аб"),  # noqa: RUF001
        ("\u200d👩\u200d", "👩"),
        ("👩\u200d\u200d🚀", "👩🚀"),
        ("\u3164\u115f\uffa0", ""),
        ("x\U000e0041\U000e0042\U000e0100", "x"),
        # Half and never characters.
        ("\ud83d", "�"),
        ("\udc80\udcff", "��"),
        ("\ufffe\ufdd0\U0010ffff", "���"),
        # Lines.
        ("a\nb\r\nc\rd", "a b c d"),
        ("a\tb", "a b"),
        ("a\u2028b\u2029c\x85d\x0be\x0cf", "a b c d e f"),
    ],
)
def test_what_harms_is_replaced_or_goes(text: str, shown: str) -> None:
    assert neutralise(text) == shown


def test_lines_are_kept_where_there_is_room() -> None:
    text = "a\nb\r\nc\rd\u2028e\tf"
    assert neutralise(text, multiline=True) == "a\nb\nc\nd\ne\tf"


def test_towers_of_marks_are_cut() -> None:
    tower = "Z" + "\u0301" * 50 + "a\u0300\u0301"
    assert neutralise(tower) == "Z" + "\u0301" * limits.MARKS + "a\u0300\u0301"
    enclosed = "a" + "\u20dd" * 50
    assert neutralise(enclosed) == "a" + "\u20dd" * limits.MARKS


def test_marks_do_not_fall_on_what_stands_before_the_text() -> None:
    assert neutralise("\u0301a") == "◌\u0301a"
    assert neutralise("a \u0301") == "a ◌\u0301"
    assert neutralise("a\n\u0301\u0302", multiline=True) == "a\n◌\u0301\u0302"
