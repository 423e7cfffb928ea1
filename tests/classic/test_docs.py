"""The samples of docs/classic.md do what the page says."""

import contextlib
import io
import re
from pathlib import Path

from tertulia.classic.caesar import DEFAULT_KEY, encrypt

PAGE = Path(__file__).parents[2] / "docs" / "classic.md"
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
ANSWER = "10 Ana: ¡Hola! Nos vemos a las cuatro en la fuente\n"


def blocks(language: str) -> list[str]:
    page = PAGE.read_text(encoding="utf-8")
    return [block[2] for block in BLOCK.finditer(page) if block[1] == language]


def outputs() -> list[str]:
    """Run the Python samples one after another, as a reader would."""
    names: dict[str, object] = {}
    printed = []
    for sample in blocks("python"):
        with contextlib.redirect_stdout(io.StringIO()) as output:
            exec(compile(sample, PAGE, "exec"), names)
        printed.append(output.getvalue())
    return printed


def test_trying_shows_the_text_once_among_the_keys() -> None:
    by_trying, _by_counting = outputs()
    assert len(by_trying.splitlines()) == 25
    assert by_trying.count(ANSWER) == 1


def test_counting_finds_the_key() -> None:
    _by_trying, by_counting = outputs()
    assert by_counting == ANSWER


def test_the_page_shows_what_the_samples_print_and_what_travels() -> None:
    shown = blocks("text")
    assert shown.count(ANSWER) == 2
    ciphertext = encrypt(ANSWER.removeprefix("10 "), DEFAULT_KEY)
    assert ciphertext in shown


def test_every_file_of_the_package_is_explained() -> None:
    package = PAGE.parents[1] / "src" / "tertulia" / "classic"
    named = set(
        re.findall(r"^\| `(\w+\.py)` \|", PAGE.read_text("utf-8"), re.MULTILINE)
    )
    assert named == {file.name for file in package.glob("*.py")} - {"__init__.py"}
