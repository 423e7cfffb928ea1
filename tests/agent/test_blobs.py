import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from hashlib import sha256
from pathlib import Path

import pytest

from tertulia.agent.address import Address
from tertulia.agent.blobs import AT_ONCE, BlobPatience, Blobs
from tertulia.agent.errors import TransferFailedError
from tertulia.agent.exchanges import BlobPlace
from tertulia.client import DownloadBlob, UploadBlob
from tertulia.crypto import Secret, public_key_hash
from tertulia.wire import frames, limits
from tests.agent.other_ends import HttpScript, http, silent_server
from tests.agent.patience import within
from tests.running_relay import Running, config_for, run, running_relay
from tests.wire_client import Client, Person, sign_in

HURRY = BlobPatience(answer=5, whole=10)
CONTENT = bytes(range(256)) * 8_000  # two pieces


@dataclass(frozen=True)
class Room:
    """A room on a running relay, and who is in it."""

    relay: Running
    client: Client
    room: bytes

    def blobs(self, certificate: bytes | None = None) -> Blobs:
        """Return the transfers of a link to the relay."""
        if certificate is None:
            key = (self.relay.config.data / "certificate-key.pem").read_bytes()
            certificate = public_key_hash(Secret(key))
        address = Address.parse(self.relay.ready.reach.url)
        return Blobs(BlobPlace(address, certificate), HURRY)

    async def begin(self, data: bytes) -> UploadBlob:
        """Announce a blob."""
        digest = sha256(data).digest()
        upload = await self.client.ask(
            frames.BeginUpload(1, self.room, len(data), digest)
        )
        return UploadBlob(1, upload.blob, upload.ticket, data)

    async def ticket(self) -> bytes:
        """Return what opens the room's blobs."""
        ticket: bytes = (await self.client.ask(frames.FetchTicket(1, self.room))).ticket
        return ticket


def in_a_room(folder: Path, story: Callable[[Room], Awaitable[None]]) -> None:
    async def whole() -> None:
        async with running_relay(config_for(folder)) as relay:
            person = Person()
            async with sign_in(relay.server, person, relay.owner_invite) as client:
                await story(Room(relay, client, await client.create_room()))

    run(within(whole()))


async def reason_of(transfer: Awaitable[object]) -> str:
    with pytest.raises(TransferFailedError) as caught:
        await transfer
    return caught.value.reason


def test_blobs_go_up_and_come_down_again(tmp_path: Path) -> None:
    async def story(room: Room) -> None:
        blobs = room.blobs()
        uploads = [await room.begin(CONTENT + bytes([n])) for n in range(AT_ONCE + 1)]
        await asyncio.gather(*(blobs.upload(upload) for upload in uploads))
        ticket = await room.ticket()
        downloads = [
            DownloadBlob(1, upload.blob, ticket, len(upload.data)) for upload in uploads
        ]
        contents = await asyncio.gather(*map(blobs.download, downloads))
        blobs.close()
        assert contents == [upload.data for upload in uploads]

    in_a_room(tmp_path, story)


def test_an_upload_that_was_begun_goes_on(tmp_path: Path) -> None:
    async def story(room: Room) -> None:
        blobs = room.blobs()
        upload = await room.begin(CONTENT)
        half = replace(upload, data=CONTENT[: limits.BLOB_CHUNK])
        await blobs.upload(half)
        await blobs.upload(replace(upload, offset=limits.BLOB_CHUNK))
        ticket = await room.ticket()
        got = await blobs.download(DownloadBlob(1, upload.blob, ticket, len(CONTENT)))
        blobs.close()
        assert got == CONTENT

    in_a_room(tmp_path, story)


def test_another_content_than_announced_is_refused(tmp_path: Path) -> None:
    async def story(room: Room) -> None:
        blobs = room.blobs()
        upload = await room.begin(b"announced")
        other = replace(upload, data=b"different")
        assert await reason_of(blobs.upload(other)) == "blob_mismatch"
        blobs.close()

    in_a_room(tmp_path, story)


def test_a_ticket_that_opens_nothing_is_refused(tmp_path: Path) -> None:
    async def story(room: Room) -> None:
        blobs = room.blobs()
        effect = DownloadBlob(1, bytes(16), b"no ticket", 1)
        assert await reason_of(blobs.download(effect)) == "ticket_invalid"
        blobs.close()

    in_a_room(tmp_path, story)


@pytest.mark.parametrize("certificate", [b"", bytes(32)])
def test_another_certificate_than_the_links_gets_no_ticket(
    tmp_path: Path, certificate: bytes
) -> None:
    async def story(room: Room) -> None:
        blobs = room.blobs(certificate)
        effect = DownloadBlob(1, bytes(16), b"secret", 1)
        assert await reason_of(blobs.download(effect)) == "wrong_certificate"
        blobs.close()

    in_a_room(tmp_path, story)


def test_no_blob_is_larger_than_any_may_be() -> None:
    async def story() -> None:
        blobs = Blobs(BlobPlace(Address.parse("http://127.0.0.1:1"), b""), HURRY)
        effect = DownloadBlob(1, bytes(16), b"", limits.BLOB + 1)
        assert await reason_of(blobs.download(effect)) == "too_large"
        blobs.close()

    asyncio.run(within(story()))


def test_connections_are_used_again() -> None:
    async def story() -> None:
        script = HttpScript([http(200, b"x")] * 4)
        async with script.serving() as address:
            blobs = Blobs(BlobPlace(Address.parse(address), b""), HURRY)
            effect = DownloadBlob(1, bytes(16), b"", 1)
            for _ in range(4):
                assert await blobs.download(effect) == b"x"
            blobs.close()
        assert script.connections == 1

    asyncio.run(within(story()))


def test_a_transfer_has_an_end() -> None:
    async def story() -> None:
        async with silent_server() as address:
            patience = BlobPatience(answer=10, whole=0.05)
            blobs = Blobs(BlobPlace(Address.parse(address), b""), patience)
            effect = DownloadBlob(1, bytes(16), b"", 1)
            assert await reason_of(blobs.download(effect)) == "timeout"
            blobs.close()

    asyncio.run(within(story()))


def test_a_transfer_can_be_cut_off() -> None:
    async def story() -> None:
        async with silent_server() as address:
            blobs = Blobs(BlobPlace(Address.parse(address), b""), HURRY)
            effect = DownloadBlob(1, bytes(16), b"", 1)
            async with asyncio.TaskGroup() as group:
                task = group.create_task(blobs.download(effect))
                await asyncio.sleep(0)
                task.cancel()
            blobs.close()
        assert task.cancelled()

    asyncio.run(within(story()))
