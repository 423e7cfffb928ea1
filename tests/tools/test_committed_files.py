import subprocess
from pathlib import Path

import pytest

from tools import committed_files

# Written in pieces, so that this file is not found itself.
ADDRESSES = [
    "https://" + "pypi" + ".org/simple",
    "https://files.python" + "hosted.org/packages/a.whl",
    "https://registry." + "npmjs" + ".org/a.tgz",
    "http://" + "deb.debian" + ".org/debian",
    '"resolved' + '": "https://example.org/a.tgz"',
]


@pytest.fixture
def clone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    subprocess.run(["git", "init", "--quiet", str(tmp_path)], check=True)
    (tmp_path / "README.md").write_text("A chat.\nNothing to see.\n")
    (tmp_path / "picture.bin").write_bytes(b"\xff\xfe\x00")
    monkeypatch.setattr(committed_files, "ROOT", tmp_path)
    return tmp_path


def test_files_without_an_address_pass(
    clone: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert (clone / "README.md").exists()
    assert committed_files.main() == 0
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize("address", ADDRESSES)
def test_a_planted_address_is_found_with_its_place(
    address: str, clone: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (clone / "locked.txt").write_text(f"first line\n  {address}\n")
    assert committed_files.main() == 1
    assert capsys.readouterr().err == f"locked.txt:2: {address}\n"


def test_what_git_ignores_may_name_addresses(clone: Path) -> None:
    (clone / ".gitignore").write_text(".venv/\n")
    (clone / ".venv").mkdir()
    (clone / ".venv/pip.conf").write_text(ADDRESSES[0])
    assert committed_files.main() == 0


def test_a_committed_file_that_was_removed_is_no_matter(clone: Path) -> None:
    subprocess.run(["git", "add", "README.md"], cwd=clone, check=True)
    (clone / "README.md").unlink()
    assert committed_files.main() == 0
