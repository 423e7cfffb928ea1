"""Fail if a committed file names a package registry's host or a download address.

Where packages come from is a matter of the machine that installs them: the same
clone must work behind a mirror, on a school's network, or from a folder of wheels.
"""

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent

# Written in pieces, so that this file does not find itself.
FORBIDDEN = re.compile(
    r"pypi[.]org|pythonhoste[d]|npmjs[.](org|com)|registry[.]yarnpkg"
    r"|deb[.]debian[.]org|\"resolved[\"]:"
)


def main() -> int:
    """Print each offending line; return 1 if there is one."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"],
        check=True,
        capture_output=True,
        cwd=ROOT,
    ).stdout.decode()
    found = [
        f"{name}:{number}: {line.strip()[:120]}"
        for name in filter(None, listed.split("\0"))
        for number, line in _lines(ROOT / name)
        if FORBIDDEN.search(line)
    ]
    for line in found:
        print(line, file=sys.stderr)
    return 1 if found else 0


def _lines(path: Path) -> list[tuple[int, str]]:
    if not path.is_file():
        return []
    text = path.read_bytes().decode(errors="replace")
    return list(enumerate(text.splitlines(), start=1))


if __name__ == "__main__":
    sys.exit(main())
