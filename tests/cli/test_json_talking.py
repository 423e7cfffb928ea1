import asyncio
import json
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest

from tertulia.cli import json_talking
from tertulia.cli.json_talking import JsonConversation
from tertulia.client import (
    CatchingUp,
    Connection,
    MessageState,
    SignSeen,
)
from tests.cli.fake_agent import ANA, GARDEN, FakeAgent, as_agent, message
from tests.cli.typing_person import settle

Step = str | Callable[[], object]


def tell(agent: FakeAgent, *steps: Step) -> list[dict[str, Any]]:
    """Return the objects written while these lines come in and these things happen."""
    written: list[bytes] = []

    async def typed() -> AsyncIterator[str]:
        for step in steps:
            await settle()
            if isinstance(step, str):
                yield step
            else:
                step()
        await settle()

    async def play() -> None:
        conversation = JsonConversation(as_agent(agent), GARDEN.room, written.append)
        async with asyncio.timeout(30):
            await conversation.talk(typed())

    asyncio.run(play())
    return [json.loads(line) for line in written]


def test_lines_are_messages_whatever_they_look_like() -> None:
    agent = FakeAgent(lines=[message("before")])
    lines = tell(agent, "hello", "/quit", "FIN", "  ")
    said = [line for line in lines if line["event"] == "message"]
    assert [line["text"] for line in said] == ["hello", "/quit", "FIN"]
    assert all(line["sender"]["me"] and line["v"] == 1 for line in said)
    moved = [line["state"] for line in lines if line["event"] == "moved"]
    assert moved == ["stored"] * 3


def test_each_event_of_the_room_is_a_line() -> None:
    agent = FakeAgent()
    other = b"k" * 16
    lines = tell(
        agent,
        lambda: agent.arrive(message("hi")),
        lambda: agent.arrive_unheard(message("missed")),
        lambda: agent.arrive(message("elsewhere", room=other)),
        lambda: agent.happen(SignSeen(GARDEN.room)),
        lambda: agent.happen(CatchingUp(other, 1, 2)),
        lambda: agent.change_room(topic="Roses"),
        lambda: agent.connect(Connection.OFFLINE),
    )
    assert [line["event"] for line in lines] == [
        "message",
        "message",
        "sign_seen",
        "room",
        "connection",
    ]
    assert [line["text"] for line in lines[:2]] == ["hi", "missed"]
    assert lines[3]["topic"] == "Roses"


def test_what_cannot_be_said_is_a_line_too() -> None:
    (line,) = tell(FakeAgent(), "x" * 70_000)
    assert (line["event"], line["code"]) == ("error", "text_too_long")
    assert len(line["text"]) < 100


def test_last_words_have_a_moment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(json_talking, "LAST_WORDS", 0.01)
    agent = FakeAgent(is_online=False)
    assert [line["event"] for line in tell(agent, "one")] == ["message"]
    assert agent.lines[0].state is MessageState.QUEUED


def test_my_words_from_elsewhere_are_lines() -> None:
    agent = FakeAgent()
    (line,) = tell(agent, lambda: agent.arrive(message("from my phone", ANA)))
    assert line["sender"]["me"] is True


def test_when_the_agent_ends_the_conversation_does() -> None:
    agent = FakeAgent()
    assert tell(agent, lambda: agent.happen(None), "not said") in ([], [])
