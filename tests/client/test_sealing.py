import pytest
from hypothesis import given
from hypothesis import strategies as st

from tertulia.client.sealing import open_sealed, seal
from tertulia.client.value_errors import SealError
from tertulia.crypto import Secret
from tests.client.society import ROOM, seeded

KEY = Secret(bytes(32))
OTHER_KEY = Secret(bytes(31) + b"\1")
SEALED = seal(KEY, "wrap", ROOM, b"secret", seeded("seal"))


@given(st.binary(max_size=100))
def test_what_is_sealed_opens(plaintext: bytes) -> None:
    sealed = seal(KEY, "wrap", ROOM, plaintext, seeded("seal"))
    assert open_sealed(KEY, "wrap", ROOM, sealed) == plaintext
    assert len(sealed) == 12 + len(plaintext) + 16


def test_it_opens_under_its_key_for_its_purpose_in_its_room() -> None:
    assert open_sealed(KEY, "wrap", ROOM, SEALED) == b"secret"
    for key, purpose, room in (
        (OTHER_KEY, "wrap", ROOM),
        (KEY, "external commit", ROOM),
        (KEY, "wrap", bytes(16)),
        (KEY, "wra", b"p" + ROOM),
    ):
        with pytest.raises(SealError):
            open_sealed(key, purpose, room, SEALED)


@given(st.data())
def test_nothing_that_was_changed_opens(data: st.DataObject) -> None:
    changed = bytearray(SEALED)
    changed[data.draw(st.integers(0, len(SEALED) - 1))] ^= data.draw(
        st.integers(1, 255)
    )
    with pytest.raises(SealError):
        open_sealed(KEY, "wrap", ROOM, bytes(changed))


@given(st.binary(max_size=60))
def test_any_other_bytes_do_not_open(data: bytes) -> None:
    with pytest.raises(SealError):
        open_sealed(KEY, "wrap", ROOM, data)


def test_no_nonce_is_used_twice() -> None:
    rng = seeded("nonces")
    assert seal(KEY, "wrap", ROOM, b"", rng) != seal(KEY, "wrap", ROOM, b"", rng)
