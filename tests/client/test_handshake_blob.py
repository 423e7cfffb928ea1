import pytest
from hypothesis import given
from hypothesis import strategies as st

from tertulia.client.derivation import derive
from tertulia.client.handshake_blob import is_sealed, open_commit, seal_commit
from tertulia.client.padding import padded_size
from tertulia.client.sealing import seal
from tertulia.client.value_errors import SealError
from tertulia.crypto import Secret
from tertulia.mls import encode_message
from tests.client.society import ROOM, made_by, room_of, seeded

SECRET = Secret(bytes(32))


@given(st.binary(max_size=500))
def test_a_sealed_commit_opens_as_it_was(message: bytes) -> None:
    blob = seal_commit(SECRET, ROOM, message, seeded("seal"))
    assert is_sealed(blob)
    assert open_commit(SECRET, ROOM, blob) == message
    assert len(blob) == 1 + 12 + padded_size(len(message) + 1) + 16


def test_a_members_commit_is_not_sealed() -> None:
    plain = encode_message(made_by(room_of("Ana", "Luis"), "Ana").message)
    assert plain[:1] == b"\0"
    assert not is_sealed(plain)
    assert not is_sealed(b"")
    for blob in (plain, b""):
        with pytest.raises(SealError, match="not sealed"):
            open_commit(SECRET, ROOM, blob)


def test_only_who_knows_the_room_secret_opens_it() -> None:
    blob = seal_commit(SECRET, ROOM, b"commit", seeded("seal"))
    with pytest.raises(SealError):
        open_commit(Secret(bytes(31) + b"\1"), ROOM, blob)
    with pytest.raises(SealError):
        open_commit(SECRET, bytes(16), blob)
    with pytest.raises(SealError):
        open_commit(SECRET, ROOM, blob[:-1])
    with pytest.raises(SealError, match="cut short"):
        open_commit(SECRET, ROOM, blob[:12])


def test_what_was_sealed_without_padding_does_not_open() -> None:
    key = derive(SECRET, "room secret", "external commit")
    blob = b"\1" + seal(key, "external commit", ROOM, bytes(9), seeded("seal"))
    with pytest.raises(SealError, match="padding"):
        open_commit(SECRET, ROOM, blob)
