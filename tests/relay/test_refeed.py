"""A restored relay gets back what it lost, and believes only what it once signed."""

from msgspec.structs import replace

from tertulia.wire import ErrorCode, frames
from tests.relay.script import Client, FallibleEngine, Person, Script, refused, run


def restored(script: Script, person: Person) -> tuple[Client, bytes, frames.Entries]:
    """Return a client of a relay that lost a room's three entries, and what they were."""
    client = script.enter(person)
    room = script.room("room", client)
    for text in ("one", "two"):
        client.append(room, 0, text)
    client.commit(room, 0, "three")
    (page,) = client.ask(frames.FetchEntries, room, 0)
    assert isinstance(page, frames.Entries)
    script.engine = FallibleEngine(script.random.randbytes)
    script.restart()
    again = script.enter(person)
    script.room("room", again)
    return again, room, page


def test_lost_entries_come_back_under_a_head_signed_before() -> None:
    script = Script()
    client, room, page = restored(script, Person("alice"))
    assert page.head.incarnation != script.engine.incarnation
    answers = client.ask(frames.Refeed, room, page.entries, page.head)
    assert answers[-1] == frames.Done(3)
    (again,) = client.ask(frames.FetchEntries, room, 0)
    assert isinstance(again, frames.Entries)
    assert again.entries == page.entries
    assert again.head.hash == page.head.hash
    resent = client.append(room, 3, "two")
    assert isinstance(resent[-1], frames.Accepted)
    assert resent[-1].place == 2


def test_nothing_else_is_believed() -> None:
    script = Script()
    client, room, page = restored(script, Person("alice"))
    one, two, three = page.entries
    forged = replace(page.head, signature=bytes(64))
    answer = client.ask(frames.Refeed, room, page.entries, forged)
    assert refused(answer, ErrorCode.AUTHENTICATION_FAILED)
    altered = (one, replace(two, blob=b"TWO"), three)
    for entries in ((one, two), (two, three), altered, (one, three, two), (), ()):
        answer = client.ask(frames.Refeed, room, entries, page.head)
        assert refused(answer, ErrorCode.FORKED, place=0)
    assert run(script.engine.usage()).entries == 0


def test_a_room_that_went_on_meanwhile_does_not_take_them() -> None:
    script = Script()
    client, room, page = restored(script, Person("alice"))
    client.append(room, 0, "new")
    answer = client.ask(frames.Refeed, room, page.entries, page.head)
    assert refused(answer, ErrorCode.FORKED, place=1)


def test_a_stranger_feeds_nothing_back() -> None:
    script = Script()
    _client, room, page = restored(script, Person("alice"))
    mallory = script.enter("mallory")
    code = mallory.refusal(frames.Refeed, room, page.entries, page.head)
    assert code is ErrorCode.NOT_FOUND
