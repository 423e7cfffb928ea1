"""The engine of tests; what it promises is in test_contract.py."""

import asyncio
from random import Random

from tertulia.relay import Enrolment
from tertulia.server.engines import MemoryEngine
from tertulia.wire import Device


def test_nothing_outlives_it_and_nobody_need_listen() -> None:
    async def story() -> None:
        random = Random(1)
        engines = [MemoryEngine(random.randbytes) for _ in range(2)]
        assert engines[0].incarnation != engines[1].incarnation
        device = Device(bytes(16), bytes(32), bytes(32), bytes(32))
        enrolment = Enrolment(device, 0, None, may_create_account=True)
        await engines[0].enrol(enrolment)
        assert await engines[0].create_room(bytes(16), device.device, 0) is None
        assert (await engines[0].usage()).rooms == 1
        assert (await engines[1].usage()).accounts == 0

    asyncio.run(story())
