"""Choose the versions of all dependencies anew and write requirements/*.txt.

Needs `uv` on the PATH. The files name packages, versions and hashes, never a host:
where packages come from is a matter of the machine that installs them.
"""

import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PROFILES = {"run": ("build",), "dev": ("build", "dev", "fuzz")}


def main() -> int:
    """Write one file per profile, the larger ones agreeing with `run`."""
    uv = shutil.which("uv")
    if uv is None:
        print("`make lock` needs uv on the PATH (pipx install uv).", file=sys.stderr)
        return 1
    for profile, groups in PROFILES.items():
        command = [uv, "pip", "compile", "--quiet", "--universal", "--upgrade"]
        command += ["--python-version", "3.11", "--generate-hashes"]
        # pip takes a pin without the extra for no pin at all, once there is a newer version.
        command += ["--no-strip-extras"]
        command += ["--no-annotate", "--no-header", "pyproject.toml"]
        for group in groups:
            command += ["--group", group]
        if profile != "run":
            command += ["--constraint", "requirements/run.txt"]
        output = f"requirements/{profile}.txt"
        subprocess.run([*command, "--output-file", output], check=True, cwd=ROOT)
    return 0


if __name__ == "__main__":
    sys.exit(main())
