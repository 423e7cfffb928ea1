"""What an attacker would try on a relay's port; the threat model points here.

Each test is named after the attack of which it shows that it fails.
"""

import asyncio
import contextlib
import re
import socket
import stat
from collections.abc import Coroutine
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from websockets.exceptions import InvalidStatus

from tertulia.relay import Settings
from tertulia.server import Config
from tertulia.wire import (
    BLOBS_PATH,
    WEBSOCKET_PATH,
    ErrorCode,
    InviteClaim,
    encode,
    frames,
)
from tests.chaos.writers import new_invite
from tests.raw_http import UPGRADE, exchange, request
from tests.running_relay import GENEROUS, Running, config_for, run, running_relay
from tests.wire_client import (
    Invite,
    Person,
    RefusedError,
    answer_of,
    authenticate,
    bearer,
    hello,
    open_socket,
    sign_in,
)


def relay(folder: Path, **settings: Any) -> Config:
    return config_for(folder, relay=replace(Settings(rates=GENEROUS), **settings))


async def code_of(asking: Coroutine[Any, Any, Any]) -> ErrorCode:
    with pytest.raises(RefusedError) as caught:
        await asking
    return caught.value.code


# 22: cross-site WebSocket, DNS rebinding


@pytest.mark.parametrize(
    "origin",
    ["https://evil.example", "null", "http://127.0.0.1:{port}", "https://127.0.0.1"],
)
def test_a_page_of_another_site_opens_no_websocket(tmp_path: Path, origin: str) -> None:
    async def story() -> None:
        async with running_relay(relay(tmp_path)) as running:
            asked = origin.format(port=running.server.port)
            with pytest.raises(InvalidStatus) as refused:
                async with open_socket(running.server, origin=asked):
                    pass
            assert refused.value.response.status_code == 403

    run(story())


def test_a_page_of_our_own_opens_a_websocket(tmp_path: Path) -> None:
    async def story() -> None:
        async with running_relay(relay(tmp_path)) as running:
            own = f"https://127.0.0.1:{running.server.port}"
            async with open_socket(running.server, origin=own) as socket:
                await hello(socket, Person().rng)

    run(story())


@pytest.mark.parametrize("path", ["/", WEBSOCKET_PATH, "/healthz", f"{BLOBS_PATH}/x"])
def test_dns_rebinding_finds_nobody(tmp_path: Path, path: str) -> None:
    async def story() -> None:
        async with running_relay(relay(tmp_path)) as running:
            reply = await request(running.server, path, Host="evil.example")
            assert reply.status == 421
            data = UPGRADE.format(path=path, host="evil.example", more="")
            assert b" 421 " in (await exchange(running.server, data.encode()))[:20]

    run(story())


# 20: path traversal


@pytest.mark.parametrize(
    "target",
    [
        "/../identity.key",
        "/..%2fidentity.key",
        "/%2e%2e/%2e%2e/etc/passwd",
        "//etc/passwd",
        "/static/../../pyproject.toml",
        "/index.html/../../__init__.py",
        "/..\\..\\identity.key",
        "/page.css%00.html",
        f"{BLOBS_PATH}/../../identity.key",
        f"{BLOBS_PATH}/..%2f..%2frelay.db",
    ],
)
def test_path_traversal_reaches_no_file(tmp_path: Path, target: str) -> None:
    async def story() -> None:
        async with running_relay(relay(tmp_path)) as running:
            secret = (tmp_path / "identity.key").read_bytes().strip()
            reply = await request(running.server, target)
            assert reply.status in {400, 404}
            assert secret not in reply.body
            assert b"root:" not in reply.body

    run(story())


# 26, 6: replayed authentication


def test_replayed_authentication_opens_nothing(tmp_path: Path) -> None:
    async def story() -> None:
        async with running_relay(relay(tmp_path)) as running:
            person = Person()
            async with open_socket(running.server) as socket:
                nonce, challenge = await hello(socket, person.rng)
                proof = encode(
                    authenticate(person, challenge, nonce, running.owner_invite)
                )
                await socket.send(proof)
                assert isinstance(await answer_of(socket), frames.Authenticated)
            async with open_socket(running.server) as other:
                await hello(other, lambda _size: nonce)
                await other.send(proof)
                goodbye = await answer_of(other)
                assert goodbye.code is ErrorCode.AUTHENTICATION_FAILED

    run(story())


