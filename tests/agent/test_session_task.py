import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from typing_extensions import override
from websockets.asyncio.server import ServerConnection

from tertulia.agent.errors import (
    AgentClosedError,
    BusyError,
    FateUnknownError,
    NotAnsweredError,
    StepFailedError,
)
from tertulia.agent.session_task import (
    INBOX,
    MAX_ADDRESSES,
    Patience,
    _without_downgrade,
)
from tertulia.client import (
    Asked,
    Carried,
    Connect,
    Connection,
    ConnectionChanged,
    Disconnect,
    DownloadBlob,
    Effect,
    Emit,
    EntriesLoaded,
    EntryRow,
    FrameArrived,
    LinkClosed,
    LinkOpened,
    LoadEntries,
    MessageRow,
    NetworkChanged,
    NotMemberError,
    PutEntry,
    PutMessage,
    PutRoom,
    RelayMoved,
    RelayRow,
    Reply,
    RoomChanged,
    RoomRow,
    Save,
    SendText,
    Started,
    Ticked,
    TransferFailed,
    Transmit,
)
from tertulia.errors import VaultError
from tertulia.vault import VaultStorageError
from tertulia.wire import decode_from_client, encode, frames
from tests.agent.other_ends import unused_address, websocket_server
from tests.agent.people import OTHER, PROFILE, RELAY, Rules, play, stage

ROOM = bytes([7]) * 16
SAY = SendText(ROOM, "hello")
KEPT = PutRoom(RoomRow(ROOM, RELAY.relay, b"state"))
HELLO = frames.Hello((1,), bytes(32))
QUEUED = frames.Queued(1, 7)


def done(item: Asked) -> Sequence[Effect]:
    return (Reply(item.number, Carried()),)


def put(*changes: Any) -> Save:
    return Save((KEPT, *changes))


class FailingVault:
    """A vault whose disk is full from some moment on."""

    def __init__(self, vault: Any) -> None:
        self._vault = vault
        self.is_full = False

    def __getattr__(self, name: str) -> Any:
        return getattr(self._vault, name)

    def save(self, changes: Any) -> None:
        if self.is_full:
            raise VaultStorageError(Path("vault.db"), "no space", is_full=True)
        self._vault.save(changes)


# Commands


def test_a_session_begins_and_commands_are_answered(tmp_path: Path) -> None:
    async def story() -> None:
        rules = Rules({SendText: done})
        async with stage(tmp_path, rules, RELAY) as on:
            assert await on.ask(SAY) == Carried()
            assert isinstance(rules.items[0], Started)
            assert set(on.task.sessions) == {RELAY.relay}
            assert on.task.profile == PROFILE

    play(story)


def test_a_refused_command_raises_what_the_rules_say(tmp_path: Path) -> None:
    async def story() -> None:
        refuse = {SendText: lambda item: (Reply(item.number, NotMemberError(ROOM)),)}
        async with stage(tmp_path, Rules(refuse), RELAY) as on:
            with pytest.raises(NotMemberError):
                await on.task.ask(RELAY.relay, SAY)

    play(story)


def test_save_comes_before_all_else_and_the_rest_in_order(tmp_path: Path) -> None:
    async def story() -> None:
        message = MessageRow(ROOM, bytes(32), None, b"body")
        order: list[str] = []

        class Watching(FailingVault):
            @override
            def save(self, changes: Any) -> None:
                super().save(changes)
                order.append("saved")

        effects = {
            SendText: lambda item: (
                put(),
                Emit(RoomChanged(ROOM)),
                Save((PutMessage(message),)),
                Reply(item.number, Carried()),
            )
        }
        async with stage(tmp_path, Rules(effects), RELAY, wrap=Watching) as on:
            order.clear()
            with on.listeners.listen() as listener:
                asking = on.ask(SAY)
                assert await anext(listener) == RoomChanged(ROOM)
                order.append("shown")
                await asking
            # The event can be read before the second save has ended.
            assert order[0] == "saved"
            assert order.count("saved") == 2
            rows = await on.worker.run(on.vault.messages, ROOM, 0, 10)
            assert [row.message for row in rows] == [message.message]

    play(story)


def test_a_command_nobody_waits_for_any_more_is_not_begun(tmp_path: Path) -> None:
    async def story() -> None:
        rules = Rules({SendText: done})
        async with stage(tmp_path, rules, RELAY) as on:
            asking = on.ask(SAY)
            await asyncio.sleep(0)
            asking.cancel()
            await on.task.settle()
            assert not any(isinstance(item, Asked) for item in rules.items)

    play(story)


def test_an_answer_has_its_time(tmp_path: Path) -> None:
    async def story() -> None:
        patience = Patience(answer=0.02)
        async with stage(tmp_path, Rules(), RELAY, patience=patience) as on:
            with pytest.raises(NotAnsweredError):
                await on.task.ask(RELAY.relay, SAY)

    play(story)


