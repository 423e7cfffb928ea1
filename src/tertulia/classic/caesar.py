"""The Caesar cipher: every letter moves the same number of places in the alphabet.

    C = (X + key) mod 26

It protects nothing: there are 26 keys, and a reader can try them all by hand. It is
here because the chat that this project grew from used it.

The alphabet is A to Z and a to z. Everything else (ñ, accented letters, digits, spaces,
punctuation) passes as it is, so that it arrives as typed. The first program moved
accented letters too, into an alphabet they do not belong to: its `Sí` came out as `Sk`.
"""

DEFAULT_KEY = 10


def encrypt(text: str, key: int) -> str:
    """Return `text` with its letters moved `key` places forward."""
    return "".join(_moved(character, key) for character in text)


def decrypt(text: str, key: int) -> str:
    """Return `text` with its letters moved `key` places back."""
    return encrypt(text, -key)


def _moved(character: str, key: int) -> str:
    if "a" <= character <= "z":
        first = ord("a")
    elif "A" <= character <= "Z":
        first = ord("A")
    else:
        return character
    return chr((ord(character) - first + key) % 26 + first)
