import asyncio
import json

import pytest

from tertulia.cli.errors import BadValueError
from tertulia.cli.listen import listen, read_since
from tertulia.client import MessageKind, MessageView
from tests.cli.commands import Commands
from tests.cli.fake_agent import GARDEN, FakeAgent, as_agent, message

LINES = [message("one"), message("two"), message("elsewhere", room=b"k" * 16)]


def test_from_the_first_one_known(commands: Commands) -> None:
    commands.agent.lines = list(LINES)
    code, output, errors = commands.run(
        "listen", "--json", "--since", "0", "--count", "3"
    )
    assert (code, errors) == (0, "")
    objects = [json.loads(line) for line in output.splitlines()]
    assert [line["text"] for line in objects] == ["one", "two", "elsewhere"]
    wanted = {"room", "id", "sender", "time", "kind", "text", "event", "v"}
    assert all(wanted <= set(line) for line in objects)


def test_after_a_message_in_one_room(commands: Commands) -> None:
    commands.agent.lines = list(LINES)
    since = LINES[0].message.hex()
    _code, output, _errors = commands.run(
        "listen", "Garden", "--json", "--since", since, "--count", "1"
    )
    assert json.loads(output)["text"] == "two"


def test_people_read_it_with_its_time(commands: Commands) -> None:
    commands.agent.lines = [message("a\nb"), message("", kind=MessageKind.LEFT)]
    _code, output, _errors = commands.run("listen", "--since", "0", "--count", "2")
    first, second, third = output.splitlines()
    assert first.endswith("  Blas: a")
    assert second == "    b"
    assert third.endswith("  * Blas has left.")


@pytest.mark.parametrize(
    "arguments", [("--count", "0"), ("--since", "x"), ("--since", "abcd")]
)
def test_bad_values_are_said(commands: Commands, arguments: tuple[str, str]) -> None:
    code, _output, errors = commands.run("listen", *arguments)
    assert code == 2
    assert f"{arguments[1]} is not" in errors


def test_since_is_read() -> None:
    assert read_since(None) is None
    assert read_since("0") == 0
    assert read_since("ab" * 32) == b"\xab" * 32
    with pytest.raises(BadValueError):
        read_since("-1")


def heard(agent: FakeAgent, count: int | None, since: int | None = None) -> list[str]:
    """Return what is written while messages come, one of them unheard."""
    texts: list[str] = []

    def write(line: MessageView) -> None:
        texts.append(line.text)

    async def happen() -> None:
        await agent.listened.wait()
        await asyncio.sleep(0)
        agent.arrive(message("new"))
        agent.arrive_unheard(message("missed"))
        agent.arrive(message("elsewhere", room=b"k" * 16))
        agent.arrive(message("last"))
        agent.happen(None)

    async def story() -> None:
        async with asyncio.timeout(30), asyncio.TaskGroup() as group:
            group.create_task(happen())
            await listen(as_agent(agent), GARDEN.room, since, count, write)

    asyncio.run(story())
    return texts


def test_each_message_comes_once_whatever_is_missed() -> None:
    assert heard(FakeAgent(), None) == ["new", "missed", "last"]
    assert heard(FakeAgent(lines=list(LINES)), None) == ["new", "missed", "last"]
    everything = heard(FakeAgent(lines=list(LINES)), None, since=0)
    assert everything == ["one", "two", "new", "missed", "last"]


def test_after_so_many_it_ends() -> None:
    assert heard(FakeAgent(), 2) == ["new", "missed"]
