"""Telling people apart whose names look alike.

Anybody may take any name. Where two accounts of a room have names that are equal or
could be taken for each other, each is shown with the first digits of its account id.
Too much likeness found costs a tag that nobody needed, too little a deception: so in
doubt names are alike.
"""

import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Mapping
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
    alike: dict[str, set[bytes]] = defaultdict(set)
    for account, name in names.items():
        for skeleton in _skeletons(name):
            alike[skeleton].add(account)
    rivals: dict[bytes, set[bytes]] = {account: set() for account in names}
    for accounts in alike.values():
        for account in accounts:
            rivals[account] |= accounts - {account}
    return {account: _tag(account, rivals[account]) for account in names}


def _skeletons(name: str) -> set[str]:
    """Return what a name may be taken for, as written and in small letters."""
    plain = unicodedata.normalize("NFKD", neutralise(name))
    letters = "".join(
        each for each in plain if not unicodedata.combining(each) and not each.isspace()
    )
    return {_merged(letters.casefold()), _merged(letters.translate(_SEEN_AS))}


def _merged(letters: str) -> str:
    seen = letters.translate(_SEEN_AS).casefold().translate(_SEEN_AS)
    return seen.replace("rn", "m").replace("vv", "w")


def _tag(account: bytes, rivals: Iterable[bytes]) -> str:
    """Return as many digits of an account id as tell it from its rivals."""
    others = [rival.hex() for rival in rivals]
    if not others:
        return ""
    mine = account.hex()
    size = limits.TAG_DIGITS
    while size < len(mine) and any(each[:size] == mine[:size] for each in others):
        size += 1
    return mine[:size]
