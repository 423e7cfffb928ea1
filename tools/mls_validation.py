"""Make the validation table of docs/mls-validation.md, or check that it is true.

python -m tools.mls_validation write   write the page anew
python -m tools.mls_validation check   fail if the page is stale, if no function checks
                                       a rule, or if no negative case breaks it

Which function checks a rule is found in the source: it is the one that names the rule.
Which case breaks it is found in vectors/mls and in the tests beside their reader.
"""

import ast
import json
import sys
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import TypeAlias

from tertulia.mls import Rule

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "mls-validation.md"
SOURCE = ROOT / "src" / "tertulia"
VECTORS = ROOT / "vectors" / "mls"
TESTS = ROOT / "tests" / "mls" / "negative"

Places: TypeAlias = Mapping[Rule, list[str]]

# Rules that are not named where they are checked: the names that stand there instead.
_SIGNS = {
    "CodecError": Rule.ENCODING,
    "OversizeError": Rule.ENCODING,
    "TruncatedError": Rule.ENCODING,
    "check_member": Rule.CREDENTIAL,
    "check_change": Rule.POLICY,
}

_HEAD = """\
# What the MLS engine checks

Every rule of RFC 9420 that a receiver checks, with the functions of `tertulia.mls` that check it and the negative cases
that break it and nothing else. A refusal carries its rule: `InvalidError.rule`, or a `CodecError` for the rule `encoding`.
The cases are those of `vectors/mls` (file and number of cases) and tests of `tests/mls/negative`. This page is made by
`python -m tools.mls_validation write`.

| rule | section | what must be true | checked by | broken by |
| --- | --- | --- | --- | --- |
"""


def main(arguments: list[str]) -> int:
    """Carry out the command line; return the exit code."""
    checks, breaks = find_checks(), find_breaks()
    page = _HEAD + "".join(_row(rule, checks, breaks) for rule in Rule)
    if arguments == ["write"]:
        PAGE.write_text(page)
    complaints = [
        f"{rule.rule_id}: {complaint}"
        for complaint, places in (
            ("no function checks it", checks),
            ("no negative case breaks it", breaks),
        )
        for rule in Rule
        if not places.get(rule)
    ]
    if not PAGE.exists() or PAGE.read_text() != page:
        complaints.append(f"{PAGE.relative_to(ROOT)} is stale")
    for complaint in complaints:
        print(complaint, file=sys.stderr)
    return 1 if complaints else 0


def _row(rule: Rule, checks: Places, breaks: Places) -> str:
    cells = (
        f"`{rule.rule_id}`",
        rule.section,
        rule.sentence,
        ", ".join(checks.get(rule, ())),
        ", ".join(breaks.get(rule, ())),
    )
    return f"| {' | '.join(cells)} |\n"


def find_checks() -> Places:
    """Return the functions that check each rule."""
    found: dict[Rule, list[str]] = defaultdict(list)
    for package in ("codec", "mls"):
        for path in sorted((SOURCE / package).glob("*.py")):
            for name, function in _functions(ast.parse(path.read_text())):
                for rule in _rules_in(function):
                    found[rule].append(f"`{path.stem}.{name}`")
    return found


def find_breaks() -> Places:
    """Return the files of vectors and the tests that break each rule."""
    found: dict[Rule, list[str]] = defaultdict(list)
    by_id = {rule.rule_id: rule for rule in Rule}
    for path in sorted(VECTORS.glob("*.json")):
        cases = json.loads(path.read_text())["cases"]
        counts = Counter(case["expected"] for case in cases)
        for rule_id, count in sorted(counts.items()):
            if rule_id in by_id:
                found[by_id[rule_id]].append(f"{path.stem} ({count})")
    for path in sorted(TESTS.glob("test_*.py")):
        for name, function in _functions(ast.parse(path.read_text())):
            for rule in _named_rules(function):
                found[rule].append(f"`{path.name}::{name}`")
    return found


def _functions(tree: ast.Module) -> Iterator[tuple[str, ast.FunctionDef]]:
    for node in tree.body:
        if isinstance(node, ast.FunctionDef):
            yield node.name, node
        elif isinstance(node, ast.ClassDef):
            for member in node.body:
                if isinstance(member, ast.FunctionDef):
                    yield f"{node.name}.{member.name}", member


def _rules_in(function: ast.FunctionDef) -> list[Rule]:
    return _once([*_named_rules(function), *_rules_by_sign(function)])


def _named_rules(function: ast.FunctionDef) -> list[Rule]:
    """Return the rules that stand in a function as `Rule.NAME`."""
    return _once(
        Rule[node.attr]
        for node in ast.walk(function)
        if isinstance(node, ast.Attribute)
        and isinstance(node.value, ast.Name)
        and node.value.id == "Rule"
    )


def _rules_by_sign(function: ast.FunctionDef) -> Iterator[Rule]:
    """Yield the rules of malformed encodings raised and policies asked in a function."""
    for node in ast.walk(function):
        match node:
            case ast.Raise(exc=ast.Call(func=ast.Name(name))) if name in _SIGNS:
                yield _SIGNS[name]
            case ast.Call(func=ast.Attribute(ast.Name("policy"), name)):
                yield _SIGNS[name]
            case _:
                pass


def _once(rules: Iterable[Rule]) -> list[Rule]:
    return list(dict.fromkeys(rules))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
