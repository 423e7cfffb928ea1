"""Make .venv hold what requirements/PROFILE.txt says, unless it already does.

    python tools/bootstrap.py run     what `tertulia` needs to run
    python tools/bootstrap.py dev     that, and what its checks and tests need
    python tools/bootstrap.py clean   remove all of it

Standard library only: it runs before anything is installed. `uv` is used where it
is found, `venv` and `pip` otherwise. A stamp with the digest of everything that
decides the result makes a second run a matter of milliseconds.

Written so that Python 3.7 can read it: one that is too old must get as far as saying so.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
OLDEST_PYTHON = (3, 11)

# Profiles that hold everything the named one needs, itself first.
SATISFIED_BY = {"run": ("run", "dev"), "dev": ("dev",)}

# Node projects of the tests; without Node those tests skip and say so.
NODE_PROJECTS = ("tests/interop/ts_mls",)


class SetUpError(Exception):
    """The machine lacks something; the message says what, and how to get it."""


def main(arguments: list[str]) -> int:
    """Carry out the command line; return the exit code."""
    if arguments in (["run"], ["dev"]):
        return _set_up(arguments[0])
    if arguments == ["clean"]:
        for folder in (VENV, *(ROOT / name / "node_modules" for name in NODE_PROJECTS)):
            shutil.rmtree(folder, ignore_errors=True)
        return 0
    print(__doc__, file=sys.stderr)
    return 2


def _set_up(profile: str) -> int:
    try:
        _require_python()
        if not any(_is_current(name) for name in SATISFIED_BY[profile]):
            print(
                f"Setting up .venv ({profile}); later starts skip this ...", flush=True
            )
            _install(ROOT / "requirements" / f"{profile}.txt")
            _stamp(profile).write_text(_digest(profile))
        if profile == "dev":
            for name in NODE_PROJECTS:
                _install_node_project(ROOT / name)
    except SetUpError as error:
        print(error, file=sys.stderr)
        return 1
    except subprocess.CalledProcessError as error:
        command = " ".join(map(str, error.cmd))
        print(f"Set-up stopped, this command failed: {command}", file=sys.stderr)
        return 1
    return 0


def _require_python() -> None:
    if sys.version_info < OLDEST_PYTHON:
        raise SetUpError(
            f"Tertulia needs Python 3.11 or newer; {sys.executable} is "
            f"{sys.version.split()[0]}.\nName another one: make PYTHON=python3.12 run"
        )


def _stamp(profile: str) -> Path:
    return VENV / f"installed-{profile}"


def _is_current(profile: str) -> bool:
    stamp = _stamp(profile)
    return stamp.exists() and stamp.read_text() == _digest(profile)


def _identity() -> str:
    """Return what .venv cannot survive a change of: the Python, and its own place."""
    return f"{sys.version} {ROOT}"


def _digest(profile: str) -> str:
    digest = hashlib.sha256(_identity().encode())
    for name in (f"requirements/{profile}.txt", "pyproject.toml"):
        digest.update((ROOT / name).read_bytes())
    return digest.hexdigest()


def _venv_python() -> Path:
    return VENV / ("Scripts/python.exe" if os.name == "nt" else "bin/python")


def _install(requirements: Path) -> None:
    uv = shutil.which("uv")
    made_for = VENV / "made-for"
    if not made_for.exists() or made_for.read_text() != _identity():
        shutil.rmtree(VENV, ignore_errors=True)
        _make_venv(uv)
        made_for.write_text(_identity())
    if uv:
        pip = [uv, "pip", "install", "--quiet", "--python", str(_venv_python())]
    else:
        pip = [str(_venv_python()), "-m", "pip", "--disable-pip-version-check"]
        pip += ["install", "--quiet", "--no-input"]
    _run(*pip, "--require-hashes", "-r", str(requirements))
    _run(*pip, "--no-deps", "--no-build-isolation", "-e", str(ROOT))


def _make_venv(uv: str | None) -> None:
    if uv:
        _run(uv, "venv", "--quiet", "--python", sys.executable, str(VENV))
        return
    try:
        _run(sys.executable, "-m", "venv", str(VENV))
    except subprocess.CalledProcessError:
        shutil.rmtree(VENV, ignore_errors=True)
        raise SetUpError(
            f"{sys.executable} cannot make a virtual environment.\n"
            "On Debian and Ubuntu that is a package of its own: "
            "sudo apt install python3-venv"
        ) from None


def _install_node_project(project: Path) -> None:
    lock = (project / "package-lock.json").read_bytes()
    stamp = project / "node_modules" / ".installed"
    digest = hashlib.sha256(lock).hexdigest()
    if stamp.exists() and stamp.read_text() == digest:
        return
    npm = shutil.which("npm")
    if npm is None:
        print(f"No npm here: the tests that use {project.name} will skip.")
        return
    try:
        _run(npm, "ci", "--silent", "--no-audit", "--no-fund", folder=project)
    except subprocess.CalledProcessError:
        print(f"`npm ci` failed: the tests that use {project.name} will skip.")
        return
    stamp.write_text(digest)


def _run(*command: str, folder: Path = ROOT) -> None:
    subprocess.run(command, check=True, cwd=folder)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