def test_authentication_relayed_to_another_server_opens_nothing(
    tmp_path: Path,
) -> None:
    async def story() -> None:
        first, second = relay(tmp_path / "a"), relay(tmp_path / "b")
        async with running_relay(first) as one, running_relay(second) as two:
            person = Person()
            async with (
                open_socket(one.server) as front,
                open_socket(two.server) as back,
            ):
                nonce, real = await hello(back, person.rng)
                _, shown = await hello(front, person.rng)
                # The person believes to talk to `one`, which passes two's nonce on.
                mixed = replace_nonce(shown, real.nonce)
                await back.send(encode(authenticate(person, mixed, nonce)))
                goodbye = await answer_of(back)
                assert goodbye.code is ErrorCode.AUTHENTICATION_FAILED

    run(story())


def replace_nonce(challenge: frames.Challenge, nonce: bytes) -> frames.Challenge:
    from msgspec.structs import replace as change  # noqa: PLC0415

    return change(challenge, nonce=nonce)


# 25: enumeration, timing


def test_enumeration_finds_no_rooms(tmp_path: Path) -> None:
    async def story() -> None:
        async with running_relay(relay(tmp_path)) as running:
            owner, stranger = Person(), Person()
            async with sign_in(running.server, owner, running.owner_invite) as first:
                room = await first.create_room()
                invite = await new_invite(first)
                async with sign_in(running.server, stranger, invite) as second:
                    for one in (room, bytes(16)):
                        asked = [
                            frames.FetchEntries(1, one, 0),
                            frames.FollowRoom(1, one, 0),
                            frames.Append(1, one, bytes(16), 0, b"x"),
                            frames.FetchGroup(1, one),
                            frames.FetchTicket(1, one),
                            frames.BeginUpload(1, one, 1, bytes(32)),
                        ]
                        codes = {await code_of(second.ask(frame)) for frame in asked}
                        assert codes == {ErrorCode.NOT_FOUND}

    run(story())


