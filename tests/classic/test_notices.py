from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tertulia.classic.caesar import encrypt
from tertulia.classic.notices import departure_notice, read_incoming
from tertulia.l10n import choose_language
from tests.classic import origin


@pytest.fixture(params=["en", "es"])
def _language(request: pytest.FixtureRequest) -> Iterator[None]:
    choose_language({"LANGUAGE": request.param})
    yield
    choose_language({})


@pytest.mark.usefixtures("_language")
@pytest.mark.parametrize("key", [0, 3, 10])
@pytest.mark.parametrize("ip", ["192.0.2.7", "2001:db8::a", "fe80::1%eth0"])
def test_our_clients_read_it_with_any_key(ip: str, key: int) -> None:
    assert read_incoming(departure_notice((ip, 5000)), key).startswith(
        f"('{ip}', 5000) "
    )


@pytest.mark.usefixtures("_language")
def test_the_first_clients_read_it_as_ours_do() -> None:
    notice = departure_notice(("192.0.2.7", 5000))
    assert origin.decrypt(notice) == read_incoming(notice, 10)
    assert origin.decrypt(notice).startswith("('192.0.2.7', 5000) ")


def test_the_words_in_english() -> None:
    choose_language({})
    assert read_incoming(departure_notice(("::1", 9)), 10) == "('::1', 9) has left"


@given(st.text(), st.integers())
def test_messages_are_read_with_the_key_of_the_room(text: str, key: int) -> None:
    message = f"Ana: {text}"
    assert read_incoming(encrypt(message, key), key) == message
