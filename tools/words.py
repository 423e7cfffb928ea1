"""Keep the catalogues of sentences complete, with Babel.

python tools/words.py update   gather sentences from the source, build catalogues
python tools/words.py check    fail if a sentence lacks its translation, if a
                               catalogue is stale, or if placeholders differ

What is built depends on the sentences alone: no date, no name of a tool. So a build
can be repeated byte for byte, and `check` can tell a stale one.
"""

import io
import re
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

from babel.messages.catalog import Catalog, Message
from babel.messages.extract import extract_from_dir
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po

ROOT = Path(__file__).resolve().parent.parent
SOURCE = ROOT / "src" / "tertulia"
LOCALE = SOURCE / "l10n" / "locale"
LANGUAGES = ("es",)
KEYWORDS = {"_": None, "ngettext": (1, 2)}

# What a person may meet of argparse, which finds its sentences in our catalogue; as in
# Python 3.11. Where another version says something else, it says that in English.
ARGPARSE_SENTENCES = (
    "usage: ",
    "options",
    "positional arguments",
    "show this help message and exit",
    "%(prog)s: error: %(message)s\n",
    "argument %(argument_name)s: %(message)s",
    "ambiguous option: %(option)s could match %(matches)s",
    "expected one argument",
    "ignored explicit argument %r",
    "invalid choice: %(value)r (choose from %(choices)s)",
    "the following arguments are required: %s",
    "unrecognized arguments: %s",
)

# As `str.format` has them, and as `%` does for argparse.
PLACEHOLDER = re.compile(r"\{\w*[^}]*\}|%\(\w+\)[a-z]|%[drs]")


class _Catalog(Catalog):
    """A catalogue whose header holds no more than gettext needs."""

    def _headers(self) -> list[tuple[str, str]]:
        return [
            ("Language", str(self.locale_identifier)),
            ("Plural-Forms", self.plural_forms),
            ("MIME-Version", "1.0"),
            ("Content-Type", f"text/plain; charset={self.charset}"),
            ("Content-Transfer-Encoding", "8bit"),
        ]

    def _take_headers(self, headers: Iterable[tuple[str, str]]) -> None:
        """Ignore what a file says: all of it follows from the language."""

    mime_headers = property(_headers, _take_headers)


def main(arguments: list[str]) -> int:
    """Carry out the command line; return the exit code."""
    template = _gather()
    complaints: list[str] = []
    for language in LANGUAGES:
        po_path = LOCALE / language / "LC_MESSAGES" / "tertulia.po"
        if arguments == ["update"]:
            _update(template, po_path, language)
        complaints += _complaints(template, po_path, language)
    for complaint in complaints:
        print(complaint, file=sys.stderr)
    return 1 if complaints else 0


def _gather() -> Catalog:
    template = Catalog(project="tertulia")
    found = extract_from_dir(SOURCE, keywords=KEYWORDS)
    for _name, _line, message, comments, context in found:
        template.add(message, auto_comments=comments, context=context)
    for sentence in ARGPARSE_SENTENCES:
        template.add(sentence)
    return template


def _update(template: Catalog, po_path: Path, language: str) -> None:
    catalog = _read(po_path, language)
    catalog.update(template, no_fuzzy_matching=True)
    catalog.obsolete.clear()
    po_path.parent.mkdir(parents=True, exist_ok=True)
    with po_path.open("wb") as file:
        write_po(file, catalog, width=88, sort_output=True)
    po_path.with_suffix(".mo").write_bytes(_compiled(catalog))


def _read(po_path: Path, language: str) -> Catalog:
    comment = f"# The sentences of tertulia in {language}; `make words` gathers them."
    catalog = _Catalog(locale=language, header_comment=comment, fuzzy=False)
    if po_path.exists():
        with po_path.open("rb") as file:
            for message in read_po(file, locale=language):
                if message.id:
                    catalog[message.id] = message
    return catalog


def _compiled(catalog: Catalog) -> bytes:
    out = io.BytesIO()
    write_mo(out, catalog)
    return out.getvalue()


def _complaints(template: Catalog, po_path: Path, language: str) -> list[str]:
    catalog = _read(po_path, language)
    complaints = []
    for message in template:
        if message.id:
            complaints += _faults_of(message, catalog.get(message.id), language)
    known = {message.id for message in template}
    complaints += [
        f"{language}: no longer in the source: {message.id!r}"
        for message in catalog
        if message.id and message.id not in known
    ]
    mo_path = po_path.with_suffix(".mo")
    if not mo_path.exists() or mo_path.read_bytes() != _compiled(catalog):
        complaints.append(f"{mo_path.relative_to(ROOT)} is stale: make words")
    return complaints


def _faults_of(
    message: Message, translated: Message | None, language: str
) -> list[str]:
    texts = _texts((translated and translated.string) or "")
    if not all(texts):
        return [f"{language}: not translated: {message.id!r}"]
    # A form of a plural may leave out the count, if one of the source's forms does.
    allowed = [sorted(PLACEHOLDER.findall(text)) for text in _texts(message.id)]
    for text in texts:
        if sorted(PLACEHOLDER.findall(text)) not in allowed:
            return [f"{language}: other placeholders than in: {message.id!r}"]
    return []


def _texts(value: str | Sequence[str]) -> tuple[str, ...]:
    return (value,) if isinstance(value, str) else tuple(value)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
