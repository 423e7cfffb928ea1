"""Make the negative vectors of vectors/mls, or check that they are up to date.

python -m tools.mls_negative_vectors write   write every file anew
python -m tools.mls_negative_vectors check   fail if a file differs from what would
                                             be written

Everything is derived from names, so that making them again gives the same bytes.
"""

import json
import sys
from pathlib import Path

from tools.mls_negative import (
    commits,
    encodings,
    external_commits,
    framing,
    group_infos,
    key_packages,
    private_messages,
    proposals,
    successors,
    trees,
    welcomes,
)
from tools.mls_negative.cases import document

FOLDER = Path(__file__).resolve().parent.parent / "vectors" / "mls"

SOURCES = (
    commits,
    encodings,
    external_commits,
    framing,
    group_infos,
    key_packages,
    private_messages,
    proposals,
    successors,
    trees,
    welcomes,
)


def main(arguments: list[str]) -> int:
    """Carry out the command line; return the exit code."""
    made = files()
    if arguments == ["write"]:
        FOLDER.mkdir(parents=True, exist_ok=True)
        for name, text in made.items():
            (FOLDER / name).write_text(text)
        return 0
    stale = [name for name, text in made.items() if _read(name) != text]
    stale += sorted({path.name for path in FOLDER.glob("*.json")} - set(made))
    for name in stale:
        print(f"vectors/mls/{name} is stale", file=sys.stderr)
    return 1 if stale else 0


def files() -> dict[str, str]:
    """Return what every file should hold, by name."""
    made = {}
    for source in SOURCES:
        name = source.__name__.rpartition(".")[2].replace("_", "-")
        written = document(source.ABOUT, list(source.cases()))
        made[f"{name}.json"] = json.dumps(written, indent=1) + "\n"
    return made


def _read(name: str) -> str | None:
    path = FOLDER / name
    return path.read_text() if path.exists() else None


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
