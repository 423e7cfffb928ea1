"""Set-up, with executables that only note how they were called."""

import ast
import os
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tools import bootstrap

pytestmark = pytest.mark.skipif(
    os.name == "nt", reason="the executables that note their calls are shell scripts"
)

NOTE = '#!/bin/sh\necho "$(basename "$0") $*" >> "{calls}"\n'

# As Python: `-m venv DIR` makes DIR/bin/python.
MAKES_A_VENV = NOTE + (
    'if [ "$1 $2" = "-m venv" ]; then mkdir -p "$3/bin"; cp "$0" "$3/bin/python"; fi\n'
)
# As uv: `uv venv --quiet --python PYTHON DIR`.
MAKES_A_VENV_TOO = NOTE + (
    'if [ "$1" = venv ]; then mkdir -p "$5/bin"; cp "$4" "$5/bin/python"; fi\n'
)
# As Debian's Python without python3-venv: it leaves half a folder behind.
CANNOT_MAKE_A_VENV = NOTE + 'mkdir -p "$3/bin"; exit 1\n'
FAILS = NOTE + "exit 1\n"


class Machine:
    """A project in a folder, on a machine whose programs we write."""

    def __init__(self, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.root = home / "project"
        self.programs = home / "bin"
        self._calls = home / "calls"
        self._monkeypatch = monkeypatch
        for folder in (self.root / "requirements", self.programs):
            folder.mkdir(parents=True)
        for name in ("pyproject.toml", "requirements/run.txt", "requirements/dev.txt"):
            (self.root / name).write_text(f"# {name}\n")
        monkeypatch.setattr(bootstrap, "ROOT", self.root)
        monkeypatch.setattr(bootstrap, "VENV", self.root / ".venv")
        monkeypatch.setattr(bootstrap, "NODE_PROJECTS", ())
        find = shutil.which
        monkeypatch.setattr("shutil.which", lambda name: find(name, path=self.programs))
        self.has("python3", MAKES_A_VENV)
        monkeypatch.setattr(sys, "executable", str(self.programs / "python3"))

    def has(self, name: str, script: str) -> None:
        program = self.programs / name
        program.write_text(script.format(calls=self._calls))
        program.chmod(0o755)

    def becomes(self, version: str) -> None:
        self._monkeypatch.setattr(sys, "version", version)

    def calls(self) -> list[str]:
        """Return the calls since the last time."""
        if not self._calls.exists():
            return []
        lines = self._calls.read_text().replace(f"{self.root}/", "").splitlines()
        self._calls.unlink()
        return lines


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Machine:
    return Machine(tmp_path, monkeypatch)


PIP = "python -m pip --disable-pip-version-check install --quiet --no-input"


def test_without_uv_python_and_pip_do_it(machine: Machine) -> None:
    assert bootstrap.main(["run"]) == 0
    assert machine.calls() == [
        "python3 -m venv .venv",
        f"{PIP} --require-hashes -r requirements/run.txt",
        f"{PIP} --no-deps --no-build-isolation -e {machine.root}",
    ]


def test_uv_does_it_where_it_is_found(machine: Machine) -> None:
    machine.has("uv", MAKES_A_VENV_TOO)
    assert bootstrap.main(["run"]) == 0
    pip = "uv pip install --quiet --python .venv/bin/python"
    assert machine.calls() == [
        f"uv venv --quiet --python {sys.executable} .venv",
        f"{pip} --require-hashes -r requirements/run.txt",
        f"{pip} --no-deps --no-build-isolation -e {machine.root}",
    ]


def test_a_second_time_nothing_is_done(
    machine: Machine, capsys: pytest.CaptureFixture[str]
) -> None:
    bootstrap.main(["run"])
    machine.calls()
    capsys.readouterr()
    assert bootstrap.main(["run"]) == 0
    assert machine.calls() == []
    assert capsys.readouterr() == ("", "")


def test_what_develops_also_runs_but_not_the_other_way_round(machine: Machine) -> None:
    bootstrap.main(["run"])
    machine.calls()
    bootstrap.main(["dev"])
    assert f"{PIP} --require-hashes -r requirements/dev.txt" in machine.calls()
    (machine.root / ".venv/installed-run").unlink()
    assert bootstrap.main(["run"]) == 0
    assert machine.calls() == []


@pytest.mark.parametrize("name", ["pyproject.toml", "requirements/run.txt"])
def test_what_decides_the_result_makes_the_stamp_stale(
    name: str, machine: Machine
) -> None:
    bootstrap.main(["run"])
    machine.calls()
    (machine.root / name).write_text("# changed\n")
    assert bootstrap.main(["run"]) == 0
    installed = machine.calls()
    assert len(installed) == 2, "installed anew, into the same .venv"
    assert all(call.startswith(PIP) for call in installed)


def test_another_python_gets_a_venv_of_its_own(machine: Machine) -> None:
    bootstrap.main(["run"])
    machine.calls()
    (machine.root / ".venv/leftover").touch()
    machine.becomes("3.99.0 (from tomorrow)")
    assert bootstrap.main(["run"]) == 0
    assert machine.calls()[0] == "python3 -m venv .venv"
    assert not (machine.root / ".venv/leftover").exists()


def test_a_clone_that_was_moved_gets_a_new_venv(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    bootstrap.main(["run"])
    machine.calls()
    moved = machine.root.rename(machine.root.with_name("moved"))
    monkeypatch.setattr(bootstrap, "ROOT", moved)
    monkeypatch.setattr(bootstrap, "VENV", moved / ".venv")
    assert bootstrap.main(["run"]) == 0
    assert machine.calls()[0] == f"python3 -m venv {moved}/.venv"


def test_a_python_without_venv_names_the_package_that_has_it(
    machine: Machine, capsys: pytest.CaptureFixture[str]
) -> None:
    machine.has("python3", CANNOT_MAKE_A_VENV)
    assert bootstrap.main(["run"]) == 1
    complaint = capsys.readouterr().err
    assert "sudo apt install python3-venv" in complaint
    assert "Traceback" not in complaint
    assert not (machine.root / ".venv").exists(), "the next attempt starts afresh"


def test_after_the_package_is_installed_the_same_command_works(
    machine: Machine,
) -> None:
    machine.has("python3", CANNOT_MAKE_A_VENV)
    bootstrap.main(["run"])
    machine.has("python3", MAKES_A_VENV)
    assert bootstrap.main(["run"]) == 0


def test_an_installation_that_fails_leaves_no_stamp(
    machine: Machine, capsys: pytest.CaptureFixture[str]
) -> None:
    machine.has("uv", FAILS)
    assert bootstrap.main(["run"]) == 1
    assert "this command failed: " in capsys.readouterr().err
    assert not (machine.root / ".venv/installed-run").exists()


def test_a_python_that_is_too_old_is_told_so(
    machine: Machine,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(bootstrap, "OLDEST_PYTHON", (99, 0))
    machine.becomes("3.10.13 (main)")
    assert bootstrap.main(["run"]) == 1
    complaint = capsys.readouterr().err
    assert "needs Python 3.11 or newer" in complaint
    assert "is 3.10.13." in complaint
    assert "make PYTHON=" in complaint
    assert machine.calls() == []


def test_a_python_that_is_too_old_can_read_the_file_that_tells_it_so() -> None:
    source = Path(bootstrap.__file__).read_text()
    tree = ast.parse(source, feature_version=(3, 7))
    # Without it, an old Python evaluates `str | None` and stops.
    assert any(
        isinstance(node, ast.ImportFrom) and node.module == "__future__"
        for node in tree.body
    )


@pytest.fixture
def node_project(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> Path:
    project = machine.root / "tests/twin"
    project.mkdir(parents=True)
    (project / "package-lock.json").write_text("{}")
    monkeypatch.setattr(bootstrap, "NODE_PROJECTS", ("tests/twin",))
    return project


MAKES_NODE_MODULES = NOTE + "mkdir -p node_modules\n"


def test_node_projects_are_a_matter_of_development(
    machine: Machine, node_project: Path
) -> None:
    machine.has("npm", MAKES_NODE_MODULES)
    bootstrap.main(["run"])
    assert not (node_project / "node_modules").exists()
    bootstrap.main(["dev"])
    assert machine.calls()[-1] == "npm ci --silent --no-audit --no-fund"
    bootstrap.main(["dev"])
    assert machine.calls() == []
    (node_project / "package-lock.json").write_text('{"lockfileVersion": 3}')
    bootstrap.main(["dev"])
    assert machine.calls() == ["npm ci --silent --no-audit --no-fund"]


def without_npm(_machine: Machine) -> None:
    pass


def with_a_failing_npm(machine: Machine) -> None:
    machine.has("npm", FAILS)


@pytest.mark.parametrize("prepare", [without_npm, with_a_failing_npm])
def test_without_node_the_rest_still_works_and_says_what_skips(
    prepare: Callable[[Machine], None],
    machine: Machine,
    node_project: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    prepare(machine)
    assert bootstrap.main(["dev"]) == 0
    assert f"tests that use {node_project.name} will skip" in capsys.readouterr().out


def test_clean_removes_what_set_up_made(machine: Machine, node_project: Path) -> None:
    machine.has("npm", MAKES_NODE_MODULES)
    bootstrap.main(["dev"])
    assert bootstrap.main(["clean"]) == 0
    assert not (machine.root / ".venv").exists()
    assert not (node_project / "node_modules").exists()


@pytest.mark.parametrize("arguments", [[], ["rnu"], ["run", "dev"]])
def test_other_arguments_get_the_manual(
    arguments: list[str], machine: Machine, capsys: pytest.CaptureFixture[str]
) -> None:
    assert bootstrap.main(arguments) == 2
    assert "bootstrap.py run" in capsys.readouterr().err
    assert machine.calls() == []
