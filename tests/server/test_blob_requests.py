from hashlib import sha256
from pathlib import Path
from typing import Any

from tertulia.server.blob_requests import STATUS
from tertulia.wire import BLOBS_PATH, ErrorCode, frames, limits
from tests.raw_http import request
from tests.running_relay import config_for, run, running_relay
from tests.wire_client import Person, bearer, sign_in

DATA = bytes(range(256)) * 10_000


def test_a_blob_goes_up_in_pieces_and_comes_back_in_ranges(tmp_path: Path) -> None:
    async def story() -> None:
        async with running_relay(config_for(tmp_path)) as running:
            invite = running.owner_invite
            async with sign_in(running.server, Person(), invite) as client:
                room = await client.create_room()
                upload = await client.ask(
                    frames.BeginUpload(1, room, len(DATA), sha256(DATA).digest())
                )
                reading = (await client.ask(frames.FetchTicket(1, room))).ticket
            path = f"{BLOBS_PATH}/{upload.blob.hex()}"
            write: dict[str, Any] = {"Authorization": bearer(upload.ticket)}
            read: dict[str, Any] = {"Authorization": bearer(reading)}

            async def put(offset: int, data: bytes) -> tuple[int, str | None]:
                reply = await request(
                    running.server,
                    path,
                    method="PUT",
                    body=data,
                    Upload_Offset=str(offset),
                    **write,
                )
                return reply.status, reply.headers.get("upload-offset")

            half = 1_000_000
            assert await put(0, DATA[:half]) == (204, str(half))
            assert (await request(running.server, path, **read)).status == 404
            assert await put(5, DATA[:10]) == (409, str(half))
            there = await request(running.server, path, method="HEAD", **write)
            assert there.headers["upload-offset"] == str(half)
            assert (await put(half, bytes(limits.BLOB_CHUNK + 1)))[0] == 413
            assert (await put(half, DATA[half : 2 * half]))[0] == 204
            assert (await put(2 * half, DATA[2 * half :]))[0] == 204

            whole = await request(running.server, path, **read)
            assert (whole.status, whole.body) == (200, DATA)
            part = await request(running.server, path, Range="bytes=10-19", **read)
            assert (part.status, part.body) == (206, DATA[10:20])
            assert part.headers["content-range"] == f"bytes 10-19/{len(DATA)}"
            rest = await request(running.server, path, Range="bytes=2559990-", **read)
            assert rest.body == DATA[-10:]
            past = await request(running.server, path, Range="bytes=9999999-", **read)
            assert past.status == 416
            wrong = await request(running.server, path, method="DELETE", **read)
            assert wrong.status == 405

    run(story())


def test_every_refusal_of_blobs_has_its_status() -> None:
    assert STATUS[ErrorCode.TICKET_INVALID] == 401
    assert STATUS[ErrorCode.RELAY_FULL] == 507
