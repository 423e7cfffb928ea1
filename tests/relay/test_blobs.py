"""Blobs: tickets, pieces, ranges, quotas; an id alone opens nothing."""

from hashlib import sha256

import pytest

from tertulia.relay import Refusal, Settings
from tertulia.wire import AccountPolicy, ErrorCode, frames, limits
from tests.relay.script import Client, Invitation, Person, Script, refused, run

CONTENT = bytes(range(100))
DIGEST = sha256(CONTENT).digest()


def begin(
    client: Client, room: bytes, size: int = 100, digest: bytes = DIGEST
) -> frames.Upload:
    (answer,) = client.ask(frames.BeginUpload, room, size, digest)
    assert isinstance(answer, frames.Upload), answer
    return answer


def ticket(client: Client, room: bytes) -> bytes:
    (answer,) = client.ask(frames.FetchTicket, room)
    assert isinstance(answer, frames.TicketIssued), answer
    return answer.ticket


def write(script: Script, upload: frames.Upload, offset: int, data: bytes) -> int:
    piece = (offset, data)
    blob = run(script.relay.write_blob(upload.ticket, upload.blob, piece, script.now))
    return blob.stored


def read(script: Script, token: bytes, blob: bytes, start: int, size: int) -> bytes:
    _, data = run(script.relay.read_blob(token, blob, (start, size), script.now))
    return data


def alone() -> tuple[Script, Client, bytes]:
    script = Script()
    alice = script.enter("alice")
    return script, alice, script.room("room", alice)


def test_an_upload_resumes_where_it_stopped() -> None:
    script, alice, room = alone()
    upload = begin(alice, room)
    assert (upload.offset, upload.expires) == (0, script.now + limits.TICKET_TIME)
    assert write(script, upload, 0, CONTENT[:60]) == 60
    script.restart()
    again = script.enter(alice.person)
    (resumed,) = again.ask(frames.ResumeUpload, room, upload.blob)
    assert isinstance(resumed, frames.Upload)
    assert resumed.offset == 60
    offset = script.relay.blob_offset(upload.ticket, upload.blob, script.now)
    assert run(offset) == 60
    assert write(script, resumed, 60, CONTENT[60:]) == 100
    assert read(script, ticket(again, room), upload.blob, 10, 20) == CONTENT[10:30]


def test_only_its_account_resumes_an_upload() -> None:
    script = Script()
    alice, bob = script.enter("alice"), script.enter("bob")
    room = script.room("room", alice, bob)
    upload = begin(alice, room)
    assert bob.refusal(frames.ResumeUpload, room, upload.blob) is ErrorCode.NOT_FOUND
    other = alice.refusal(frames.ResumeUpload, bytes(16), upload.blob)
    unknown = alice.refusal(frames.ResumeUpload, room, bytes(16))
    assert other is unknown is ErrorCode.NOT_FOUND


@pytest.mark.parametrize(
    ("offset", "data"),
    [(1, CONTENT[:10]), (0, CONTENT + b"more")],
    ids=["elsewhere", "too much"],
)
def test_a_piece_must_fit(offset: int, data: bytes) -> None:
    script, alice, room = alone()
    with pytest.raises(Refusal) as caught:
        write(script, begin(alice, room), offset, data)
    assert caught.value.reason is ErrorCode.BLOB_MISMATCH
    assert caught.value.facts == frames.Facts(place=0)


def test_a_piece_is_not_larger_than_what_the_relay_holds_in_memory() -> None:
    script, alice, room = alone()
    size = limits.BLOB_CHUNK + 1
    with pytest.raises(Refusal) as caught:
        write(script, begin(alice, room, size), 0, bytes(size))
    assert caught.value.reason is ErrorCode.TOO_LARGE


def test_a_false_hash_begins_anew() -> None:
    script, alice, room = alone()
    upload = begin(alice, room, digest=bytes(32))
    with pytest.raises(Refusal) as caught:
        write(script, upload, 0, CONTENT)
    assert caught.value.reason is ErrorCode.BLOB_MISMATCH
    assert write(script, upload, 0, CONTENT[:5]) == 5


