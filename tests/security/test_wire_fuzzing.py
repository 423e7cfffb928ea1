"""Any bytes on the port get an error or a close: no traceback, no hang, no growth."""

import asyncio
import contextlib
import tempfile
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import get_args

import msgspec
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from websockets.asyncio.client import ClientConnection
from websockets.exceptions import ConnectionClosed

from tertulia.server.control import read_metrics
from tertulia.wire import encode, frames
from tests.raw_http import exchange, request
from tests.running_relay import Running, config_for, run, running_relay
from tests.wire_client import Person, hello, open_socket, sign_in

TAGS = [kind.__struct_config__.tag for kind in get_args(frames.FromClient)]

anything = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64 - 1)
    | st.floats()
    | st.text(max_size=20)
    | st.binary(max_size=40),
    lambda inner: st.lists(inner, max_size=6) | st.dictionaries(st.text(), inner),
    max_leaves=12,
)

# Bytes, any MessagePack, and frames of ours with any fields.
messages = (
    st.binary(max_size=200)
    | anything.map(msgspec.msgpack.encode)
    | st.tuples(
        st.sampled_from(TAGS), st.integers(0, 2**32), st.lists(anything, max_size=8)
    ).map(lambda parts: msgspec.msgpack.encode([parts[0], parts[1], *parts[2]]))
)

fuzzing = settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)


def bugs(running: Running) -> int:
    text = read_metrics(running.config.data / "control.sock")
    for line in text.splitlines():
        if line.startswith("tertulia_bugs_total "):
            return int(line.split()[1])
    raise AssertionError(text)


async def unharmed(running: Running) -> None:
    assert (await request(running.server, "/healthz")).body == b"ok\n"
    assert await asyncio.to_thread(bugs, running) == 0


def fuzz(folder: Path, attack: Callable[[Running], Awaitable[None]]) -> None:
    async def story() -> None:
        new = Path(tempfile.mkdtemp(dir=folder))
        async with running_relay(config_for(new, http=True)) as running:
            await attack(running)
            await unharmed(running)

    run(story())


@given(data=st.lists(st.binary(max_size=300), max_size=5))
@fuzzing
def test_any_bytes_on_the_port(tmp_path: Path, data: list[bytes]) -> None:
    async def attack(running: Running) -> None:
        for part in data:
            # The blank lines end what looks like a head, so that nothing is awaited.
            await exchange(running.server, b"\x00" + part + b"\r\n\r\n")

    fuzz(tmp_path, attack)


@given(data=st.lists(messages, min_size=1, max_size=8))
@fuzzing
def test_any_messages_before_authentication(tmp_path: Path, data: list[bytes]) -> None:
    async def attack(running: Running) -> None:
        for message in data:
            async with open_socket(running.server) as socket:
                await send_and_drain(socket, [message])
            async with open_socket(running.server) as socket:
                await hello(socket, Person().rng)
                await send_and_drain(socket, [message])

    fuzz(tmp_path, attack)


@given(data=st.lists(messages, min_size=1, max_size=30))
@fuzzing
def test_any_messages_after_authentication(tmp_path: Path, data: list[bytes]) -> None:
    async def attack(running: Running) -> None:
        async with sign_in(running.server, Person(), running.owner_invite) as client:
            for message in data:
                with contextlib.suppress(ConnectionClosed):
                    await client.socket.send(message)
            with contextlib.suppress(ConnectionClosed):
                await client.socket.send(encode(frames.ListRooms(7)))
                await client.socket.close()

    fuzz(tmp_path, attack)


@given(data=st.binary(min_size=1, max_size=200))
@fuzzing
def test_any_bytes_after_the_upgrade(tmp_path: Path, data: bytes) -> None:
    async def attack(running: Running) -> None:
        async with open_socket(running.server) as socket:
            socket.transport.write(data)
            socket.transport.write(b"\x88\x80\x00\x00\x00\x00")  # a masked close
            socket.transport.abort()

    fuzz(tmp_path, attack)


async def send_and_drain(socket: ClientConnection, data: list[bytes]) -> None:
    """Send; read until the relay hangs up, which it does for whatever is wrong."""
    with contextlib.suppress(ConnectionClosed):
        for message in data:
            await socket.send(message)
        await socket.close()
