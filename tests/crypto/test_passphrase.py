import pytest
from cryptography.hazmat.primitives.kdf.argon2 import Argon2id

from tertulia.crypto import (
    PASSPHRASE_COST,
    PASSPHRASE_SALT_SIZE,
    PassphraseCost,
    Secret,
    passphrase_key,
)

SALT = bytes(range(PASSPHRASE_SALT_SIZE))
CHEAP = PassphraseCost(memory=32, passes=1, lanes=4)


def test_the_primitive_is_the_rfc_s_argon2id() -> None:
    # RFC 9106 section 5.3, which also uses a secret and associated data.
    derivation = Argon2id(
        salt=b"\x02" * 16,
        length=32,
        iterations=3,
        lanes=4,
        memory_cost=32,
        ad=b"\x04" * 12,
        secret=b"\x03" * 8,
    )
    assert derivation.derive(b"\x01" * 32).hex() == (
        "0d640df58d78766c08c037a34a8b53c9d01ef0452d75b65eb52520e96b01e659"
    )


def test_the_default_cost_is_the_rfc_s_second_recommendation() -> None:
    assert PassphraseCost(2**16, 3, 4) == PASSPHRASE_COST
    expected = Argon2id(
        salt=SALT, length=32, iterations=3, lanes=4, memory_cost=2**16
    ).derive(b"open sesame")
    assert passphrase_key("open sesame", SALT) == Secret(expected)


def test_everything_that_goes_in_counts() -> None:
    keys = [
        passphrase_key("open sesame", SALT, CHEAP),
        passphrase_key("Open sesame", SALT, CHEAP),
        passphrase_key("open sesame", SALT[::-1], CHEAP),
        passphrase_key("open sesame", SALT, PassphraseCost(64, 1, 4)),
        passphrase_key("open sesame", SALT, PassphraseCost(32, 2, 4)),
        passphrase_key("open sesame", SALT, PassphraseCost(32, 1, 2)),
    ]
    assert len({key.reveal() for key in keys}) == len(keys)
    assert {len(key) for key in keys} == {32}


@pytest.mark.parametrize(
    ("one", "other"), [("\u00e9", "e\u0301"), ("\uac00", "\u1100\u1161")]
)
def test_a_letter_is_the_same_however_it_was_composed(one: str, other: str) -> None:
    assert passphrase_key(one, SALT, CHEAP) == passphrase_key(other, SALT, CHEAP)


def test_bytes_that_are_no_text_are_a_passphrase_too() -> None:
    odd = b"\xff\xfe".decode("utf-8", "surrogateescape")
    assert passphrase_key(odd, SALT, CHEAP) == passphrase_key(odd, SALT, CHEAP)
