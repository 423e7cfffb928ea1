import socket
import threading
from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from tertulia.classic.room import CROWD, CROWD_SIZE, Member, Outbox, Room

FOREVER = 30.0


@pytest.fixture
def connections() -> Iterator[list[socket.socket]]:
    """Three near ends; their far ends live as long as the test."""
    with ExitStack() as stack:
        pairs = [socket.socketpair() for _ in range(3)]
        for near, far in pairs:
            stack.enter_context(near)
            stack.enter_context(far)
        yield [near for near, _far in pairs]


@pytest.fixture
def members(connections: list[socket.socket]) -> list[Member]:
    return [
        Member(connection, ("192.0.2.1", port))
        for port, connection in enumerate(connections)
    ]


def test_an_outbox_gives_back_what_was_put_in_order() -> None:
    outbox = Outbox()
    assert outbox.put(b"one")
    assert outbox.put(b"two")
    assert [outbox.take(), outbox.take()] == [b"one", b"two"]


def test_a_full_outbox_refuses_until_something_was_taken() -> None:
    outbox = Outbox(limit=4)
    assert outbox.put(b"1234")
    assert not outbox.put(b"5")
    outbox.take()
    assert outbox.put(b"5")


def test_taking_waits_for_a_message() -> None:
    outbox = Outbox()
    taken: list[bytes | None] = []
    thread = threading.Thread(target=lambda: taken.append(outbox.take()))
    thread.start()
    outbox.put(b"late")
    thread.join(FOREVER)
    assert taken == [b"late"]


def test_closing_ends_a_wait_and_drops_what_is_left() -> None:
    outbox = Outbox()
    outbox.put(b"never sent")
    outbox.close()
    assert outbox.take() is None
    outbox.rest(FOREVER)


@pytest.mark.parametrize("crowd", [[b"x"] * (CROWD + 1), [b"x" * (CROWD_SIZE + 1)]])
def test_a_crowd_is_not_kept_waiting(crowd: list[bytes]) -> None:
    outbox = Outbox()
    for message in crowd:
        outbox.put(message)
    resting = threading.Thread(target=outbox.rest, args=(1000.0,), daemon=True)
    resting.start()
    resting.join(FOREVER)
    assert not resting.is_alive()


def test_a_message_goes_to_all_but_its_sender(members: list[Member]) -> None:
    room = Room()
    assert all(room.enter(member) for member in members)
    sender, *others = members
    assert room.relay(b"hola", sender) == []
    assert [member.outbox.take() for member in others] == [b"hola", b"hola"]
    assert sender.outbox.put(b"only this")
    assert sender.outbox.take() == b"only this"


def test_who_has_left_gets_nothing_and_may_leave_twice(members: list[Member]) -> None:
    room = Room()
    sender, gone, _ = members
    room.enter(sender)
    room.enter(gone)
    room.leave(gone)
    room.leave(gone)
    assert room.members() == [sender]


def test_who_is_too_slow_is_removed_and_named_once(members: list[Member]) -> None:
    room = Room()
    sender, slow, quick = members
    slow.outbox = Outbox(limit=2)
    for member in members:
        room.enter(member)
    assert room.relay(b"123", sender) == [slow]
    assert room.relay(b"456", sender) == []
    assert room.members() == [sender, quick]
    assert [quick.outbox.take(), quick.outbox.take()] == [b"123", b"456"]


def test_a_full_room_lets_nobody_in(members: list[Member]) -> None:
    room = Room(limit=1)
    assert room.enter(members[0])
    assert not room.enter(members[1])


def test_all_read_the_same_order_whoever_sends(members: list[Member]) -> None:
    room = Room()
    for member in members:
        room.enter(member)
    first, second, reader = members
    late_reader = Member(reader.connection, ("192.0.2.1", 9))
    room.enter(late_reader)

    def send(sender: Member, mark: int) -> None:
        for number in range(500):
            room.relay(b"%d:%d" % (mark, number), sender)

    threads = [
        threading.Thread(target=send, args=(m, i))
        for i, m in enumerate((first, second))
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(FOREVER)
    read = [reader.outbox.take() for _ in range(1000)]
    assert read == [late_reader.outbox.take() for _ in range(1000)]
    for mark in (b"0:", b"1:"):
        mine = [text for text in read if text and text.startswith(mark)]
        assert mine == [mark + b"%d" % number for number in range(500)]


def test_disconnecting_wakes_a_read_and_may_happen_twice(members: list[Member]) -> None:
    member = members[0]
    member.disconnect()
    assert member.connection.recv(1) == b""
    assert member.outbox.take() is None
    member.connection.close()
    member.disconnect()
