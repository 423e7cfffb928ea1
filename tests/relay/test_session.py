"""A connection's state."""

import pytest

from tertulia.errors import BugError
from tertulia.relay import Phase, Session


def test_rates_count_by_the_network_not_by_the_address() -> None:
    session = Session("2001:db8::7", 0)
    assert (session.address, session.place) == ("2001:db8::7", "2001:db8::/64")


def test_a_new_session_has_no_device() -> None:
    session = Session("192.0.2.1", 0)
    assert session.phase is Phase.GREETING
    with pytest.raises(BugError):
        _ = session.holder
