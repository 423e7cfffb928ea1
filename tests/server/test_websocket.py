import asyncio
from contextlib import AsyncExitStack
from dataclasses import replace
from pathlib import Path
from random import Random
from typing import Any

import pytest
from websockets.frames import Frame, Opcode

from tertulia.relay import Relay, Session, Settings
from tertulia.server.config import Bounds
from tertulia.server.engines import SqliteEngine
from tertulia.server.shell import Shell
from tertulia.wire import WEBSOCKET_PATH, ErrorCode, encode, frames, limits
from tests.chaos.abuse.line import BINARY, CONT, PING, masked
from tests.chaos.writers import gather_room, new_invite
from tests.raw_http import UPGRADE, exchange
from tests.running_relay import GENEROUS, config_for, run, running_relay
from tests.wire_client import Person, answer_of, open_socket, sign_in

MIB = 1024 * 1024


def test_a_message_may_come_in_fragments_and_two_at_once(tmp_path: Path) -> None:
    async def story() -> None:
        async with (
            running_relay(config_for(tmp_path)) as running,
            open_socket(running.server) as socket,
        ):
            data = encode(frames.Hello((1,), bytes(32)))
            socket.transport.write(
                Frame(Opcode.BINARY, data[:9], fin=False).serialize(mask=True)
                + Frame(Opcode.PING, b"").serialize(mask=True)
                + Frame(Opcode.CONT, data[9:]).serialize(mask=True)
                # The second waits for the first, and is then out of phase.
                + Frame(Opcode.BINARY, data).serialize(mask=True)
            )
            assert isinstance(await answer_of(socket), frames.Challenge)
            assert (await answer_of(socket)).code is ErrorCode.UNEXPECTED

    run(story())


def test_text_is_not_spoken_here(tmp_path: Path) -> None:
    async def story() -> None:
        async with (
            running_relay(config_for(tmp_path)) as running,
            open_socket(running.server) as socket,
        ):
            await socket.send("hello")
            await socket.wait_closed()
            assert socket.close_code == 1003

    run(story())


def test_a_slow_reader_is_told_to_catch_up_and_nobody_waits(tmp_path: Path) -> None:
    config = config_for(tmp_path, http=True, bounds=Bounds(send_queue=256 * 1024))

    async def story() -> None:
        async with running_relay(config) as running:
            writer, slow = Person(), Person()
            async with sign_in(running.server, writer, running.owner_invite) as first:
                room = await first.create_room()
                invite = await new_invite(first)
                async with sign_in(running.server, slow, invite) as second:
                    await first.route(room, slow.device)
                    await second.ask(frames.FollowRoom(1, room, 0))
                    second.socket.transport.pause_reading()
                    for _ in range(40):  # 20 MiB, more than any socket's buffers
                        answer = await first.append(room, bytes(512 * 1024))
                        assert isinstance(answer, frames.Accepted)
                    second.socket.transport.resume_reading()
                    goodbye = await second.wait_for_end()
                    assert goodbye is None or goodbye.code is ErrorCode.CATCH_UP
                    received = [
                        page
                        for page in second.pushed
                        if isinstance(page, frames.Entries)
                    ]
                    assert len(received) < 40

    run(story())