def test_a_finished_blob_never_changes() -> None:
    script, alice, room = alone()
    upload = begin(alice, room)
    write(script, upload, 0, CONTENT)
    with pytest.raises(Refusal):
        write(script, upload, 100, b"")


def test_an_id_alone_opens_nothing() -> None:
    script = Script()
    alice, mallory = script.enter("alice"), script.enter("mallory")
    room, other = script.room("room", alice), script.room("other", mallory)
    upload = begin(alice, room)
    write(script, upload, 0, CONTENT)
    foreign = ticket(mallory, other)
    of_another_blob = begin(mallory, other)
    for token in (foreign, of_another_blob.ticket, upload.ticket):
        with pytest.raises(Refusal) as caught:
            read(script, token, upload.blob, 0, 10)
        assert caught.value.reason is ErrorCode.NOT_FOUND
    for token in (foreign, of_another_blob.ticket, ticket(alice, room)):
        with pytest.raises(Refusal) as caught:
            run(script.relay.blob_offset(token, upload.blob, script.now))
        assert caught.value.reason is ErrorCode.NOT_FOUND


def test_an_unfinished_blob_is_not_read() -> None:
    script, alice, room = alone()
    upload = begin(alice, room)
    with pytest.raises(Refusal):
        read(script, ticket(alice, room), upload.blob, 0, 10)


def test_a_ticket_opens_nothing_once_its_device_is_cut() -> None:
    script = Script()
    alice, bob = script.enter("alice"), script.enter("bob")
    room = script.room("room", alice, bob)
    reference = alice.upload(room, CONTENT)
    token = ticket(bob, room)
    assert read(script, token, reference.blob, 0, 100) == CONTENT
    out = frames.Bundle(unroute=(bob.person.device,))
    alice.ask(frames.Repair, room, 0, out)
    with pytest.raises(Refusal):
        read(script, token, reference.blob, 0, 100)


def test_a_joiner_s_ticket_opens_the_group_and_nothing_else() -> None:
    script, alice, room = alone()
    link = Invitation("link")
    advice = alice.advice(room, link.terms())
    secret = alice.upload(room, CONTENT)
    alice.commit(room, 0, "commit", frames.Bundle(group=advice))
    bob = script.enter("bob")
    (admitted,) = bob.ask(
        frames.RequestAdmission, room, link.invite, bob.claim(link, room)
    )
    assert isinstance(admitted, frames.Admitted)
    assert advice.tree is not None
    assert read(script, admitted.ticket, advice.tree.blob, 0, 4) == b"tree"
    with pytest.raises(Refusal):
        read(script, admitted.ticket, secret.blob, 0, 4)


def test_what_an_account_stores_is_limited() -> None:
    script = Script(Settings(accounts=AccountPolicy.OPEN, account_storage=150))
    alice = script.enter("alice")
    room, other = script.room("room", alice), script.room("other", alice)
    begin(alice, room)
    answer = alice.ask(frames.BeginUpload, other, 100, DIGEST)
    assert refused(answer, ErrorCode.ACCOUNT_FULL, limit=150, actual=100)


def test_uploads_begun_are_limited_per_account() -> None:
    _script, alice, room = alone()
    for _ in range(limits.UPLOADS.burst):
        begin(alice, room, 1)
    code = alice.refusal(frames.BeginUpload, room, 1, DIGEST)
    assert code is ErrorCode.RATE_LIMITED


def test_a_store_that_fails_is_told_as_such() -> None:
    script, alice, room = alone()
    upload = begin(alice, room)
    script.engine.fail("the disk is on fire")
    with pytest.raises(Refusal) as caught:
        write(script, upload, 0, CONTENT)
    assert caught.value.reason is ErrorCode.UNAVAILABLE
    assert isinstance(Person("x").device, bytes)
