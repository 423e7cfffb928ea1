import argparse
import inspect
import re
from pathlib import Path

import pytest

from tools import words

SOURCE = """
from tertulia.l10n import _, ngettext

print(_("Nothing was lost."))
print(_("Port: {port}").format(port=8000))
print(ngettext("{n} room", "{n} rooms", 2).format(n=2))
"""

TRANSLATED = """
msgid "Nothing was lost."
msgstr "No se ha perdido nada."

msgid "Port: {port}"
msgstr "Puerto: {port}"

msgid "{n} room"
msgid_plural "{n} rooms"
msgstr[0] "{n} sala"
msgstr[1] "{n} salas"
"""


class Project:
    """A package with some sentences, and its catalogue."""

    def __init__(self, root: Path) -> None:
        self.source = root / "module.py"
        self.po = root / "l10n/locale/es/LC_MESSAGES/tertulia.po"
        self.mo = self.po.with_suffix(".mo")
        self.source.write_text(SOURCE)
        self.po.parent.mkdir(parents=True)
        self.po.write_text(TRANSLATED)

    def translate(self, before: str, after: str) -> None:
        text = self.po.read_text()
        assert before in text
        self.po.write_text(text.replace(before, after))


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Project:
    monkeypatch.setattr(words, "ROOT", tmp_path)
    monkeypatch.setattr(words, "SOURCE", tmp_path)
    monkeypatch.setattr(words, "LOCALE", tmp_path / "l10n/locale")
    monkeypatch.setattr(words, "ARGPARSE_SENTENCES", ())
    return Project(tmp_path)


def check(capsys: pytest.CaptureFixture[str]) -> list[str]:
    """Return the complaints of `check`, which must agree with its exit code."""
    capsys.readouterr()
    code = words.main(["check"])
    complaints = capsys.readouterr().err.splitlines()
    assert code == (1 if complaints else 0)
    return complaints


def test_a_complete_catalogue_passes(
    project: Project, capsys: pytest.CaptureFixture[str]
) -> None:
    assert words.main(["update"]) == 0
    assert check(capsys) == []
    assert project.mo.exists()


def test_a_sentence_without_its_translation_is_reported(
    project: Project, capsys: pytest.CaptureFixture[str]
) -> None:
    project.source.write_text(SOURCE + '_("Come in.")\n')
    assert words.main(["update"]) == 1
    assert check(capsys) == ["es: not translated: 'Come in.'"]


def test_a_plural_with_one_form_missing_is_reported(
    project: Project, capsys: pytest.CaptureFixture[str]
) -> None:
    project.translate('"{n} salas"', '""')
    words.main(["update"])
    assert check(capsys) == ["es: not translated: ('{n} room', '{n} rooms')"]


@pytest.mark.parametrize("faulty", ["Puerto: {puerto}", "Puerto", "{port} {port}"])
def test_placeholders_that_differ_are_reported(
    faulty: str, project: Project, capsys: pytest.CaptureFixture[str]
) -> None:
    project.translate("Puerto: {port}", faulty)
    words.main(["update"])
    assert check(capsys) == ["es: other placeholders than in: 'Port: {port}'"]


def test_placeholders_of_the_percent_kind_are_compared_too(
    project: Project,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(words, "ARGPARSE_SENTENCES", ("unknown: %s",))
    project.po.write_text(
        TRANSLATED + '\nmsgid "unknown: %s"\nmsgstr "desconocido: %r"\n'
    )
    words.main(["update"])
    assert check(capsys) == ["es: other placeholders than in: 'unknown: %s'"]


def test_a_stale_catalogue_is_reported(
    project: Project, capsys: pytest.CaptureFixture[str]
) -> None:
    words.main(["update"])
    project.translate("perdido nada", "perdido nada de nada")
    [complaint] = check(capsys)
    assert complaint.endswith("tertulia.mo is stale: make words")


def test_a_catalogue_that_was_never_built_is_reported(
    project: Project, capsys: pytest.CaptureFixture[str]
) -> None:
    assert not project.mo.exists()
    [complaint] = check(capsys)
    assert complaint.endswith("tertulia.mo is stale: make words")


def test_a_sentence_that_left_the_source_is_reported_and_update_removes_it(
    project: Project, capsys: pytest.CaptureFixture[str]
) -> None:
    words.main(["update"])
    project.source.write_text(SOURCE.replace('print(_("Nothing was lost."))', ""))
    assert check(capsys) == ["es: no longer in the source: 'Nothing was lost.'"]
    assert words.main(["update"]) == 0
    assert check(capsys) == []


def test_a_language_without_a_catalogue_gets_an_empty_one(
    project: Project, capsys: pytest.CaptureFixture[str]
) -> None:
    project.po.unlink()
    assert words.main(["update"]) == 1
    assert len(check(capsys)) == 3
    assert 'msgid "Port: {port}"\nmsgstr ""' in project.po.read_text()


def test_a_build_depends_on_the_sentences_alone(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    words.main(["update"])
    first = (project.po.read_bytes(), project.mo.read_bytes())
    assert all(b"Date" not in content for content in first)
    monkeypatch.setattr("babel.messages.catalog.VERSION", "99.9")
    reversed_entries = reversed(TRANSLATED.split("\n\n"))
    project.po.write_text("\n\n".join(entry.strip() for entry in reversed_entries))
    words.main(["update"])
    assert (project.po.read_bytes(), project.mo.read_bytes()) == first


def test_the_sentences_of_argparse_are_those_it_says() -> None:
    # Long ones stand there in pieces; the beginning tells enough.
    source = re.sub(r"'\s+'", "", inspect.getsource(argparse))
    for sentence in words.ARGPARSE_SENTENCES:
        assert repr(sentence) in source or f'"{sentence}"' in source, sentence
