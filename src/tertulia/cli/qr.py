"""A link as a QR code of half blocks: two modules above each other per character."""

from itertools import zip_longest
from typing import Final

BORDER: Final = 2

# Light modules are drawn, since terminals write light on dark: (upper, lower) light.
_BLOCKS: Final = {
    (True, True): "█",
    (True, False): "▀",
    (False, True): "▄",
    (False, False): " ",
}


def qr_rows(text: str) -> list[str]:
    """Return the rows of the code that says `text`."""
    import segno

    code = segno.make(text, error="l", micro=False)
    light = [[not module for module in row] for row in code.matrix_iter(border=BORDER)]
    width = len(light[0])
    return [
        "".join(_BLOCKS[pair] for pair in zip(upper, lower, strict=True))
        for upper, lower in zip_longest(
            light[::2], light[1::2], fillvalue=[True] * width
        )
    ]
