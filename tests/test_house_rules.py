"""Rules of the house that no other tool checks."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
SOURCE = ROOT / "src" / "tertulia"
PACKAGES = sorted(SOURCE.glob("*/__init__.py"))


def _has_logic(path: Path) -> bool:
    tree = ast.parse(path.read_text())
    return any(
        isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        for node in ast.walk(tree)
    )


MODULES = sorted(
    path
    for path in SOURCE.rglob("*.py")
    if path.name not in {"__init__.py", "__main__.py"} and _has_logic(path)
)


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.stem)
def test_every_module_with_logic_has_its_test_file(path: Path) -> None:
    relative = path.relative_to(SOURCE)
    assert (ROOT / "tests" / relative.parent / f"test_{relative.name}").exists()


@pytest.mark.parametrize("path", PACKAGES, ids=lambda path: path.parent.name)
def test_packages_only_re_export_the_names_they_list(path: Path) -> None:
    body = ast.parse(path.read_text()).body
    assert isinstance(body[0], ast.Expr), "a package starts with its docstring"
    imported: list[str] = []
    for node in body[1:-1]:
        assert isinstance(node, ast.ImportFrom)
        imported += [alias.asname or alias.name for alias in node.names]
    assert isinstance(body[-1], ast.Assign)
    assert ast.unparse(body[-1].targets[0]) == "__all__"
    # The linter keeps the order.
    assert sorted(imported) == sorted(ast.literal_eval(body[-1].value))


@pytest.mark.parametrize("path", PACKAGES, ids=lambda path: path.parent.name)
def test_other_packages_import_from_the_package_not_from_its_files(path: Path) -> None:
    package = f"tertulia.{path.parent.name}"
    outsiders = [
        other
        for other in SOURCE.rglob("*.py")
        if not other.is_relative_to(path.parent) and other.name != "__main__.py"
    ]
    for other in outsiders:
        for node in ast.walk(ast.parse(other.read_text())):
            if isinstance(node, ast.ImportFrom) and node.module:
                assert not node.module.startswith(f"{package}."), (
                    f"{other.relative_to(SOURCE)} reaches into {node.module}"
                )


def test_no_assert_in_the_source() -> None:
    for path in SOURCE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            assert not isinstance(node, ast.Assert), f"{path.name}:{node.lineno}"
