"""Keep what campaigns found, as seeds for the next ones and for the tests.

python -m fuzz.keep FOLDER

FOLDER has a folder for each target, best one that libFuzzer merged (see README.md).
What is larger than a seed may be is left out.
"""

import json
import sys
from pathlib import Path

from fuzz.seeds import KEPT, LARGEST_SEED


def main(arguments: list[str]) -> int:
    """Write the seeds of each target into one file; return the exit code."""
    (folder,) = arguments
    KEPT.mkdir(exist_ok=True)
    for place in sorted(Path(folder).iterdir()):
        paths = [path for path in place.rglob("*") if path.is_file()]
        inputs = sorted({path.read_bytes() for path in paths})
        seeds = [data.hex() for data in inputs if len(data) <= LARGEST_SEED]
        path = KEPT / f"{place.name}.json"
        path.write_text(json.dumps({"seeds": seeds}, indent=0) + "\n")
        print(f"{place.name}: {len(seeds)} of {len(inputs)}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
