import asyncio
import json
from collections.abc import Callable, Sequence
from http.client import HTTPConnection
from typing import TypeVar

import pytest

from tertulia.agent.address import Address
from tertulia.agent.errors import TransferFailedError
from tertulia.agent.exchanges import FAILURES, BlobPlace, Exchanges
from tertulia.client import DownloadBlob, UploadBlob
from tertulia.wire import limits
from tests.agent.other_ends import HttpScript, http, unused_address
from tests.agent.patience import within

T = TypeVar("T")

BLOB, TICKET = bytes(range(16)), b"ticket"
DATA = bytes(range(256)) * 8
BREAK = b""
UPLOAD = UploadBlob(1, BLOB, TICKET, DATA)
DOWNLOAD = DownloadBlob(1, BLOB, TICKET, len(DATA))


def play(script: HttpScript, work: Callable[[Exchanges], T], patience: float = 5) -> T:
    """Return what exchanges come to against a script."""

    async def story() -> T:
        async with script.serving() as address:
            place = BlobPlace(Address.parse(address), b"")
            exchanges = Exchanges(place, patience)
            try:
                return await asyncio.to_thread(work, exchanges)
            finally:
                exchanges.close()

    return asyncio.run(within(story()))


def reason_of(answers: Sequence[bytes], work: Callable[[Exchanges], object]) -> str:
    """Return why a transfer fails against a script."""
    with pytest.raises(TransferFailedError) as caught:
        play(HttpScript(answers), work)
    return caught.value.reason


def refusal(status: int, code: object, **headers: str) -> bytes:
    return http(status, json.dumps({"code": code}).encode(), **headers)


def upload(exchanges: Exchanges) -> None:
    exchanges.upload(UPLOAD)


def download(exchanges: Exchanges) -> bytes:
    return exchanges.download(DOWNLOAD)


def steps_of(script: HttpScript) -> list[tuple[str, str, int]]:
    """Return of each request what it was, where it began and how long it was."""
    return [
        (method, headers.get("upload-offset", headers.get("range", "")), len(body))
        for method, headers, body in script.requests
    ]


# Up


def test_a_blob_goes_up_in_pieces_over_one_connection() -> None:
    size = limits.BLOB_CHUNK + 5
    script = HttpScript(
        [
            http(204, Upload_Offset=str(limits.BLOB_CHUNK)),
            http(204, Upload_Offset=str(size)),
        ]
    )
    effect = UploadBlob(1, BLOB, TICKET, bytes(size))
    play(script, lambda exchanges: exchanges.upload(effect))
    assert steps_of(script) == [
        ("PUT", "0", limits.BLOB_CHUNK),
        ("PUT", str(limits.BLOB_CHUNK), 5),
    ]
    assert script.connections == 1
    assert script.requests[0][1]["authorization"] == "Bearer dGlja2V0"


def test_an_upload_begins_at_its_offset() -> None:
    script = HttpScript([http(204)])
    effect = UploadBlob(1, BLOB, TICKET, DATA, offset=2_000)
    play(script, lambda exchanges: exchanges.upload(effect))
    assert steps_of(script) == [("PUT", "2000", 48)]


def test_an_upload_goes_on_where_it_broke() -> None:
    script = HttpScript([BREAK, http(200, Upload_Offset="2040"), http(204)])
    play(script, upload)
    assert steps_of(script) == [
        ("PUT", "0", len(DATA)),
        ("HEAD", "", 0),
        ("PUT", "2040", 8),
    ]


def test_an_upload_that_had_arrived_is_not_sent_again() -> None:
    script = HttpScript([BREAK, http(200, Upload_Offset=str(len(DATA)))])
    play(script, upload)
    assert len(script.requests) == 2


def test_the_relay_may_name_another_offset() -> None:
    script = HttpScript(
        [refusal(409, "blob_mismatch", Upload_Offset="2000"), http(204)]
    )
    play(script, upload)
    assert steps_of(script)[1] == ("PUT", "2000", 48)


def test_a_blob_that_never_fits_is_given_up() -> None:
    answers = [refusal(409, "blob_mismatch", Upload_Offset="0")] * FAILURES
    assert reason_of(answers, upload) == "blob_mismatch"


def test_a_connection_that_always_breaks_is_given_up() -> None:
    script = HttpScript([])
    with pytest.raises(TransferFailedError) as caught:
        play(script, upload)
    assert caught.value.reason == "unreachable"
    assert script.connections == FAILURES


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (refusal(401, "ticket_invalid"), "ticket_invalid"),
        (refusal(507, "room_full"), "room_full"),
        (refusal(403, "Not A Code"), "http_403"),
        (refusal(403, 7), "http_403"),
        (http(500, b"<html>"), "http_500"),
        (http(409), "http_409"),
    ],
)
def test_a_refusal_is_not_tried_again(answer: bytes, reason: str) -> None:
    assert reason_of([answer, http(204)], upload) == reason


def test_a_refused_offset_ends_an_upload() -> None:
    assert reason_of([BREAK, http(404)], upload) == "http_404"


# Down


def test_a_blob_comes_down() -> None:
    script = HttpScript([http(200, DATA)])
    assert play(script, download) == DATA
    assert steps_of(script) == [("GET", "", 0)]


def test_a_connection_that_ended_is_opened_by_us_and_looked_at_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    opened: list[Exchanges] = []
    open_one = Exchanges._open

    def count(exchanges: Exchanges) -> HTTPConnection:
        opened.append(exchanges)
        return open_one(exchanges)

    monkeypatch.setattr(Exchanges, "_open", count)
    script = HttpScript([http(200, DATA, Connection="close"), http(200, DATA)])
    assert play(script, lambda ours: download(ours) + download(ours)) == DATA * 2
    assert script.connections == len(opened) == 2


def test_a_download_goes_on_where_it_broke() -> None:
    cut = http(200, DATA)[:-48]
    script = HttpScript([cut, http(206, DATA[-48:])])
    assert play(script, download, patience=0.1) == DATA
    assert steps_of(script)[1] == ("GET", f"bytes={len(DATA) - 48}-", 0)


def test_more_than_was_announced_is_not_taken() -> None:
    assert reason_of([http(200, DATA + b"x")], download) == "too_large"


def test_less_than_was_announced_is_asked_for() -> None:
    script = HttpScript([http(200, DATA[:-1]), http(206, DATA[-1:])])
    assert play(script, download) == DATA


def test_a_relay_that_ignores_the_range_is_refused() -> None:
    assert reason_of([http(200, DATA[:-1]), http(200, DATA)], download) == "http_200"


def test_a_download_can_be_refused() -> None:
    assert reason_of([refusal(404, "not_found")], download) == "not_found"


def test_nobody_there() -> None:
    place = BlobPlace(Address.parse(unused_address()), b"")
    with pytest.raises(TransferFailedError) as caught:
        Exchanges(place, patience=5).download(DOWNLOAD)
    assert caught.value.reason == "unreachable"


def test_an_aborted_transfer_is_not_tried_again() -> None:
    script = HttpScript([BREAK, http(200, DATA)])

    def aborted(exchanges: Exchanges) -> bytes:
        exchanges.abort()
        return exchanges.download(DOWNLOAD)

    with pytest.raises(TransferFailedError):
        play(script, aborted)
    assert len(script.requests) == 1
