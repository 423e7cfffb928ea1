"""mosquitto: an MQTT broker; a room is a topic.

QoS 1 is answered by every member for every delivery. Persistence keeps what is under
way, in a file written every half hour and at the end: nothing is on disk when it is
delivered.
"""

from pathlib import Path
from typing import Final

from typing_extensions import override

from bench.relay.load import LOOPBACK, Link, Manners, Template
from bench.relay.server import Server
from bench.relay.systems.peer import Peer

_SETTINGS: Final = """\
listener {port} {host}
allow_anonymous true
user root
persistence true
persistence_location {folder}/
max_inflight_messages 0
max_queued_messages 0
set_tcp_nodelay true
log_type error
"""
_PUBACK: Final = b"\x40\x02"
_PINGREQ: Final = b"\xc0\x00"


class Mosquitto(Peer):
    """mosquitto at one quality of service."""

    program = "mosquitto"
    durability = "no"

    def __init__(self, quality: int) -> None:
        self.name = f"mosquitto, QoS {quality}"
        self._quality = quality
        answer = (_PUBACK, 2) if quality else (b"", 0)
        self.manners = Manners(answer=answer[0], answer_take=answer[1], alive=_PINGREQ)

    @override
    def command(self, folder: Path, port: int) -> list[str]:
        settings = folder / "mosquitto.conf"
        settings.write_text(_SETTINGS.format(port=port, host=LOOPBACK, folder=folder))
        return [self.found() or self.program, "-c", str(settings)]

    @override
    def sign_in(self, server: Server, number: int) -> Link:
        link = Link(server.port)
        clean = not self._quality
        flags = bytes((4, 2 * clean, 0, 0))  # MQTT 3.1.1, no keep-alive
        link.send(_packet(0x10, _text("MQTT") + flags + _text(f"member{number}")))
        _expect(link.read(4), b"\x20\x02\x00\x00")
        return link

    @override
    def join(self, link: Link, room: int, number: int) -> None:
        body = b"\x00\x01" + _text(f"room/{room}") + bytes((self._quality,))
        link.send(_packet(0x82, body))
        _expect(link.read(5), b"\x90\x03\x00\x01" + bytes((self._quality,)))

    @override
    def template(self, room: int, number: int, payload: int) -> Template:
        head = _text(f"room/{room}")
        identifier = bytes(2) if self._quality else b""
        kind = 0x30 | self._quality << 1
        packet = _packet(kind, head + identifier + bytes(payload))
        before = packet[:-payload]
        numbers = ((len(before) - 2, 2),) if self._quality else ()
        return Template(before, numbers=numbers)


def _text(text: str) -> bytes:
    return len(text).to_bytes(2) + text.encode()


def _packet(kind: int, body: bytes) -> bytes:
    size, rest = bytearray(), len(body)
    while True:
        rest, low = rest >> 7, rest & 127
        size.append(low | (128 if rest else 0))
        if not rest:
            return bytes((kind,)) + bytes(size) + body


def _expect(got: bytes, expected: bytes) -> None:
    if got != expected:
        raise ConnectionError(f"{got!r} instead of {expected!r}")
