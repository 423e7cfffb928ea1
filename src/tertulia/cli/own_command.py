"""What one types for this very program."""

import shutil
import sys
from pathlib import Path


def own_command() -> str:
    """Return what to type for this program in the folder where it was started."""
    called = sys.argv[0]
    if shutil.which("tertulia") or Path(called).stem != "tertulia":
        return "tertulia"
    return called
