import asyncio
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from websockets.asyncio.server import ServerConnection
from websockets.exceptions import ConnectionClosed

from tertulia.agent.errors import LinkFailedError
from tertulia.agent.link import SEND_QUEUE, Link, Patience, open_link
from tertulia.wire import encode, frames, limits
from tests.agent.other_ends import (
    Handler,
    silent_server,
    unused_address,
    websocket_server,
)
from tests.agent.patience import within
from tests.running_relay import config_for, running_relay
from tests.running_relay import run as run_as_relay

HURRY = Patience(
    opening=5, before_next=0.01, between_pings=60, answer_to_ping=5, closing=0.1
)
NONCE = bytes(32)
QUEUED = frames.Queued(1, 7)


def run(story: Coroutine[Any, Any, None]) -> None:
    asyncio.run(within(story))


async def failure(*addresses: str, trusted: bool = False) -> str:
    """Return why no link can be opened."""
    with pytest.raises(LinkFailedError) as caught:
        async with open_link(addresses, HURRY, trusted=trusted):
            pass
    return caught.value.reason


async def end_of(link: Link) -> str:
    """Return why a link ended."""
    with pytest.raises(LinkFailedError) as caught:
        await link.receive()
    return caught.value.reason


@asynccontextmanager
async def linked(handler: Handler, patience: Patience = HURRY) -> AsyncIterator[Link]:
    """Yield a link to a server that obeys a test."""
    async with (
        websocket_server(handler) as address,
        open_link([address], patience) as link,
    ):
        yield link


async def say(websocket: ServerConnection) -> None:
    await websocket.send(encode(QUEUED))
    await websocket.wait_closed()


# A real relay


@pytest.mark.parametrize("http", [False, True])
def test_a_relay_answers_and_its_certificate_is_seen(
    tmp_path: Path, *, http: bool
) -> None:
    async def story() -> None:
        async with (
            running_relay(config_for(tmp_path, http=http)) as relay,
            open_link([relay.ready.reach.url], HURRY) as link,
            asyncio.TaskGroup() as group,
        ):
            writing = group.create_task(link.write())
            link.put(frames.Hello((1,), NONCE))
            challenge = await link.receive()
            writing.cancel()
            assert isinstance(challenge, frames.Challenge)
            assert challenge.certificate == link.certificate
            assert bool(link.certificate) is not http

    run_as_relay(within(story()))


def test_a_certificate_of_its_own_is_not_trusted(tmp_path: Path) -> None:
    async def story() -> None:
        async with running_relay(config_for(tmp_path)) as relay:
            url = relay.ready.reach.url
            assert await failure(url, trusted=True) == "untrusted_certificate"

    run_as_relay(within(story()))


def test_a_relay_with_tls_does_not_answer_without(tmp_path: Path) -> None:
    async def story() -> None:
        async with running_relay(config_for(tmp_path)) as relay:
            url = f"http://127.0.0.1:{relay.ready.port}"
            assert await failure(url) in {"not_a_relay", "unreachable", "no_tls"}

    run_as_relay(within(story()))


# Opening


def test_the_first_address_that_answers_is_the_link() -> None:
    async def story() -> None:
        async with websocket_server(say) as one, websocket_server(say) as other:
            for addresses in ([one, other], [unused_address(), one, other]):
                async with open_link(addresses, HURRY) as link:
                    assert link.address.base == one
                    assert await link.receive() == QUEUED

    run(story())


def test_a_silent_address_does_not_hold_up_the_next() -> None:
    async def story() -> None:
        async with (
            silent_server() as silent,
            websocket_server(say) as good,
            open_link([silent, good], HURRY) as link,
        ):
            assert link.address.base == good

    run(story())


@pytest.mark.parametrize(
    ("addresses", "reason"),
    [
        ((), "no_address"),
        (("relay.example",), "bad_address"),
        (("http://127.0.0.1:1",), "unreachable"),
        (("http://relay.invalid",), "unknown_host"),
    ],
)
def test_why_there_is_no_link(addresses: tuple[str, ...], reason: str) -> None:
    async def story() -> None:
        assert await failure(*addresses) == reason

    run(story())


