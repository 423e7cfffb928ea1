"""Mailboxes: Welcomes wait until the device has them."""

from tertulia.wire import frames
from tests.relay.script import Person, Script


def test_welcomes_wait_for_a_device_that_is_away() -> None:
    script = Script()
    bob = Person("bob")
    script.enter(bob).close()
    alice = script.enter("alice")
    room = script.room("room", alice)
    for number in range(2):
        welcome = frames.Welcome((bob.device,), b"welcome")
        bundle = frames.Bundle(welcomes=(welcome,))
        alice.commit(room, number, f"commit {number}", bundle)
    client = script.connect(bob).hello()
    (opened,) = client.authenticate()
    assert isinstance(opened, frames.Authenticated)
    assert opened.welcomes == 2
    waiting = tuple(
        frames.WaitingWelcome(number, room, number, b"welcome") for number in (1, 2)
    )
    assert client.ask(frames.FetchWelcomes) == [frames.Welcomes(1, waiting)]
    assert client.ask(frames.FetchWelcomes, 1) == [frames.Welcomes(2, waiting[1:])]
    assert client.ask(frames.DiscardWelcomes, 1) == [frames.Done(3)]
    assert client.ask(frames.FetchWelcomes) == [frames.Welcomes(4, waiting[1:])]
