"""How many connections fit into what the system lets this process open.

Beyond its limit nothing opens at all, a blob or a backup no more than a connection. So
we take no more connections than leave some files to spare.
"""

import contextlib
from typing import Final

SPARE: Final = 256  # database, blobs under way, who is just being turned away


def connections_that_fit(wanted: int) -> int:
    """Raise the limit of open files as far as we may; return how many fit, at least 1."""
    try:
        import resource  # noqa: PLC0415
    except ImportError:  # Windows has none, and no such limit
        return wanted
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    needed = wanted + SPARE
    if soft != resource.RLIM_INFINITY and soft < needed:
        raised = needed if hard == resource.RLIM_INFINITY else min(needed, hard)
        # A system may allow less than it says: macOS says "infinity".
        with contextlib.suppress(ValueError, OSError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (raised, hard))
            soft = raised
    if soft == resource.RLIM_INFINITY:
        return wanted
    return max(1, min(wanted, soft - SPARE))
