"""A screen whose person follows a script, for conversations without a terminal."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

from typing_extensions import override

from tertulia.cli.conversation import Conversation
from tertulia.cli.screen import Ending, Names, Screen
from tertulia.cli.talking import talk
from tests.cli.fake_agent import GARDEN, FakeAgent, as_agent

# What is typed, or what happens meanwhile.
Step: TypeAlias = str | Callable[[], object]


async def settle() -> None:
    """Let everything that can go on go on."""
    for _turn in range(50):
        await asyncio.sleep(0)


@dataclass
class ScriptedScreen(Screen):
    steps: list[Step]
    shown: list[str] = field(default_factory=list)
    codes: list[Sequence[str]] = field(default_factory=list)
    given_back: list[str] = field(default_factory=list)
    ending: Ending = Ending.END_OF_INPUT

    @override
    async def line(self, given_back: str = "") -> str | Ending:
        if given_back:
            self.given_back.append(given_back)
        while self.steps:
            await settle()
            step = self.steps.pop(0)
            if isinstance(step, str):
                self.shown.append(f">{step}")
                return step
            made = step()
            if isinstance(made, Awaitable):
                await made
        await settle()
        return self.ending

    @override
    def show(self, lines: Sequence[str]) -> None:
        self.shown.extend(lines)

    @override
    def show_whole(self, line: str) -> None:
        self.shown.append(line)

    @override
    def show_code(self, rows: Sequence[str]) -> None:
        self.codes.append(rows)


@dataclass
class Story:
    """What was to be seen, and how the conversation ended."""

    screen: ScriptedScreen
    names: Names
    ending: Ending | None

    @property
    def text(self) -> str:
        return "\n".join(self.screen.shown)


def tell(agent: FakeAgent, *steps: Step, lost_for: float = 0.0) -> Story:
    """Play a conversation in the garden."""

    async def play() -> Story:
        screen, names = ScriptedScreen(list(steps)), Names()
        conversation = Conversation(
            as_agent(agent), screen, GARDEN.room, names, lost_for=lost_for
        )
        async with asyncio.timeout(30):
            ending = await talk(conversation)
        return Story(screen, names, ending)

    return asyncio.run(play())