def test_an_answer_that_comes_twice_or_to_nobody_is_dropped(tmp_path: Path) -> None:
    async def story() -> None:
        twice = {
            SendText: lambda item: (*done(item), *done(item), Reply(99, Carried()))
        }
        async with stage(tmp_path, Rules(twice), RELAY) as on:
            assert await on.ask(SAY) == Carried()
            await on.task.settle()

    play(story)


# What it may wait for


def test_what_is_loaded_comes_back_at_once(tmp_path: Path) -> None:
    async def story() -> None:
        row = EntryRow(ROOM, 1, bytes(32), b"entry")
        rules = Rules(
            {
                SendText: lambda item: (
                    put(PutEntry(row)),
                    LoadEntries(ROOM, 0, 5),
                    *done(item),
                )
            }
        )
        async with stage(tmp_path, rules, RELAY) as on:
            await on.ask(SAY)
            assert await rules.next(EntriesLoaded) == EntriesLoaded(ROOM, (row,))

    play(story)


def test_sessions_are_woken_when_they_wish(tmp_path: Path) -> None:
    async def story() -> None:
        rules = Rules()
        rules.wake_at = 1
        async with stage(tmp_path, rules, RELAY):
            await rules.next(Ticked)
            await rules.next(Ticked)
            rules.wake_at = None

    play(story)


def test_every_session_hears_of_another_network(tmp_path: Path) -> None:
    async def story() -> None:
        rules = Rules()
        async with stage(tmp_path, rules, RELAY, OTHER) as on:
            await on.task.change_network()
            await rules.next(NetworkChanged)
            await rules.next(NetworkChanged)

    play(story)


# Links


def test_a_link_is_opened_used_and_left(tmp_path: Path) -> None:
    heard: list[Any] = []

    async def relay(websocket: ServerConnection) -> None:
        message = await websocket.recv()
        assert isinstance(message, bytes)
        heard.append(decode_from_client(message))
        await websocket.send(encode(QUEUED))
        await websocket.wait_closed()

    async def story() -> None:
        async with websocket_server(relay) as address:
            rules = Rules(
                {
                    Started: lambda _item: (Connect((address,)),),
                    LinkOpened: lambda _item: (Transmit(HELLO),),
                    SendText: lambda item: (Disconnect(), Transmit(HELLO), *done(item)),
                }
            )
            async with stage(tmp_path, rules, RELAY) as on:
                assert await rules.next(FrameArrived) == FrameArrived(QUEUED)
                await on.ask(SAY)
                await on.task.settle()
            assert not any(isinstance(item, LinkClosed) for item in rules.items)

    play(story)
    assert heard == [HELLO]


def test_a_link_that_fails_is_told(tmp_path: Path) -> None:
    async def story() -> None:
        rules = Rules({Started: lambda _item: (Connect((unused_address(),)),)})
        async with stage(tmp_path, rules, RELAY):
            assert await rules.next(LinkClosed) == LinkClosed("unreachable")

    play(story)


def test_a_new_link_silences_the_one_before(tmp_path: Path) -> None:
    async def relay(websocket: ServerConnection) -> None:
        await websocket.send(encode(QUEUED))
        await websocket.wait_closed()

    async def story() -> None:
        async with websocket_server(relay) as address:
            again = (Connect((unused_address(),)), Connect((address,)))
            rules = Rules({Started: lambda _item: again})
            async with stage(tmp_path, rules, RELAY):
                await rules.next(FrameArrived)
            assert not any(isinstance(item, LinkClosed) for item in rules.items)

    play(story)


def test_without_a_link_nothing_is_transferred(tmp_path: Path) -> None:
    async def story() -> None:
        load = DownloadBlob(5, bytes(16), b"", 1)
        rules = Rules({Started: lambda _item: (load, Transmit(HELLO))})
        async with stage(tmp_path, rules, RELAY):
            assert await rules.next(TransferFailed) == TransferFailed(5, "no_link")

    play(story)


# Relays


def test_a_relay_that_is_new_gets_a_session(tmp_path: Path) -> None:
    async def story() -> None:
        rules = Rules({SendText: done})
        async with stage(tmp_path, rules) as on:
            await on.task.know(OTHER)
            assert await on.ask(SAY, OTHER) == Carried()
            assert await on.worker.run(on.vault.relays) == [OTHER]

    play(story)


def test_a_relay_that_is_known_learns_its_new_addresses(tmp_path: Path) -> None:
    async def story() -> None:
        rules = Rules()
        async with stage(tmp_path, rules, RELAY) as on:
            moved = [f"http://127.0.0.1:{port}" for port in range(2, 20)]
            await on.task.know(RelayRow(RELAY.relay, tuple(moved), counter=0))
            item = await rules.next(RelayMoved)
            known = len(RELAY.addresses)
            assert item == RelayMoved(
                (*RELAY.addresses, *moved[: MAX_ADDRESSES - known])
            )
            await on.task.know(RELAY)
            assert not any(isinstance(item, RelayMoved) for item in rules.items[2:])

    play(story)


def test_a_link_leads_nobody_away_from_tls() -> None:
    plain, secure = "http://evil.example", "https://relay.example"
    assert _without_downgrade((plain, secure, secure)) == (secure,)
    assert _without_downgrade((plain,)) == (plain,)


