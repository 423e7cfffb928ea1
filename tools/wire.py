"""Generate from the frames' one declaration whatever else tells about them.

python -m tools.wire update   write the files
python -m tools.wire check    fail if a file is not what would be written
"""

import sys
from collections.abc import Callable
from pathlib import Path

from tools.wire_docs import errors_page, frames_page, limits_page
from tools.wire_samples import vectors
from tools.wire_typescript import typescript

ROOT = Path(__file__).resolve().parent.parent

OUTPUTS: dict[str, Callable[[], str]] = {
    "docs/protocol/frames.md": frames_page,
    "docs/protocol/limits.md": limits_page,
    "docs/protocol/errors.md": errors_page,
    "vectors/wire/frames.json": vectors,
    "web/wire/generated.ts": typescript,
}


def main(arguments: list[str]) -> int:
    """Carry out the command line; return the exit code."""
    stale = [name for name, generate in OUTPUTS.items() if _read(name) != generate()]
    if arguments == ["update"]:
        for name in stale:
            path = ROOT / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(OUTPUTS[name](), encoding="utf-8")
        return 0
    for name in stale:
        print(f"{name} is stale: make wire", file=sys.stderr)
    return 1 if stale else 0


def _read(name: str) -> str:
    path = ROOT / name
    return path.read_text(encoding="utf-8") if path.exists() else ""


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
