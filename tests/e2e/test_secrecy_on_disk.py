"""What a disk shows of a conversation: nothing that was said, and nobody's name.

Every byte is searched for every word, in each form in which programs write words. A
word is looked for by itself, as names of rooms and people may be found in parts.
"""

import base64
import json
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from tertulia.cli.json_lines import JoinedLine, MessageLine, RoomLine
from tests.e2e.talkers import Circle, Talker, child_numbers, gathered

HOST = "Ñandú Quetzalcóatl"
GUEST = "Żółw Brzęczyszczykiewicz"
ROOM = "Ornitorrincos clandestinos"
LATER = "Murciélagos dominicales"
TOPIC = "Berenjenas fosforescentes a medianoche"
TEXTS = (
    "El xilófono húmedo desafina",
    "Kumquats und Zwetschgenröster",
    "私達は猫舌です",
)
WORDS = tuple(
    word
    for text in (HOST, GUEST, ROOM, LATER, TOPIC, *TEXTS)
    for word in text.split()
    if len(word.encode()) > 4
)


@pytest.fixture
def circle(tmp_path: Path) -> Iterator[Circle]:
    with gathered(tmp_path) as circle:
        yield circle


def forms(word: str) -> dict[str, bytes]:
    """Return how a word looks in bytes, by the name of the form."""
    plain = word.encode()
    found = {
        "UTF-8": plain,
        "UTF-16-LE": word.encode("utf-16-le"),
        "UTF-16-BE": word.encode("utf-16-be"),
        "hexadecimal": plain.hex().encode(),
        "HEXADECIMAL": plain.hex().upper().encode(),
        "JSON": json.dumps(word)[1:-1].encode(),
    }
    for shift in range(3):
        coded = base64.b64encode(bytes(shift) + plain)
        # Without what depends on the bytes around it.
        inner = coded[-(-shift * 8 // 6) : (shift + len(plain)) * 8 // 6]
        found[f"base64, {shift}"] = inner
        found[f"base64 for addresses, {shift}"] = inner.translate(
            bytes.maketrans(b"+/", b"-_")
        )
    return found


def traces(data: bytes) -> list[str]:
    """Return what some bytes show of the conversation."""
    return [
        f"{word} ({form})"
        for word in WORDS
        for form, written in forms(word).items()
        if written in data
    ]


def shown_by(folder: Path) -> dict[str, list[str]]:
    """Return what the files of a folder show, in contents and names."""
    found = {}
    for path in folder.rglob("*"):
        if shows := traces(content_of(path) + bytes(path)):
            found[str(path)] = shows
    return found


def content_of(path: Path) -> bytes:
    """Return what a file has; nothing of what is none, or none any more."""
    try:
        return path.read_bytes() if path.is_file() else b""
    except FileNotFoundError:
        return b""


@pytest.mark.parametrize("form", sorted(forms("word")))
@pytest.mark.parametrize("before", range(3))
def test_the_search_finds_every_form(tmp_path: Path, form: str, before: int) -> None:
    text = ("." * before + TOPIC).encode()
    written = {
        "base64": base64.b64encode(text),
        "base64 for addresses": base64.urlsafe_b64encode(text),
    }.get(form.partition(",")[0], forms(TOPIC)[form])
    (tmp_path / "file").write_bytes(bytes(1_000) + written + bytes(1_000))
    (shows,) = shown_by(tmp_path).values()
    assert len(shows) >= 3


@pytest.mark.slow
def test_nothing_said_or_named_is_on_a_disk(circle: Circle) -> None:
    config = circle.folder / "relay.toml"
    config.write_text('log-level = "debug"\n')
    ana, first = circle.host(
        HOST, room=ROOM, profile="one", more={"TERTULIA_CONFIG": str(config)}
    )
    luis = circle.join(first.invite, GUEST, profile="two")
    luis.hears(JoinedLine)
    console = circle.open_console("chat", profile="one")
    console.types(f"/topic {TOPIC}", f"/name {LATER}")
    luis.hears(RoomLine, lambda line: (line.name, line.topic) == (LATER, TOPIC))
    for talker in (ana, luis):
        talker.says(*TEXTS)
    for talker in (ana, luis):
        for name in (HOST, GUEST):
            hears_last_words(talker, name)

    (relay,) = child_numbers(ana.popen.pid)
    process = Path(f"/proc/{relay}")
    for name in ("cmdline", "environ", "comm"):
        assert traces((process / name).read_bytes()) == [], name
    assert b"leash" in (process / "cmdline").read_bytes()
    assert shown_by(circle.relay) == {}, "while the relay runs"
    assert shown_by(circle.profile("")) == {}, "while the vaults are open"
    assert (circle.relay / "relay.db-wal").exists()

    console.close()
    luis.hangs_up()
    assert luis.ends() == 0
    assert ana.signalled(signal.SIGTERM) == 0
    assert shown_by(circle.relay) == {}
    assert shown_by(circle.profile("")) == {}
    stored = b"".join(path.read_bytes() for path in circle.relay.rglob("*.db"))
    assert bytes.fromhex(first.room) in stored, "the search looks in the wrong place"
    assert " info started " in (circle.relay / "relay.log").read_text()


def hears_last_words(talker: Talker, name: str) -> None:
    """Wait until somebody's last text is shown."""
    talker.hears(
        MessageLine, lambda line: (line.sender.name, line.text) == (name, TEXTS[-1])
    )
