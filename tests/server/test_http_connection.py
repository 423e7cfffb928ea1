import asyncio
from http import HTTPStatus
from pathlib import Path

from tests.raw_http import exchange, parse
from tests.running_relay import Running, config_for, run, running_relay

GET = b"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\n%s\r\n"


def test_one_connection_serves_many_requests(tmp_path: Path) -> None:
    async def story(running: Running) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", running.server.port)
        for _ in range(5):
            writer.write(GET % b"")
            head = await reader.readuntil(b"\r\n\r\n")
            assert b"Connection: keep-alive" in head
            assert await reader.readexactly(3) == b"ok\n"
        writer.close()
        await writer.wait_closed()

    with_relay(tmp_path, story)


def with_relay(folder: Path, story) -> None:  # type: ignore[no-untyped-def]
    async def whole() -> None:
        async with running_relay(config_for(folder, http=True)) as running:
            await story(running)

    run(whole())


def test_the_next_request_before_the_answer_ends_the_connection(
    tmp_path: Path,
) -> None:
    async def story(running: Running) -> None:
        heard = await exchange(running.server, GET % b"" * 3)
        assert heard.count(b"HTTP/1.1 ") == 1
        assert b"Connection: close" in heard

    with_relay(tmp_path, story)


def test_a_head_request_gets_no_body(tmp_path: Path) -> None:
    async def story(running: Running) -> None:
        asked = b"HEAD / HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n"
        reply = parse(await exchange(running.server, asked))
        assert reply.status == HTTPStatus.OK
        assert int(reply.headers["content-length"]) > 0
        assert reply.body == b""

    with_relay(tmp_path, story)


def test_a_body_nobody_wants_does_not_keep_the_answer_back(tmp_path: Path) -> None:
    async def story(running: Running) -> None:
        head = b"POST /x HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 500000\r\n\r\n"
        reply = parse(await exchange(running.server, head + bytes(500_000)))
        assert reply.status == HTTPStatus.NOT_FOUND

    with_relay(tmp_path, story)
