"""A process that holds a profile until its input ends; run by tests.

    python holding.py FOLDER NAME [LINK]

Prints a line once it holds the profile and, given a link, is in the room.
"""

import asyncio
import sys
from pathlib import Path

from tertulia.agent import KeySource, open_agent
from tertulia.client import JoinRoom


async def hold(folder: str, name: str, *links: str) -> None:
    """Be there."""
    source = KeySource.FILE
    async with open_agent(Path(folder), name=name, key_source=source) as agent:
        for link in links:
            await agent.ask(JoinRoom(link))
        sys.stdout.write(f"{agent.profile.name}\n")
        sys.stdout.flush()
        await asyncio.to_thread(sys.stdin.read)


if __name__ == "__main__":
    asyncio.run(hold(*sys.argv[1:]))
