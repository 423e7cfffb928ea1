"""An end for every wait of these tests."""

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar("T")

PATIENCE = 20.0


async def within(story: Coroutine[Any, Any, T], seconds: float = PATIENCE) -> T:
    """Return what a story returns; fail if it takes too long."""
    async with asyncio.timeout(seconds):
        return await story