def test_many_slow_readers_share_one_budget(tmp_path: Path) -> None:
    bounds = Bounds(send_queue=64 * MIB, send_memory=2 * MIB)
    config = config_for(tmp_path, http=True, bounds=bounds)

    async def story() -> None:
        async with running_relay(config) as running, AsyncExitStack() as stack:
            people = await gather_room(
                running.server, running.owner_invite, 5, Random(1)
            )
            room = people[0].room
            first, *slow = [
                await stack.enter_async_context(sign_in(running.server, one.person))
                for one in people
            ]
            for client in slow:
                await client.ask(frames.FollowRoom(1, room, 0))
                client.socket.transport.pause_reading()
            for _ in range(40):  # 20 MiB for each, more than any socket's buffers
                answer = await first.append(room, bytes(MIB // 2))
                assert isinstance(answer, frames.Accepted)
            for client in slow:
                client.socket.transport.resume_reading()
                goodbye = await client.wait_for_end()
                assert goodbye is None or goodbye.code is ErrorCode.CATCH_UP

    run(story())


def test_many_unfinished_messages_share_one_budget(tmp_path: Path) -> None:
    config = config_for(tmp_path, http=True, bounds=Bounds(unfinished_memory=2 * MIB))
    beginning = masked(BINARY, bytes(MIB))[: MIB // 2]

    async def story() -> None:
        async with running_relay(config) as running, AsyncExitStack() as stack:
            people = await gather_room(
                running.server, running.owner_invite, 6, Random(1)
            )
            *hoarders, patient = [
                await stack.enter_async_context(sign_in(running.server, one.person))
                for one in people
            ]
            patient.socket.transport.write(beginning[: MIB // 32])
            for client in hoarders:
                client.socket.transport.write(beginning)
            gone = [asyncio.ensure_future(each.wait_for_end()) for each in hoarders]
            await asyncio.wait(gone, return_when=asyncio.FIRST_COMPLETED)
            assert not patient.socket.transport.is_closing()
            for client in (*hoarders, patient):  # a close frame would not be seen
                client.socket.transport.abort()

    run(story())


def test_few_unfinished_messages_may_take_their_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    looks: list[Shell] = []
    expire_late = Shell.expire_late

    def counted(shell: Shell) -> None:
        expire_late(shell)
        looks.append(shell)

    monkeypatch.setattr(Shell, "expire_late", counted)
    config = config_for(tmp_path, http=True, bounds=Bounds(unfinished_memory=2 * MIB))

    async def story() -> None:
        async with (
            running_relay(config) as running,
            sign_in(running.server, Person(), running.owner_invite) as slow,
            sign_in(running.server, Person(), await new_invite(slow)) as other,
        ):
            room = await slow.create_room()
            text = frames.Append(99, room, bytes(16), 0, bytes(limits.ENTRY_BLOB))
            whole = masked(BINARY, encode(text))
            slow.socket.transport.write(whole[: MIB // 2])
            while len(looks) < 2:
                await other.ask(frames.ListRooms(1))
            slow.socket.transport.write(whole[MIB // 2 :])
            assert isinstance(await slow.append(room, b"x"), frames.Accepted)

    run(story())


@pytest.mark.parametrize(
    "flood",
    [
        masked(PING, b""),
        masked(CONT, b"", fin=False),
        masked(BINARY, b"", fin=False) + masked(CONT, b""),
    ],
    ids=["pings", "a message without end", "fragments"],
)
def test_a_flood_of_small_frames_ends_the_connection(
    tmp_path: Path, flood: bytes
) -> None:
    async def story() -> None:
        async with (
            running_relay(config_for(tmp_path)) as running,
            open_socket(running.server) as socket,
        ):
            socket.transport.write(masked(BINARY, b"\x93", fin=False))
            socket.transport.write(flood * 50_000)
            await socket.wait_closed()
            assert socket.close_code in {1002, 1008, 1006}
            async with sign_in(running.server, Person(), running.owner_invite):
                pass

    run(story())


def test_pages_are_made_one_at_a_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    under_way: list[int] = [0]
    most: list[int] = []
    entries = SqliteEngine.entries

    async def counted(engine: SqliteEngine, *asked: Any) -> Any:
        under_way[0] += 1
        most.append(under_way[0])
        try:
            return await entries(engine, *asked)
        finally:
            under_way[0] -= 1

    monkeypatch.setattr(SqliteEngine, "entries", counted)

    async def story() -> None:
        async with (
            running_relay(config_for(tmp_path)) as running,
            sign_in(running.server, Person(), running.owner_invite) as client,
        ):
            room = await client.create_room()
            await client.append(room, b"x")
            asked = [client.send(frames.FetchEntries(1, room, 0)) for _ in range(20)]
            pages = await asyncio.gather(*asked)
            assert [len(page.entries) for page in pages] == [1] * 20
            assert (len(most), max(most)) == (20, 1)

    run(story())


def test_large_messages_are_taken_one_at_a_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    held, most = [0], [0]
    receive = Relay.receive

    async def counted(
        relay: Relay, session: Session, messages: Any, *rest: Any
    ) -> None:
        size = sum(map(len, messages))
        held[0] += size
        most[0] = max(most[0], held[0])
        await receive(relay, session, messages, *rest)
        held[0] -= size

    monkeypatch.setattr(Relay, "receive", counted)

    async def story() -> None:
        async with (
            running_relay(config_for(tmp_path)) as running,
            sign_in(running.server, Person(), running.owner_invite) as client,
        ):
            room = await client.create_room()
            answers = [client.append(room, bytes(limits.ENTRY_BLOB)) for _ in range(9)]
            answers += [client.append(room, bytes(MIB // 4)) for _ in range(9)]
            for answer in await asyncio.gather(*answers):
                assert isinstance(answer, frames.Accepted)
            assert limits.ENTRY_BLOB < most[0] <= limits.FRAME

    run(story())


def test_who_asks_for_too_much_rests_and_goes_on(tmp_path: Path) -> None:
    few = replace(limits.FRAMES, burst=10, per_minute=60)
    rates = {**GENEROUS, few.name: few}
    config = config_for(tmp_path, relay=Settings(rates=rates))

    async def story() -> None:
        async with (
            running_relay(config) as running,
            sign_in(running.server, Person(), running.owner_invite) as client,
        ):
            room = bytes(16)
            time = asyncio.get_running_loop().time
            began = time()
            asked = [client.send(frames.UnfollowRoom(1, room)) for _ in range(100)]
            answers = await asyncio.gather(*asked)
            granted = [each for each in answers if isinstance(each, frames.Done)]
            # One more for each second that it took, however busy the machine is.
            assert 10 <= len(granted) <= 11 + time() - began
            assert len(answers) == 100

    run(story())


def test_a_silent_client_is_asked_and_then_cut_off(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tertulia.server.websocket.QUIET_TIME", 0.0)
    monkeypatch.setattr("tertulia.server.websocket.ANSWER_TIME", 0.0)
    ask = UPGRADE.format(path=WEBSOCKET_PATH, host="127.0.0.1", more="").encode()

    async def story() -> None:
        async with running_relay(config_for(tmp_path, http=True)) as running:
            # It opens a WebSocket and never says a word, not even a pong.
            heard = await exchange(running.server, ask)
            assert heard.startswith(b"HTTP/1.1 101 ")
            assert heard.endswith(bytes([0x89, 0])), "it was asked"

    run(story())
