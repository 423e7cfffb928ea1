import copy
import pickle

import pytest

from tertulia.crypto import Secret


def test_shows_its_size_only() -> None:
    secret = Secret(b"attack at dawn")
    assert repr(secret) == str(secret) == f"{secret}" == "<Secret 14 bytes>"
    assert len(secret) == 14


def test_gives_its_bytes_when_asked_by_name() -> None:
    assert Secret(b"attack at dawn").reveal() == b"attack at dawn"


def test_does_not_turn_into_bytes_by_itself() -> None:
    with pytest.raises(TypeError):
        bytes(Secret(b"attack"))  # type: ignore[call-overload]


def test_equals_a_secret_of_the_same_bytes() -> None:
    assert Secret(b"same") == Secret(b"same")
    assert Secret(b"same") != Secret(b"diff")
    assert Secret(b"same") != Secret(b"same, but longer")


def test_never_equals_plain_bytes() -> None:
    assert Secret(b"same") != b"same"


def test_is_no_dictionary_key() -> None:
    with pytest.raises(TypeError):
        hash(Secret(b"key"))


def test_has_no_room_for_other_attributes() -> None:
    assert not hasattr(Secret(b"key"), "__dict__")


def test_is_loaded_once_by_each_loader() -> None:
    calls: list[bytes] = []

    def load(value: bytes) -> list[bytes]:
        calls.append(value)
        return [value]

    secret = Secret(b"key")
    loaded = secret.loaded(load)
    assert loaded == [b"key"]
    assert secret.loaded(load) is loaded
    assert calls == [b"key"]
    assert secret.loaded(len) == 3
    assert secret.loaded(load) == [b"key"]


def test_what_cannot_be_loaded_is_refused_each_time() -> None:
    secret = Secret(b"no number")
    for _ in range(2):
        with pytest.raises(ValueError, match="invalid literal"):
            secret.loaded(int)


def test_what_was_loaded_changes_nothing_else() -> None:
    secret = Secret(b"key")
    secret.loaded(len)
    assert secret == Secret(b"key")
    assert repr(secret) == "<Secret 3 bytes>"


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_is_not_pickled(protocol: int) -> None:
    with pytest.raises(TypeError, match="reveal"):
        pickle.dumps(Secret(b"key"), protocol)


def test_is_not_copied() -> None:
    with pytest.raises(TypeError, match="reveal"):
        copy.copy(Secret(b"key"))
    with pytest.raises(TypeError, match="reveal"):
        copy.deepcopy([Secret(b"key")])