# Faults


def test_a_fault_on_a_command_is_its_answer_and_nothing_happened(
    tmp_path: Path,
) -> None:
    async def story() -> None:
        def fail(_item: Asked) -> Sequence[Effect]:
            raise ZeroDivisionError

        rules = Rules({SendText: fail})
        async with stage(tmp_path, rules, RELAY) as on:
            with pytest.raises(StepFailedError):
                await on.task.ask(RELAY.relay, SAY)
            rules.effects = {SendText: done}
            assert await on.ask(SAY) == Carried()
            assert sum(isinstance(item, Started) for item in rules.items) == 1

    play(story)


def test_a_fault_on_a_frame_lets_the_session_begin_anew(tmp_path: Path) -> None:
    async def story() -> None:
        def fail(_item: NetworkChanged) -> Sequence[Effect]:
            raise ZeroDivisionError

        rules = Rules({NetworkChanged: fail})
        async with stage(tmp_path, rules, RELAY) as on:
            with on.listeners.listen() as listener:
                asking = on.task.ask(RELAY.relay, SAY)
                waiting = on.group.create_task(raises(asking))
                await rules.next(Asked)
                await on.task.change_network()
                event = await anext(listener)
                assert isinstance(event, ConnectionChanged)
                assert event.connection is Connection.OFFLINE
                assert event.reason == "step_failed"
                assert isinstance(await waiting, StepFailedError)
                await rules.next(Started)
            assert sum(isinstance(item, Started) for item in rules.items) == 2

    play(story)


async def raises(asking: Any) -> BaseException | None:
    try:
        await asking
    except Exception as error:  # noqa: BLE001 -- that is what is wanted
        return error
    return None


def test_where_the_vault_fails_everything_ends(tmp_path: Path) -> None:
    async def story() -> None:
        effects = {SendText: lambda item: (put(), Emit(RoomChanged(ROOM)), *done(item))}
        vaults: list[FailingVault] = []

        def wrap(vault: Any) -> FailingVault:
            vaults.append(FailingVault(vault))
            return vaults[0]

        async with stage(tmp_path, Rules(effects), RELAY, wrap=wrap) as on:
            vaults[0].is_full = True
            with on.listeners.listen() as listener:
                assert isinstance(
                    await raises(on.task.ask(RELAY.relay, SAY)), VaultError
                )
                with pytest.raises(VaultError):
                    await anext(listener)
            for late in (on.task.ask(RELAY.relay, SAY), on.task.settle()):
                assert isinstance(await raises(late), VaultError)

    play(story)


# The end


def test_what_was_given_before_the_end_is_carried_out(tmp_path: Path) -> None:
    async def story() -> None:
        async with stage(tmp_path, Rules({SendText: done}), RELAY) as on:
            answers = [on.ask(SAY) for _ in range(5)]
            await asyncio.sleep(0)
            on.task.stop()
            assert await asyncio.gather(*answers) == [Carried()] * 5
            with pytest.raises(AgentClosedError):
                await on.task.ask(RELAY.relay, SAY)

    play(story)


def test_who_still_waits_at_the_end_hears_that_nobody_knows(tmp_path: Path) -> None:
    async def story() -> None:
        rules = Rules()
        async with stage(tmp_path, rules, RELAY) as on:
            waiting = on.group.create_task(raises(on.task.ask(RELAY.relay, SAY)))
            await rules.next(Asked)
            on.task.stop()
            assert isinstance(await waiting, FateUnknownError)

    play(story)


def test_a_full_inbox_turns_commands_away(tmp_path: Path) -> None:
    async def story() -> None:
        go_on = asyncio.Event()
        loop = asyncio.get_running_loop()

        def block(item: Asked) -> Sequence[Effect]:
            asyncio.run_coroutine_threadsafe(go_on.wait(), loop).result(10)
            return done(item)

        rules = Rules({SendText: block})
        async with stage(tmp_path, rules, RELAY) as on:
            first = on.ask(SAY)
            await rules.next(Asked)
            others = [on.ask(SAY) for _ in range(INBOX)]
            await asyncio.sleep(0)
            refused = await raises(on.task.ask(RELAY.relay, SAY))
            assert isinstance(refused, BusyError)
            go_on.set()
            assert await asyncio.gather(first, *others) == [Carried()] * (INBOX + 1)

    play(story)


def test_the_loop_stays_free_while_a_step_takes_long(tmp_path: Path) -> None:
    async def story() -> None:
        go_on = asyncio.Event()
        loop = asyncio.get_running_loop()

        def block(item: Asked) -> Sequence[Effect]:
            asyncio.run_coroutine_threadsafe(go_on.wait(), loop).result(10)
            return done(item)

        async with stage(tmp_path, Rules({SendText: block}), RELAY) as on:
            asking = on.ask(SAY)
            for _ in range(100):
                await asyncio.sleep(0)
            assert not asking.done()
            go_on.set()
            assert await asking == Carried()

    play(story)