def test_enumeration_finds_no_invites_and_takes_the_same_work(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    checks: list[bytes] = []
    verify = InviteClaim.verify

    def counting(claim: InviteClaim, public: bytes, signature: bytes) -> None:
        checks.append(claim.invite)
        verify(claim, public, signature)

    monkeypatch.setattr(InviteClaim, "verify", counting)

    async def story() -> None:
        async with running_relay(relay(tmp_path)) as running:
            real = running.owner_invite
            for guess in (
                Invite(real.invite, bytes(32)),  # there is one, the secret is wrong
                Invite(bytes(16), bytes(32)),  # there is none
            ):
                code = await code_of(signing_in(running, guess))
                assert code is ErrorCode.INVITE_INVALID
            assert checks == [real.invite, bytes(16)]

    run(story())


async def signing_in(running: Running, invite: Invite | None = None) -> None:
    async with sign_in(running.server, Person(), invite):
        pass


# 15: invite brute force


def test_invite_brute_force_is_slowed_down(tmp_path: Path) -> None:
    async def story() -> None:
        # The rates that a relay has when nobody changes them.
        rates = {**Settings().rates, "connections": GENEROUS["connections"]}
        async with running_relay(relay(tmp_path, rates=rates)) as running:
            codes = [
                await code_of(signing_in(running, Invite(bytes(16), bytes(32))))
                for _ in range(25)
            ]
            assert codes[0] is ErrorCode.INVITE_INVALID
            assert codes[-1] is ErrorCode.RATE_LIMITED
            assert codes.count(ErrorCode.INVITE_INVALID) <= 21

    run(story())


# Blobs: access by guessing


def test_blob_access_by_guessing_its_id_fails(tmp_path: Path) -> None:
    async def story() -> None:
        async with running_relay(relay(tmp_path)) as running:
            owner, stranger = Person(), Person()
            async with sign_in(running.server, owner, running.owner_invite) as first:
                room = await first.create_room()
                data = b"sealed file"
                upload = await first.ask(
                    frames.BeginUpload(1, room, len(data), sha256(data).digest())
                )
                path = f"{BLOBS_PATH}/{upload.blob.hex()}"
                put = await request(
                    running.server,
                    path,
                    method="PUT",
                    body=data,
                    Authorization=bearer(upload.ticket),
                    Upload_Offset="0",
                )
                assert put.status == 204
                ticket = (await first.ask(frames.FetchTicket(1, room))).ticket
                own = await request(running.server, path, Authorization=bearer(ticket))
                assert (own.status, own.body) == (200, data)
                assert own.headers["content-disposition"] == "attachment"
                invite = await new_invite(first)
                async with sign_in(running.server, stranger, invite) as second:
                    await expect_no_blob(running, second, path, upload.ticket)

    run(story())


async def expect_no_blob(
    running: Running, stranger: Any, path: str, write_ticket: bytes
) -> None:
    other = await stranger.create_room()
    theirs = (await stranger.ask(frames.FetchTicket(1, other))).ticket
    forged = bytes([theirs[0] ^ 1]) + theirs[1:]
    expected: list[tuple[dict[str, Any], int]] = [
        ({}, 401),
        ({"Authorization": bearer(theirs)}, 404),
        ({"Authorization": bearer(forged)}, 401),
        ({"Authorization": bearer(write_ticket)}, 404),
        ({"Authorization": "Bearer !"}, 401),
        ({"Authorization": "Basic eDp4"}, 401),
    ]
    for headers, status in expected:
        reply = await request(running.server, path, **headers)
        assert (reply.status, b"sealed" in reply.body) == (status, False)
    missing = await request(
        running.server, f"{BLOBS_PATH}/{'0' * 32}", Authorization=bearer(theirs)
    )
    there = await request(running.server, path, Authorization=bearer(theirs))
    assert missing == there, "a blob that is not yours is as good as none"


# 24: storage exhaustion


def test_storage_exhaustion_stops_at_the_account_the_room_and_the_relay(
    tmp_path: Path,
) -> None:
    settings: dict[str, Any] = {
        "account_storage": 3_000,
        "room_storage": 5_000,
        "relay_storage": 20_000,
    }

    async def story() -> None:
        async with (
            running_relay(relay(tmp_path, **settings)) as running,
            sign_in(running.server, Person(), running.owner_invite) as client,
        ):
            rooms = [await client.create_room() for _ in range(4)]
            begin = frames.BeginUpload(1, rooms[0], 2_000, bytes(32))
            await client.ask(begin)
            # Many rooms do not help: files count for the account.
            other = frames.BeginUpload(1, rooms[1], 2_000, bytes(32))
            assert await code_of(client.ask(other)) is ErrorCode.ACCOUNT_FULL
            answers = [await client.append(rooms[2], bytes(900)) for _ in range(10)]
            refused = [a for a in answers if isinstance(a, frames.Refused)]
            assert refused, "a room took more than it may store"
            assert {a.code for a in refused} == {ErrorCode.ROOM_FULL}

    run(story())


# 23: slowloris, half-open sockets, huge frames, compression


@pytest.mark.parametrize(
    "data",
    [b"", b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Slow: "],
    ids=["silent", "half a head"],
)
@pytest.mark.parametrize("http", [True, False], ids=["plain", "tls"])
def test_slowloris_is_cut_off(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, data: bytes, http: bool
) -> None:
    monkeypatch.setattr("tertulia.server.http_connection.REQUEST_TIME", 0.1)

    async def story() -> None:
        config = replace(relay(tmp_path), http=http)
        async with running_relay(config) as running:
            assert await exchange(running.server, data) == b""

    run(story())


def test_a_connection_that_never_starts_tls_is_cut_off(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tertulia.server.listener.HANDSHAKE_TIME", 0.1)

    async def story() -> None:
        async with running_relay(relay(tmp_path)) as running:
            plain = replace(running.server, tls=False)
            for begun in (b"", b"\x16", b"\x16\x03\x01\x02\x00\x01\x00"):
                assert await exchange(plain, begun) == b""

    run(story())


def test_a_client_that_does_not_authenticate_is_cut_off(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tertulia.wire.limits.HANDSHAKE_TIME", 100)

    async def story() -> None:
        async with (
            running_relay(relay(tmp_path)) as running,
            open_socket(running.server) as socket,
        ):
            goodbye = await answer_of(socket)
            assert goodbye.code is ErrorCode.HANDSHAKE_TIMEOUT

    run(story())


@pytest.mark.parametrize(
    "head",
    [
        b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nX: " + b"x" * 40_000,
        b"GET /" + b"x" * 40_000 + b" HTTP/1.1\r\n",
        b"GET / HTTP/1.1\r\n"
        + b"".join(b"X-%d: y\r\n" % number for number in range(100)),
        b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nHost: evil.example\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n"
        b"Transfer-Encoding: chunked\r\n\r\n",
    ],
    ids=["header", "target", "headers", "two hosts", "two lengths", "smuggling"],
)
def test_a_head_that_is_too_much_is_refused(tmp_path: Path, head: bytes) -> None:
    async def story() -> None:
        async with running_relay(relay(tmp_path)) as running:
            assert b" 400 " in (await exchange(running.server, head))[:20]

    run(story())


def test_a_huge_frame_of_a_stranger_is_not_held(tmp_path: Path) -> None:
    async def story() -> None:
        async with (
            running_relay(relay(tmp_path)) as running,
            open_socket(running.server) as socket,
        ):
            await socket.send(bytes(64 * 1024))
            await socket.wait_closed()
            assert socket.close_code == 1009

    run(story())


def test_compression_is_not_negotiated(tmp_path: Path) -> None:
    async def story() -> None:
        async with running_relay(relay(tmp_path)) as running:
            host = f"127.0.0.1:{running.server.port}"
            asked = "Sec-WebSocket-Extensions: permessage-deflate\r\n"
            data = UPGRADE.format(path=WEBSOCKET_PATH, host=host, more=asked).encode()
            _, reader_answer = await first_answer(running, data)
            assert b" 101 " in reader_answer
            assert b"xtensions" not in reader_answer

    run(story())


async def first_answer(running: Running, data: bytes) -> tuple[None, bytes]:
    server = running.server
    reader, writer = await asyncio.open_connection(
        server.host, server.port, ssl=server.context()
    )
    writer.write(data)
    head = await reader.readuntil(b"\r\n\r\n")
    writer.transport.abort()
    return None, head


# 25: metrics and administration are not public; log injection


def test_metrics_and_commands_are_not_on_the_public_port(tmp_path: Path) -> None:
    async def story() -> None:
        async with running_relay(relay(tmp_path)) as running:
            for method, path in (("GET", "/metrics"), ("POST", "/command")):
                reply = await request(running.server, path, method=method)
                assert reply.status == 404
            socket = tmp_path / "control.sock"
            assert stat.S_IMODE(socket.stat().st_mode) == 0o600

    run(story())


def test_log_injection_writes_no_line_of_its_own(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    from tertulia.server import write_logs_to  # noqa: PLC0415

    write_logs_to(level="debug")

    async def story() -> None:
        async with running_relay(relay(tmp_path)) as running:
            evil = "/\x1b[2Jfake%0d%0a2026-01-01T00:00:00.000Z info started"
            await request(
                running.server,
                "/x",
                User_Agent="\x1b]52;c;x\x07 fake",
                Cookie="2026-01-01T00:00:00.000Z info started",
            )
            await exchange(running.server, f"GET {evil} HTTP/1.1\r\n\r\n".encode())

    run(story())
    lines = capfd.readouterr().err.splitlines()
    assert all(re.fullmatch(r"\S+Z \w+ \w+( \w+=\S+)*", line) for line in lines)
    assert not any("fake" in line or "127.0.0.1" in line for line in lines)


def test_every_answer_carries_the_strict_headers(tmp_path: Path) -> None:
    async def story() -> None:
        async with running_relay(relay(tmp_path)) as running:
            for path in ("/", "/nothing", "/healthz", f"{BLOBS_PATH}/{'0' * 32}"):
                reply = await request(running.server, path)
                policy = reply.headers["content-security-policy"]
                assert "default-src 'none'" in policy
                assert "unsafe" not in policy
                assert reply.headers["x-content-type-options"] == "nosniff"
                assert "server" not in reply.headers

    run(story())


# More than the kernel holds for both directions together, with room to spare.
FLOOD = 24 * 1024 * 1024


def test_a_ping_flood_by_who_reads_no_pongs_is_not_held_in_memory(
    tmp_path: Path,
) -> None:
    payload = bytes(120)
    ping = b"\x89" + bytes((0x80 | len(payload),)) + bytes(4) + payload

    async def story() -> None:
        async with running_relay(replace(relay(tmp_path), http=True)) as running:
            server = running.server
            taken = await asyncio.to_thread(flood, (server.host, server.port), ping)
            assert taken < FLOOD

    run(story())


def flood(address: tuple[str, int], data: bytes) -> int:
    """Send `data` over and over and read nothing; return how much was taken."""
    with socket.socket() as stream:
        stream.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        stream.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
        stream.connect(address)
        host = f"{address[0]}:{address[1]}"
        stream.sendall(
            UPGRADE.format(path=WEBSOCKET_PATH, host=host, more="").encode("latin-1")
        )
        stream.settimeout(1.0)
        taken = 0
        many = data * 500
        with contextlib.suppress(TimeoutError, ConnectionError):
            while taken < FLOOD:
                taken += stream.send(many[taken % len(data) :])
        return taken
