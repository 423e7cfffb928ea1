"""Keep the catalogues of sentences complete, with Babel.

python tools/words.py update   gather sentences from the source, build catalogues
python tools/words.py check    fail if a sentence lacks its translation, if a
                               catalogue is stale, or if placeholders differ
"""

import io
import re
import sys
from collections.abc import Sequence
from pathlib import Path

from babel.messages.catalog import Catalog, Message
from babel.messages.extract import extract_from_dir
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po

ROOT = Path(__file__).resolve().parent.parent
SOURCE = ROOT / "src" / "tertulia"
LOCALE = SOURCE / "l10n" / "locale"
LANGUAGES = ("es",)
PLACEHOLDER = re.compile(r"\{(\w*)[^}]*\}")


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
    found = extract_from_dir(SOURCE, keywords={"_": None, "ngettext": (1, 2)})
    for _name, _line, message, comments, context in found:
        template.add(message, auto_comments=comments, context=context)
    return template


def _update(template: Catalog, po_path: Path, language: str) -> None:
    catalog = _read(po_path, language)
    catalog.update(template, no_fuzzy_matching=True)
    catalog.obsolete.clear()
    po_path.parent.mkdir(parents=True, exist_ok=True)
    with po_path.open("wb") as file:
        write_po(file, catalog, width=88, omit_header=False, sort_output=True)
    po_path.with_suffix(".mo").write_bytes(_compiled(catalog))


def _read(po_path: Path, language: str) -> Catalog:
    if not po_path.exists():
        return Catalog(locale=language, project="tertulia")
    with po_path.open("rb") as file:
        return read_po(file, locale=language)


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
    if translated is None or not all(_texts(translated.string)):
        return [f"{language}: not translated: {message.id!r}"]
    wanted = {name for text in _texts(message.id) for name in PLACEHOLDER.findall(text)}
    for text in _texts(translated.string):
        if not set(PLACEHOLDER.findall(text)) <= wanted:
            return [f"{language}: other placeholders than in: {message.id!r}"]
    return []


def _texts(value: str | Sequence[str] | None) -> tuple[str, ...]:
    if value is None:
        return ("",)
    return (value,) if isinstance(value, str) else tuple(value)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
