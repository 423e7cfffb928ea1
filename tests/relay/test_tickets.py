"""Tickets: what the relay issued, unchanged, until it expires."""

import pytest

from tertulia.crypto import Secret
from tertulia.relay import Refusal
from tertulia.relay.tickets import Right, Ticket, Tickets
from tertulia.wire import ErrorCode

TICKET = Ticket(Right.WRITE, 100, b"r" * 16, b"d" * 16, b"b" * 16)


def test_a_ticket_says_what_was_issued() -> None:
    tickets = Tickets(Secret(bytes(32)))
    assert tickets.check(tickets.issue(TICKET), 99) == TICKET


@pytest.mark.parametrize("position", range(0, 89, 4))
def test_no_bit_can_be_changed(position: int) -> None:
    tickets = Tickets(Secret(bytes(32)))
    token = bytearray(tickets.issue(TICKET))
    token[position] ^= 1
    with pytest.raises(Refusal) as caught:
        tickets.check(bytes(token), 99)
    assert caught.value.reason is ErrorCode.TICKET_INVALID


@pytest.mark.parametrize("token", [b"", b"?" * 57, b"?" * 89, b"?" * 500])
def test_what_is_no_ticket_is_refused(token: bytes) -> None:
    with pytest.raises(Refusal):
        Tickets(Secret(bytes(32))).check(token, 0)


def test_a_ticket_expires_and_is_worth_nothing_elsewhere() -> None:
    tickets = Tickets(Secret(bytes(32)))
    token = tickets.issue(TICKET)
    with pytest.raises(Refusal):
        tickets.check(token, 100)
    with pytest.raises(Refusal):
        Tickets(Secret(b"another relay".ljust(32))).check(token, 0)
