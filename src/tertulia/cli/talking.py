"""Keeps a conversation going: follows what happens, and carries out what is typed."""

import asyncio

from tertulia.cli.conversation import Conversation
from tertulia.cli.screen import Ending
from tertulia.cli.slash_actions import carry_out
from tertulia.cli.slash_commands import Action, Spoken, read_line
from tertulia.cli.tasks import until_first_ends
from tertulia.cli.words import describe
from tertulia.errors import TertuliaError


async def talk(conversation: Conversation) -> Ending | None:
    """Talk until the person leaves; return how, None for `/quit`.

    Raises what makes it impossible to go on.
    """
    entered = asyncio.Event()
    endings: list[Ending | None] = []

    async def take_lines() -> None:
        await entered.wait()
        endings.append(await _take_lines(conversation))
        await conversation.see_off()

    await until_first_ends(_follow(conversation, entered), take_lines())
    return endings[0] if endings else None


async def _take_lines(conversation: Conversation) -> Ending | None:
    given_back = ""
    while True:
        line = await conversation.screen.line(given_back)
        if isinstance(line, Ending):
            return line
        given_back = ""
        try:
            match read_line(line):
                case None:
                    pass
                case Spoken(text):
                    await conversation.speak(text)
                case invocation if invocation.command.action is Action.QUIT:
                    return None
                case invocation:
                    await carry_out(conversation, invocation)
        except TertuliaError as error:
            given_back = line
            conversation.say(str(describe(error)))


async def _follow(conversation: Conversation, entered: asyncio.Event) -> None:
    from tertulia.agent import ListenerBehindError

    async with conversation.agent.listen() as events:
        await conversation.enter(conversation.room)
        entered.set()
        while True:
            try:
                async for event in events:
                    await conversation.on(event)
            except ListenerBehindError:
                await conversation.catch_up()  # what was missed is in the vault
            else:
                return
