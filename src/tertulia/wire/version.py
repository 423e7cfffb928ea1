"""Which versions of the protocol there are, and how two sides agree on one."""

from collections.abc import Iterable
from typing import Final

from tertulia.wire.errors import UnsupportedVersionError

VERSIONS: Final = (1,)
SUBPROTOCOL: Final = "tertulia.v1"
WEBSOCKET_PATH: Final = "/v1/ws"
BLOBS_PATH: Final = "/v1/blobs"


def choose_version(offered: Iterable[int]) -> int:
    """Return the highest version both sides speak; raise UnsupportedVersionError."""
    common = set(VERSIONS).intersection(offered)
    if not common:
        raise UnsupportedVersionError(VERSIONS)
    return max(common)
