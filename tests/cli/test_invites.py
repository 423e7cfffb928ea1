import asyncio

import msgspec
import pytest

from tertulia.cli.errors import NothingNamedError, UnexpectedAnswerError
from tertulia.cli.invites import (
    choose_invite,
    invite_row,
    make_invite,
    standing_link,
    standing_or_new,
)
from tertulia.client import Carried, CreateInvite, InviteView
from tests.cli.fake_agent import ANA, GARDEN, NOON, FakeAgent, as_agent

STANDING = InviteView(b"\x0a" * 16, ANA, None, None, "https://x/i#a")
LIMITED = InviteView(b"\x0b" * 16, ANA, NOON, 1, "https://x/i#b")
ELSEWHERE = msgspec.structs.replace(STANDING, link=None)


def test_a_standing_link_has_no_end_and_is_ours() -> None:
    assert standing_link([LIMITED, ELSEWHERE, STANDING]) == "https://x/i#a"
    assert standing_link([LIMITED, ELSEWHERE]) is None


def test_one_is_made_only_if_there_is_none() -> None:
    agent = FakeAgent(made=[STANDING])
    assert asyncio.run(standing_or_new(as_agent(agent), GARDEN.room)) == STANDING.link
    assert not agent.asked
    agent = FakeAgent()
    assert asyncio.run(standing_or_new(as_agent(agent), GARDEN.room))
    assert agent.asked == [CreateInvite(GARDEN.room)]


def test_an_answer_that_does_not_fit_is_our_own_fault() -> None:
    agent = FakeAgent(answers=[Carried()])
    with pytest.raises(UnexpectedAnswerError):
        asyncio.run(make_invite(as_agent(agent), GARDEN.room))


@pytest.mark.parametrize("wanted", ["0", "0c", ""])
def test_one_is_chosen_by_the_beginning_of_its_id(wanted: str) -> None:
    assert choose_invite([STANDING, LIMITED], "0B0") is LIMITED
    with pytest.raises(NothingNamedError):
        choose_invite([STANDING, LIMITED], wanted)


def test_a_row_says_until_when_and_how_often() -> None:
    row = invite_row(LIMITED)
    assert row.startswith("0b0b0b0b  Ana  until 20")
    assert row.endswith("  1 use  https://x/i#b")
    assert invite_row(ELSEWHERE).endswith("(made on another device)")
