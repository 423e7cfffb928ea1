"""Telling people apart whose names look alike.

Anybody may take any name. Where two accounts of a room have names that are equal or
could be taken for each other, each is shown with the first digits of its account id.
Too much likeness found costs a tag that nobody needed, too little a deception: so in
doubt names are alike.
"""

import unicodedata
from collections import defaultdict
from collections.abc import Mapping
from functools import lru_cache
from itertools import pairwise, takewhile
from typing import Final

from tertulia.client import limits
from tertulia.client.display import neutralise

# By what it looks like: letters of the Cyrillic and Greek alphabets, in the case in
# which they do, small capitals, and signs.
_LOOK_ALIKES: Final = {
    "a": "аАαΑᴀ",
    "b": "вВβΒʙЬь",
    "c": "сСϲϹᴄ",  # noqa: RUF001
    "d": "ԁᴅđ",
    "e": "еЕεΕᴇ",
    "f": "ϝƒ",
    "g": "ɡԍɢ",
    "h": "нНһҺΗʜ",
    "j": "јЈϳ",  # noqa: RUF001
    "k": "кКκΚᴋ",
    "l": "iIıіІιΙӏӀɪ1|!łʟ",  # noqa: RUF001
    "m": "мМΜᴍ",
    "n": "Νηпɴ",
    "o": "оОοΟσ0øᴏ",  # noqa: RUF001
    "p": "рРρΡᴘ",
    "q": "ԛ",  # noqa: RUF001
    "r": "гʀ",
    "s": "ѕЅꜱ",  # noqa: RUF001
    "t": "тТτΤᴛ",
    "u": "υцᴜ",
    "v": "νѵᴠ",  # noqa: RUF001
    "w": "ѡωԝᴡ",
    "x": "хХχΧ",
    "y": "уУΥγʏ",  # noqa: RUF001
    "z": "Ζᴢ",  # noqa: RUF001
}
_SEEN_AS: Final = str.maketrans(
    {each: latin for latin, others in _LOOK_ALIKES.items() for each in others}
)


def distinct_names(names: Mapping[bytes, str]) -> dict[bytes, str]:
    """Return the tag of each account, given their names; empty where none is needed.

    Accounts whose names look alike get tags that are different among them.
    """
    alike: dict[str, list[str]] = defaultdict(list)
    for account, name in names.items():
        for skeleton in _skeletons(name):
            alike[skeleton].append(account.hex())
    sizes = dict.fromkeys((account.hex() for account in names), 0)
    for rivals in alike.values():
        # In order, whoever shares most digits with an id stands beside it.
        for one, other in pairwise(sorted(rivals)):
            size = max(limits.TAG_DIGITS, _shared(one, other) + 1)
            for each in (one, other):
                sizes[each] = max(sizes[each], size)
    return {account: account.hex()[: sizes[account.hex()]] for account in names}


def _shared(one: str, other: str) -> int:
    """Return with how many equal digits both begin."""
    equal = takewhile(lambda pair: pair[0] == pair[1], zip(one, other, strict=False))
    return sum(1 for _ in equal)


# People are looked at again and again, and rarely change their names.
@lru_cache(maxsize=limits.LEAVES_READ)
def _skeletons(name: str) -> frozenset[str]:
    """Return what a name may be taken for, as written and in small letters."""
    plain = unicodedata.normalize("NFKD", neutralise(name))
    letters = "".join(
        each for each in plain if not unicodedata.combining(each) and not each.isspace()
    )
    seen_as = (letters.casefold(), letters.translate(_SEEN_AS))
    return frozenset(map(_merged, seen_as))


def _merged(letters: str) -> str:
    seen = letters.translate(_SEEN_AS).casefold().translate(_SEEN_AS)
    return seen.replace("rn", "m").replace("vv", "w")
