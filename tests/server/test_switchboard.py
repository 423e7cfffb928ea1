import asyncio

from tertulia.crypto import ED25519, system_rng
from tertulia.relay import Broadcast, HangUp, Relay, Send, Settings
from tertulia.server.engines import MemoryEngine
from tertulia.server.logs import Log
from tertulia.server.shell import Shell
from tertulia.server.switchboard import Switchboard, as_message
from tertulia.wire import frames
from tests.running_relay import run


class Line:
    """A connection that writes down what happens to it."""

    def __init__(self, *, is_slow: bool = False) -> None:
        self.put_bytes: list[bytes] = []
        self.events: list[str] = []
        self.is_slow = is_slow

    def put(self, data: bytes) -> None:
        self.put_bytes.append(data)

    def offer(self, data: bytes) -> bool:
        if not self.is_slow:
            self.put(data)
        return not self.is_slow

    def flush(self) -> None:
        self.events.append(f"write {len(self.put_bytes)}")

    def finish(self) -> None:
        self.events.append("finish")


def test_effects_are_carried_out_in_order_with_one_write_a_turn() -> None:
    async def story() -> None:
        async with asyncio.TaskGroup() as group:
            engine = MemoryEngine(system_rng)
            identity = ED25519.generate(system_rng)
            relay = Relay(engine, Settings(), identity, system_rng)
            shell = Shell(group, lambda: 1, Log())
            board = Switchboard(relay, shell)
            lines = [Line(), Line(), Line(is_slow=True)]
            sessions = []
            for number, line in enumerate(lines):
                session, effects = relay.connect(f"192.0.2.{number}", 1)
                assert effects == []
                board.join(session, line)
                sessions.append(session)
            done = frames.Done(7)
            board.carry_out([Send(sessions[0], done), Broadcast(sessions, done)])
            assert [len(line.put_bytes) for line in lines] == [2, 1, 1]
            assert lines[0].put_bytes[0] is not lines[0].put_bytes[1]
            assert lines[0].put_bytes[1] is lines[1].put_bytes[0], "encoded once"
            assert lines[2].events == ["finish"], "a slow reader is sent away"
            assert b"catch_up" in lines[2].put_bytes[0]
            assert lines[0].events == []
            await asyncio.sleep(0)
            assert lines[0].events == ["write 2"]
            board.carry_out([HangUp(sessions[1]), Send(sessions[1], done)])
            assert lines[1].events == ["write 1", "finish"]
            assert len(lines[1].put_bytes) == 1
            board.leave(sessions[0])
            assert relay.counts().connections == 1
            assert shell.metrics.slow_readers == 1

    run(story())


def test_a_message_is_one_unmasked_binary_frame() -> None:
    message = as_message(frames.Done(7))
    assert message[0] == 0x82
    assert message[1] == len(message) - 2
