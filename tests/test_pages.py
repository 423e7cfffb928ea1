"""What the pages say can be followed: links, commands, sizes, names of notes."""

import re
import shlex
from pathlib import Path

import pytest

from tertulia.cli.main import build_parser
from tertulia.client import limits

ROOT = Path(__file__).resolve().parent.parent
PAGES = sorted(
    [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("changes/*")]
)
LINK = re.compile(r"\[[^]]+\]\((?!https?:)([^)#]+)[^)]*\)")
SHELL = re.compile(r"^```(?:sh|text)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
COMMAND = re.compile(r"^(?:\S*[/\\])?tertulia (.*)$", re.MULTILINE)
KINDS = {"security", "breaking", "added", "changed", "fixed"}


def name(path: Path) -> str:
    return str(path.relative_to(ROOT))


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_links_lead_somewhere(page: Path) -> None:
    for target in LINK.findall(page.read_text(encoding="utf-8")):
        assert (page.parent / target).exists(), target


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_commands_are_understood(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    for block in SHELL.findall(text):
        for arguments in COMMAND.findall(block):
            parsed = build_parser().parse_args(shlex.split(arguments, comments=True))
            assert parsed.run is not None, arguments


@pytest.mark.parametrize(
    ("page", "lines"), [("README.md", 150), ("ARCHITECTURE.md", 250)]
)
def test_what_a_newcomer_reads_is_short(page: str, lines: int) -> None:
    assert 0 < len((ROOT / page).read_text(encoding="utf-8").splitlines()) <= lines


def test_change_notes_are_named_by_their_kind() -> None:
    for note in (ROOT / "changes").iterdir():
        assert note.name == "README.md" or (
            re.fullmatch(r"[a-z0-9-]+\.([a-z]+)\.md", note.name)
            and note.name.split(".")[1] in KINDS
        ), note.name


def test_every_decision_is_in_the_list_once() -> None:
    folder = ROOT / "docs" / "decisions"
    index = (folder / "README.md").read_text(encoding="utf-8")
    pages = [page.name for page in folder.glob("[0-9]*.md")]
    assert pages
    assert [index.count(f"({page})") for page in pages] == [1] * len(pages)


def test_the_list_tells_which_decisions_were_replaced() -> None:
    folder = ROOT / "docs" / "decisions"
    index = (folder / "README.md").read_text(encoding="utf-8")
    replaced = {
        page.name
        for page in folder.glob("[0-9]*.md")
        if "*Replaced " in page.read_text(encoding="utf-8")
    }
    listed = re.findall(r"\(([^)]+)\).*; replaced", index)
    assert replaced == set(listed)


def test_the_bound_of_hybrid_rooms_is_the_one_that_is_told() -> None:
    told = (ROOT / "docs" / "howto" / "talk.md").read_text(encoding="utf-8")
    assert f"up to {limits.HYBRID_DEVICES} devices" in told
