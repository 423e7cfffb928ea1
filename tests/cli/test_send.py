import asyncio
import json

import pytest

from tertulia.agent import ListenerBehindError
from tertulia.cli.errors import MessageFailedError, StillQueuedError
from tertulia.cli.send import send
from tertulia.client import Carried, MessageState
from tests.cli.commands import Commands
from tests.cli.fake_agent import FakeAgent, as_agent, message
from tests.cli.typing_person import settle


def test_a_text_is_said_and_nothing_printed(commands: Commands) -> None:
    assert commands.run("send", "Garden", "hello") == (0, "", "")
    assert [line.text for line in commands.agent.lines] == ["hello"]


@pytest.mark.parametrize("arguments", [("Garden", "-"), ("gard",)])
def test_a_text_comes_from_standard_input(
    commands: Commands, arguments: tuple[str, ...]
) -> None:
    assert commands.run("send", *arguments, typed="one\ntwo\n")[0] == 0
    assert [line.text for line in commands.agent.lines] == ["one\ntwo"]


def test_what_became_of_it_is_a_line(commands: Commands) -> None:
    _code, output, _errors = commands.run("send", "Garden", "hello", "--json")
    line = json.loads(output)
    assert (line["event"], line["state"]) == ("moved", "stored")
    assert line["id"] == commands.agent.lines[0].message.hex()


def test_without_a_relay_it_is_kept_and_that_is_said(commands: Commands) -> None:
    commands.agent.is_online = False
    code, output, errors = commands.run(
        "send", "Garden", "hello", "--timeout", "0s", "--json"
    )
    assert (code, output) == (69, "")
    assert "It is kept on this machine." in errors
    assert "Do not send it again." in errors


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("Cellar", "x"), "Nothing here is called Cellar."),
        (("Garden", "x" * 70_000), "The text is too long: 70000 bytes"),
        (("Garden", " "), "There is nothing to send."),
        (("Garden", "x", "--timeout", "soon"), "soon is not a time"),
    ],
)
def test_what_cannot_be_said_is_an_error_of_the_caller(
    commands: Commands, arguments: tuple[str, ...], words: str
) -> None:
    code, output, errors = commands.run("send", *arguments)
    assert (code, output) == (2, "")
    assert words in errors


def test_an_answer_that_does_not_fit_is_our_own_fault(commands: Commands) -> None:
    commands.agent.answers = [Carried()]
    assert commands.run("send", "Garden", "x")[0] == 70


def test_without_a_profile_it_says_how_to_begin(commands: Commands) -> None:
    commands.is_new = True
    code, _output, errors = commands.run("send", "Garden", "x")
    assert code == 2
    assert "`tertulia host` or `tertulia join LINK` begins one." in errors


def play(agent: FakeAgent, *happenings: object) -> MessageState:
    """Say something; then these things happen. Return what became of it."""

    async def happen() -> None:
        await agent.listened.wait()
        await settle()
        for happening in happenings:
            if isinstance(happening, MessageState):
                reason = "room_full" if happening is MessageState.FAILED else None
                agent.move(agent.lines[-1].message, happening, reason)
            elif isinstance(happening, ListenerBehindError):
                for listener in agent.listening:
                    while not listener.queue.empty():
                        listener.queue.get_nowait()
                agent.happen(happening)
            else:
                agent.happen(None)

    async def story() -> MessageState:
        async with asyncio.timeout(30), asyncio.TaskGroup() as group:
            group.create_task(happen())
            return (await send(as_agent(agent), "Garden", "hello", 20)).state

    return asyncio.run(story())


def raised(agent: FakeAgent, *happenings: object) -> BaseException:
    with pytest.raises((BaseExceptionGroup, MessageFailedError)) as found:
        play(agent, *happenings)
    error: BaseException = found.value
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error


def test_a_refusal_is_an_error_with_its_reason() -> None:
    error = raised(FakeAgent(is_online=False), MessageState.FAILED)
    assert isinstance(error, MessageFailedError)
    assert error.reason == "room_full"


def test_what_was_missed_is_looked_up() -> None:
    agent = FakeAgent(is_online=False, lines=[message("before")])
    behind = ListenerBehindError()
    assert play(agent, behind, MessageState.STORED) is MessageState.STORED
    agent = FakeAgent(is_online=False)
    assert play(agent, MessageState.STORED, behind) is MessageState.STORED


def test_an_agent_that_ends_leaves_it_queued() -> None:
    assert isinstance(raised(FakeAgent(is_online=False), None), StillQueuedError)
