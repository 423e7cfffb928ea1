"""From a passphrase to a key: Argon2id (RFC 9106).

The cost is the RFC's second recommended one (section 4): 64 MiB, three passes, four
lanes. The first asks for 2 GiB, which a small machine with a chat open does not have.
Whoever stores the salt stores the cost beside it, so that a later default may be higher.
"""

import unicodedata
from dataclasses import dataclass
from typing import Final

from cryptography.hazmat.primitives.kdf.argon2 import Argon2id

from tertulia.crypto.secret import Secret


@dataclass(frozen=True, slots=True)
class PassphraseCost:
    """What one guess costs: `memory` in KiB, gone over `passes` times."""

    memory: int
    passes: int
    lanes: int


PASSPHRASE_COST: Final = PassphraseCost(memory=64 * 1024, passes=3, lanes=4)

# RFC 9106 section 3.1: 16 bytes are recommended for passwords.
PASSPHRASE_SALT_SIZE: Final = 16


def passphrase_key(
    passphrase: str, salt: bytes, cost: PassphraseCost = PASSPHRASE_COST
) -> Secret:
    """Return the 32-byte key of a passphrase; takes a tenth of a second or more."""
    # Keyboards differ in how they compose letters; the person typed the same one.
    text = unicodedata.normalize("NFC", passphrase)
    derivation = Argon2id(
        salt=salt,
        length=32,
        iterations=cost.passes,
        lanes=cost.lanes,
        memory_cost=cost.memory,
    )
    # A terminal may hand over bytes that are no text, as lone surrogates.
    return Secret(derivation.derive(text.encode("utf-8", "surrogatepass")))
