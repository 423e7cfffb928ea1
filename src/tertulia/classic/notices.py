"""What the server itself says to people: that somebody has left.

Clients decrypt all they receive, and the server holds no key. So its notices are
encrypted with the one shift that the first programs share, which is no secret, and
they come out right at every client that keeps it. A room that chose another key still
reads its notices with our client, which knows one by the address at its start; a
client of the first kind shows the address with strange words after it.

The words must be plain ASCII in every language: the first clients garble accents.
"""

import re

from tertulia.classic.caesar import DEFAULT_KEY, decrypt, encrypt
from tertulia.l10n import _

Address = tuple[str, int]

# The letters of an IPv6 address are moved like all others.
_NOTICE = re.compile(r"\('[0-9a-z.:%]+', [0-9]{1,5}\) ")


def departure_notice(address: Address) -> str:
    """Return the ciphertext that tells others who has left."""
    return encrypt(_("{address} has left").format(address=address), DEFAULT_KEY)


def read_incoming(ciphertext: str, key: int) -> str:
    """Return what a person reads: a message under `key`, or a notice."""
    return decrypt(ciphertext, DEFAULT_KEY if _NOTICE.match(ciphertext) else key)
