"""Remove each check of the engine in turn, and see which test notices.

python -m tools.mls_mutants [--jobs N] [PACKAGE ...]   packages: mls (the usual), codec,
                                                       crypto, wire, client ...

A check is a `raise` of one of the errors below, or a call for the sake of what it
raises. It is replaced by `pass` in memory, never on the disk, in a process of its own;
tests run until one fails: those of the same module, the negative cases, then all of the
package. Prints a table, and exits with 1 if a check can go unnoticed.
"""

import argparse
import ast
import importlib.abc
import importlib.machinery
import importlib.util
import multiprocessing
import os
import signal
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import CodeType, FrameType, ModuleType

import pytest
from typing_extensions import override

ROOT = Path(__file__).resolve().parent.parent
SOURCE = ROOT / "src"
# What a call is named that is made for the sake of what it raises. `external_senders`
# is once read for its shape alone.
CHECKS = ("check_", "_check_", "verify_", "validate_", "require")
CHECK_NAMES = frozenset({"external_senders", "finish", "verify"})
# A mutant may loop for ever.
TEST_SECONDS = 120
TESTS_FAILED = 1


@dataclass(frozen=True, slots=True)
class Mutant:
    """A module without one of its checks: that which starts at `line`."""

    path: Path
    line: int
    check: str

    @property
    def module(self) -> str:
        """The name under which the module is imported."""
        return ".".join(self.path.relative_to(SOURCE).with_suffix("").parts)

    @property
    def place(self) -> str:
        """Where the check stands."""
        return f"{self.path.relative_to(SOURCE / 'tertulia')}:{self.line}"

    def code(self) -> CodeType:
        """Compile the module without the check."""
        tree = ast.parse(self.path.read_text())
        _Remover(self.line).visit(tree)
        code: CodeType = compile(tree, str(self.path), "exec")
        return code


class _Remover(ast.NodeTransformer):
    def __init__(self, line: int) -> None:
        self._line = line

    @override
    def visit(self, node: ast.AST) -> ast.AST:
        if isinstance(node, ast.stmt) and node.lineno == self._line and _is_check(node):
            return ast.copy_location(ast.Pass(), node)
        return self.generic_visit(node)


def _is_check(node: ast.stmt) -> bool:
    match node:
        case ast.Raise(exc=ast.Call() | ast.Name()):
            return True
        case ast.Expr(
            value=ast.Call(func=ast.Name(id=name) | ast.Attribute(attr=name))
        ):
            return name.startswith(CHECKS) or name in CHECK_NAMES
        case _:
            return False


def find_mutants(package: str) -> list[Mutant]:
    """Return every check of a package, removed."""
    return [
        Mutant(path, node.lineno, ast.unparse(node).split("\n")[0])
        for path in sorted((SOURCE / "tertulia" / package).rglob("*.py"))
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.stmt) and _is_check(node)
    ]


class _Loader(importlib.machinery.SourceFileLoader):
    def __init__(self, mutant: Mutant) -> None:
        super().__init__(mutant.module, str(mutant.path))
        self._mutant = mutant

    @override
    def get_code(self, fullname: str) -> CodeType:
        return self._mutant.code()


class _Finder(importlib.abc.MetaPathFinder):
    """Finds the mutant where the module is asked for."""

    def __init__(self, mutant: Mutant) -> None:
        self._mutant = mutant

    @override
    def find_spec(
        self,
        fullname: str,
        path: Sequence[str] | None,
        target: ModuleType | None = None,
    ) -> importlib.machinery.ModuleSpec | None:
        if fullname != self._mutant.module:
            return None
        loader = _Loader(self._mutant)
        return importlib.util.spec_from_file_location(fullname, loader=loader)


class _FirstFailure:
    """Remembers what failed first."""

    def __init__(self) -> None:
        self.name: str | None = None

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.failed and self.name is None:
            self.name = report.nodeid

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        if report.failed and self.name is None:
            self.name = f"{report.nodeid} (does not import)"


def notice(mutant: Mutant) -> str | None:
    """Return the first test that fails without the check; run in a process of its own."""
    sys.meta_path.insert(0, _Finder(mutant))
    signal.signal(signal.SIGALRM, _too_long)
    # What pytest says about a mutant is of no interest.
    sys.stdout = sys.stderr = Path(os.devnull).open("w")  # noqa: SIM115
    for tests in _stages(mutant):
        first = _FirstFailure()
        signal.alarm(TEST_SECONDS)
        options = ["-x", "-q", "-p", "no:randomly", "-p", "no:cacheprovider"]
        code = pytest.main([*options, *tests], plugins=[first])
        signal.alarm(0)
        if code != 0:
            return first.name or f"pytest says {code}"
    return None


def _too_long(_signal: int, _frame: FrameType | None) -> None:
    raise TimeoutError(f"no end within {TEST_SECONDS} s")


def _stages(mutant: Mutant) -> Iterator[list[str]]:
    """Yield tests to run, those that are likely to notice first."""
    package = ROOT / "tests" / mutant.module.split(".")[1]
    mirror = package / f"test_{mutant.path.stem}.py"
    if mirror.exists():
        yield [str(mirror)]
    yield [str(ROOT / "tests" / "mls" / "negative")]
    yield [str(package)]


def main() -> int:
    """Carry out the command line; return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    parser.add_argument("packages", metavar="PACKAGE", nargs="*", default=["mls"])
    options = parser.parse_args()
    mutants = [
        mutant for package in options.packages for mutant in find_mutants(package)
    ]
    print("| check | removed | noticed by |\n|---|---|---|")
    unnoticed = 0
    context = multiprocessing.get_context("fork")
    with context.Pool(options.jobs, maxtasksperchild=1) as pool:
        for mutant, noticed_by in zip(mutants, pool.imap(notice, mutants), strict=True):
            unnoticed += noticed_by is None
            told = f"`{noticed_by}`" if noticed_by else "**nothing**"
            print(f"| {mutant.place} | `{mutant.check}` | {told} |", flush=True)
    print(f"\nOf {len(mutants)} checks {unnoticed} can be removed unnoticed.")
    return 1 if unnoticed else 0


if __name__ == "__main__":
    sys.exit(main())
