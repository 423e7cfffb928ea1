import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tertulia.classic.caesar import DEFAULT_KEY, decrypt, encrypt

LETTERS = string.ascii_letters


def test_the_example_of_the_report() -> None:
    ciphertext = encrypt("Ordenador 2: ¡Hola! Soy el Ordenador 2", DEFAULT_KEY)
    assert ciphertext == "Ybnoxknyb 2: ¡Ryvk! Cyi ov Ybnoxknyb 2"


@given(st.text(), st.integers())
def test_what_is_encrypted_can_be_decrypted(text: str, key: int) -> None:
    assert decrypt(encrypt(text, key), key) == text


@given(st.text().filter(lambda text: not set(text) & set(LETTERS)), st.integers())
def test_what_is_no_letter_of_the_alphabet_stays(text: str, key: int) -> None:
    assert encrypt(text, key) == text


def test_accents_stay_while_the_letters_around_them_move() -> None:
    assert encrypt("Sí, el ñandú", DEFAULT_KEY) == "Cí, ov ñkxnú"


@pytest.mark.parametrize(
    ("key", "expected"),
    [(0, "azAZ"), (1, "baBA"), (25, "zyZY"), (26, "azAZ"), (-1, "zyZY"), (27, "baBA")],
)
def test_the_alphabet_is_a_circle(key: int, expected: str) -> None:
    assert encrypt("azAZ", key) == expected