def test_a_server_that_says_nothing_is_given_up() -> None:
    async def story() -> None:
        patience = Patience(opening=0.05, before_next=0.01)
        async with silent_server() as silent:
            with pytest.raises(LinkFailedError) as caught:
                async with open_link([silent], patience):
                    pass
        assert caught.value.reason == "timeout"

    run(story())


def test_without_tls_nobody_vouches() -> None:
    async def story() -> None:
        async with websocket_server(say) as address:
            assert await failure(address, trusted=True) == "untrusted_certificate"

    run(story())


def test_tls_where_there_is_none_fails() -> None:
    async def story() -> None:
        async with silent_server(b"HTTP/1.1 400 Bad Request\r\n\r\n") as address:
            secure = address.replace("http:", "https:")
            assert await failure(secure) == "no_tls"

    run(story())


def test_who_speaks_another_protocol_is_no_relay() -> None:
    async def story() -> None:
        async with websocket_server(say, subprotocol="other") as address:
            assert await failure(address) == "not_a_relay"

    run(story())


# Reading and writing


def test_frames_of_a_kind_unknown_are_passed_over() -> None:
    async def newer(websocket: ServerConnection) -> None:
        await websocket.send(b"\x91\xaabrand_new1")
        await say(websocket)

    async def story() -> None:
        async with linked(newer) as link:
            assert await link.receive() == QUEUED

    run(story())


@pytest.mark.parametrize(
    "message", ["text", b"no frame", bytes(limits.FRAME + 1)], ids=["text", "no", "big"]
)
def test_what_is_no_frame_ends_the_link_with_a_reason(message: str | bytes) -> None:
    reasons: list[str | None] = []

    async def malformed(websocket: ServerConnection) -> None:
        await websocket.send(message)
        await websocket.wait_closed()
        reasons.append(websocket.close_reason)

    async def story() -> None:
        async with linked(malformed) as link:
            assert await end_of(link) == "malformed"

    run(story())
    assert reasons[0]


def test_a_relay_that_hangs_up_says_so() -> None:
    async def leave(websocket: ServerConnection) -> None:
        await websocket.close()

    async def story() -> None:
        async with linked(leave) as link:
            assert await end_of(link) == "closed"

    run(story())


def test_a_broken_connection_is_lost() -> None:
    async def vanish(websocket: ServerConnection) -> None:
        websocket.transport.abort()

    async def story() -> None:
        async with linked(vanish) as link:
            assert await end_of(link) == "lost"

    run(story())


def test_a_network_that_died_is_noticed_by_pings() -> None:
    async def story() -> None:
        patience = Patience(between_pings=0.01, answer_to_ping=0.02, closing=0.02)
        async with linked(deaf_until_lost, patience) as link:
            assert await end_of(link) == "silent"

    run(story())


async def deaf_until_lost(websocket: ServerConnection) -> None:
    websocket.transport.pause_reading()
    gone = asyncio.Event()
    asyncio.get_running_loop().call_later(0.2, gone.set)
    await gone.wait()
    websocket.transport.abort()


def test_a_relay_that_takes_nothing_loses_the_link() -> None:
    large = frames.Append(1, bytes(16), bytes(16), 0, bytes(limits.ENTRY_BLOB))

    async def story() -> None:
        async with linked(deaf_until_lost) as link:
            for _ in range(SEND_QUEUE // limits.ENTRY_BLOB + 1):
                link.put(large)
            assert await end_of(link) == "send_queue_full"

    run(story())


def test_frames_are_sent_in_order() -> None:
    got: list[bytes | str] = []

    async def collect(websocket: ServerConnection) -> None:
        try:
            while True:
                got.append(await websocket.recv())
                if len(got) == 3:
                    await websocket.close()
        except ConnectionClosed:
            pass

    async def story() -> None:
        hellos = [frames.Hello((number,), NONCE) for number in (1, 2, 3)]
        async with linked(collect) as link, asyncio.TaskGroup() as group:
            writing = group.create_task(link.write())
            for hello in hellos:
                link.put(hello)
            assert await end_of(link) == "closed"
            writing.cancel()
        assert got == [encode(hello) for hello in hellos]

    run(story())
