"""Where a user's data lies if nobody says otherwise, as each system wants it."""

import sys
from collections.abc import Mapping
from pathlib import Path


def user_folder(environment: Mapping[str, str], name: str) -> Path:
    """Return the folder `name` among what Tertulia keeps for this user."""
    home = Path.home()
    if sys.platform == "win32":
        base = Path(environment.get("LOCALAPPDATA", home / "AppData" / "Local"))
    elif sys.platform == "darwin":
        base = home / "Library" / "Application Support"
    else:
        base = Path(environment.get("XDG_DATA_HOME") or home / ".local" / "share")
    return base / "tertulia" / name
