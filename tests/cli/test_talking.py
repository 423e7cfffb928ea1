import asyncio

import pytest

from tertulia.cli.conversation import Conversation
from tertulia.cli.screen import Names
from tertulia.cli.talking import talk
from tertulia.client import SendText
from tertulia.errors import OfflineError
from tests.cli.fake_agent import GARDEN, FakeAgent, as_agent
from tests.cli.typing_person import ScriptedScreen, tell


def test_lines_are_said_in_order_and_blank_ones_are_not() -> None:
    agent = FakeAgent()
    tell(agent, "one", "", "  ", "//two", "FIN", "never said")
    assert agent.asked == [
        SendText(GARDEN.room, "one"),
        SendText(GARDEN.room, "/two"),
    ]


def test_what_cannot_be_said_is_given_back_for_editing() -> None:
    agent = FakeAgent()
    long = "x" * 70_000
    story = tell(agent, long, "short")
    assert story.screen.given_back == [long]
    assert "* The text is too long: 70000 bytes, of 65536 at most." in story.text
    assert [line.text for line in agent.lines] == ["short"]


def test_a_command_that_does_not_exist_is_not_said() -> None:
    agent = FakeAgent()
    story = tell(agent, "/nope secret")
    assert not agent.asked
    assert "* There is no command /nope." in story.text


def test_a_refusal_leaves_the_conversation_going() -> None:
    agent = FakeAgent(answers=[OfflineError("busy")])
    story = tell(agent, "one", "two")
    assert story.screen.given_back == ["one"]
    assert [line.text for line in agent.lines] == ["two"]


@pytest.mark.parametrize("error", [OfflineError("gone"), None])
def test_without_an_agent_there_is_no_conversation(error: OfflineError | None) -> None:
    agent = FakeAgent()

    async def play() -> None:
        screen = ScriptedScreen([lambda: agent.happen(error), asyncio.Event().wait])
        conversation = Conversation(as_agent(agent), screen, GARDEN.room, Names())
        async with asyncio.timeout(30):
            assert await talk(conversation) is None

    if error is None:
        asyncio.run(play())
    else:
        with pytest.raises(OfflineError):
            asyncio.run(play())
