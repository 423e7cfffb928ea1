"""From what a person has of a relay to the row that a session begins with."""

import re
from typing import Final

from tertulia.client import RelayRow
from tertulia.wire import parse_link

# What a relay's owner knows of it without any invite.
_BARE: Final = re.compile(r"(https?://[^/#?@\s]+)/?#([0-9a-f]{64})", re.ASCII)


def relay_of(text: str) -> RelayRow:
    """Return the relay that a link leads to; raise LinkError or NewerLinkError."""
    bare = _BARE.fullmatch(text.strip())
    if bare is not None:
        return RelayRow(bytes.fromhex(bare[2]), (bare[1],), counter=0)
    parsed = parse_link(text)
    return RelayRow(parsed.link.fingerprint, parsed.bases, counter=0, invite=text)
