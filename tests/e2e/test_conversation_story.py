"""Whole conversations over real processes: one hosts, others follow a link, all talk."""

import contextlib
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from random import Random

import pytest

from tertulia.cli.json_lines import (
    ErrorLine,
    HostingLine,
    InviteLine,
    JoinedLine,
    MessageLine,
    MovedLine,
    RoomLine,
)
from tertulia.cli.words import ExitCode
from tertulia.wire import Kind, frames
from tests.e2e.talkers import (
    NO_KEYRING,
    PATIENCE,
    Circle,
    Impostor,
    Program,
    Talker,
    children,
    gathered,
    impostor,
    meet,
    opened_vault,
    texts_of,
    wait_for_end,
)
from tests.running_relay import LOOPBACK, command, environment, launch, run
from tests.wire_client import Client, RefusedError, Server, sign_in


@pytest.fixture
def circle(tmp_path: Path) -> Iterator[Circle]:
    with gathered(tmp_path) as circle:
        yield circle


def entered(circle: Circle, link: str, *names: str) -> list[Talker]:
    """Let people join side by side, and wait until all are members."""
    talkers = [circle.join(link, name) for name in names]
    for talker in talkers:
        talker.hears(JoinedLine)
    return talkers


def port_of(first: HostingLine) -> int:
    return int(first.url.rpartition(":")[2])


# One hosts, two join


@pytest.mark.slow
def test_three_people_talk_and_everybody_reads_everything(circle: Circle) -> None:
    ana, first = circle.host("Ana")
    assert (first.name, first.reachable) == ("Clase", False)
    luis, mara = entered(circle, first.invite, "Luis", "Mara")
    people = {"Ana": ana, "Luis": luis, "Mara": mara}
    for name, talker in people.items():
        talker.says(f"¡Hola! Soy {name} 🙂", "und noch eine Zeile")
    for talker in people.values():
        for name, speaker in people.items():
            heard = talker.hears_text(f"¡Hola! Soy {name} 🙂")
            assert (heard.sender.name, heard.room) == (name, first.room)
            assert heard.sender.me == (speaker is talker)
    meet(people, "in the end")
    for talker in (luis, mara):
        talker.hangs_up()
        assert talker.ends() == 0
    assert ana.signalled(signal.SIGTERM) == 0
    logs = {name: texts_of(circle.known(name.casefold())) for name in ["ana"]}
    logs |= {name: texts_of(circle.known(name)) for name in ("Luis", "Mara")}
    assert logs["Luis"] == logs["Mara"] == logs["ana"]
    assert len(logs["ana"]) == 12
    assert [talker.warnings for talker in people.values()] == [[], [], []]
    assert "".join(ana.errors + luis.errors + mara.errors) == ""


@pytest.mark.slow
def test_a_second_process_speaks_and_listens_through_the_first(circle: Circle) -> None:
    ana, first = circle.host("Ana")
    (luis,) = entered(circle, first.invite, "Luis")
    stored = circle.run("send", "Clase", "de cron", "--json", profile="ana")
    (moved,) = stored.lines
    assert isinstance(moved, MovedLine)
    assert (moved.state, moved.room) == ("stored", first.room)
    assert luis.hears_text("de cron").id == moved.id
    assert ana.hears_text("de cron").sender.me
    circle.run("send", "clas", "-", profile="Luis", typed="two\nlines\n")
    ana.hears_text("two\nlines")

    everything = circle.run(
        *("listen", "Clase", "--since", "0", "--json", "--count", "3"), profile="ana"
    )
    assert everything.texts == ["de cron", "two\nlines"]
    listener = circle.start(
        *("listen", "Clase", "--since", moved.id, "--count", "2"), profile="Luis"
    )
    listener.hears_text("two\nlines")
    ana.says("while somebody listens")
    assert listener.ends() == 0
    assert listener.texts == ["two\nlines", "while somebody listens"]

    (room,) = circle.run("rooms", "--json", profile="Luis").lines
    assert isinstance(room, RoomLine)
    assert (room.name, room.status, room.members) == ("Clase", "member", 2)
    assert set(circle.members("Luis").values()) == {"Ana", "Luis"}


@pytest.mark.slow
def test_what_is_sent_to_a_relay_that_is_away_waits(circle: Circle) -> None:
    ana, first = circle.host("Ana")
    (luis,) = entered(circle, first.invite, "Luis")
    luis.hangs_up()
    assert luis.ends() == 0
    assert ana.signalled(signal.SIGTERM) == 0

    command = ("send", "Clase", "for later", "--timeout", "2s")
    unsent = circle.run(*command, profile="Luis", code=ExitCode.UNAVAILABLE)
    happened, safe, advice = unsent.errors.splitlines()
    assert "2 s" in happened
    assert (unsent.output, bool(safe), bool(advice)) == ("", True, True)
    queued = circle.known("Luis")[-1]
    assert (queued.text, queued.state, queued.place) == ("for later", "queued", None)

    listen = f"{LOOPBACK}:{port_of(first)}"
    ana, again = circle.host("Ana", room=None, listen=listen)
    assert (again.room, again.url, again.invite) == (
        first.room,
        first.url,
        first.invite,
    )
    (mara,) = entered(circle, first.invite, "Mara")
    circle.run("send", "Clase", "and now", profile="Luis")
    for talker in (ana, mara):
        talker.hears_text("and now")
        assert talker.texts == ["for later", "and now"]
    stored = circle.known("Luis")[-2]
    assert (stored.id, stored.state) == (queued.id, "stored")


def test_mistakes_are_told_with_an_exit_code(circle: Circle) -> None:
    nobody = circle.run("send", "Clase", "hi", profile="no", code=ExitCode.USAGE)
    assert nobody.output == ""
    assert len(nobody.errors.splitlines()) == 3
    circle.run("join", "https://x/i#nonsense", profile="no", code=ExitCode.USAGE)
    circle.run("join", profile="no", code=ExitCode.USAGE)


@pytest.mark.slow
def test_rooms_are_named_listed_and_their_links_revoked(circle: Circle) -> None:
    ana, first = circle.host("Ana")
    made = circle.run("invite", "Clase", "--uses", "1", "--json", profile="ana")
    (link,) = made.lines
    assert isinstance(link, InviteLine)
    assert link.uses == 1
    assert link.link is not None
    entered(circle, link.link, "Luis")
    circle.run("invite", "Clase", "revoke", link.id[:8], profile="ana")
    refused = circle.run(
        *("join", link.link, "--name", "Eva", "--no-chat", "--timeout", "20s"),
        profile="Eva",
        code=ExitCode.REFUSED,
    )
    assert len(refused.errors.splitlines()) == 3
    ana.says("x" * (64 * 1024 + 1))
    assert ana.hears(ErrorLine).code == "text_too_long"
    circle.run("send", first.room[:8], "still here", profile="Luis")
    ana.hears_text("still here")


@pytest.mark.slow
def test_a_link_made_while_others_talk_leads_into_the_room(circle: Circle) -> None:
    _ana, first = circle.host("Ana")
    (luis,) = entered(circle, first.invite, "Luis")
    luis.says(*(f"talk {number}" for number in range(400)))
    luis.hears_text("talk 0")
    made = circle.run("invite", "Clase", "--uses", "1", profile="ana")
    assert "talk 399" not in luis.texts, "nobody talked"
    (mara,) = entered(circle, made.output.strip(), "Mara")
    mara.says("so many words")
    luis.hears_text("so many words")


# Many at once


def report(capsys: pytest.CaptureFixture[str], figures: str) -> None:
    """Show how long something took."""
    with capsys.disabled():
        sys.stdout.write(f"\n{figures}\n")


CLASS = 30


@pytest.mark.slow
def test_thirty_join_at_once_by_one_link(
    circle: Circle, capsys: pytest.CaptureFixture[str]
) -> None:
    ana, first = circle.host("Ana")
    began = time.monotonic()
    talkers = entered(circle, first.invite, *(f"P{n:02}" for n in range(CLASS)))
    seconds = time.monotonic() - began
    report(capsys, f"{CLASS} joined at once within {seconds:.1f} s")
    assert seconds < 90, "three times what it may take on two idle cores"
    ana.says("welcome, all of you")
    heard = [talker.hears_text("welcome, all of you") for talker in talkers]
    assert len({(line.id, line.place) for line in heard}) == 1
    ana.hears(RoomLine, lambda line: line.members == CLASS + 1)
    assert [talker.warnings for talker in (ana, *talkers)] == [[]] * (CLASS + 1)


# Being removed


@pytest.mark.slow
def test_who_was_removed_reads_nothing_more(circle: Circle) -> None:
    ana, first = circle.host("Ana")
    luis, mara = entered(circle, first.invite, "Luis", "Mara")
    ana.says("before")
    for talker in (luis, mara):
        talker.hears_text("before")
    console = circle.open_console("chat", "Clase", profile="ana")
    console.types("/remove Luis")
    removal = mara.hears(MessageLine, lambda line: line.kind == "removed")
    assert (removal.sender.name, removal.text) == ("Ana", "Luis")
    luis.hears(RoomLine, lambda line: line.status == "removed")

    for talker in (ana, mara):
        talker.says("among us")
        talker.hears(MovedLine, lambda line: line.state == "stored")
    for talker in (ana, mara):
        talker.hears(MessageLine, lambda line: line.text == "among us")
    luis.says("may I?")
    assert luis.hears(ErrorLine).text == "may I?"
    luis.hangs_up()
    assert luis.ends() == 0
    assert luis.texts == ["before"]
    assert texts_of(circle.known("Luis")) == ["before"]
    assert removal.place is not None
    assert stored_places(circle, "Luis", first.room)[-1] == removal.place
    thief = impostor(circle.profile("Luis"))
    server = Server(port_of(first))
    given = run(fetched(server, thief, bytes.fromhex(first.room)))
    assert max(given, default=0) <= removal.place


def stored_places(circle: Circle, name: str, room: str) -> list[int]:
    """Return the places of the entries in the vault of a profile that is closed."""
    with opened_vault(circle.profile(name)) as vault:
        return [row.place for row in vault.entries(bytes.fromhex(room), 0, 10_000)]


async def fetched(server: Server, thief: Impostor, room: bytes) -> list[int]:
    """Ask the relay for all it has; return the places of what it gives."""
    places = [0]
    async with sign_in(server, thief) as client:
        while True:
            try:
                page = await client.ask(frames.FetchEntries(1, room, places[-1]))
            except RefusedError:
                return places
            places += [entry.place for entry in page.entries]
            if not page.more:
                return places


# Being away

MESSAGES = 10_000
COMMITS = 50
FLOOD = 300.0


@pytest.mark.slow
def test_who_was_away_for_long_reads_everything_in_order(
    circle: Circle, capsys: pytest.CaptureFixture[str]
) -> None:
    host = circle.open_console(
        *("host", "--room", "Clase", "--name", "Ana"),
        *("--listen", f"{LOOPBACK}:0", "--data", str(circle.relay)),
        profile="ana",
    )
    link = host.prints("join '").split("'")[1]
    circle.run("join", link, "--name", "Luis", "--no-chat", profile="Luis")

    began = time.monotonic()
    said = [f"message {number}" for number in range(MESSAGES)]
    share = MESSAGES // COMMITS
    for number in range(COMMITS):
        host.types(*said[number * share : (number + 1) * share])
        host.types(f"/topic topic {number}")
    host.types("/topic")
    host.prints(f"The topic: topic {COMMITS - 1}", FLOOD)
    # What was said before is sent before.
    last = ("send", "Clase", "that was all", "--timeout", f"{FLOOD:.0f}s")
    circle.run(*last, profile="ana", patience=FLOOD)
    sent = time.monotonic()
    back = circle.start("listen", "Clase", "--since", "0", profile="Luis")
    back.hears_text("that was all", FLOOD)
    read = time.monotonic()
    report(
        capsys,
        f"{MESSAGES} messages and {COMMITS} commits: said in {sent - began:.1f} s, "
        f"read in {read - sent:.1f} s",
    )
    assert back.texts == [*said, "that was all"]
    topics = [line.text for line in back.messages if line.kind == "changed_topic"]
    assert topics == [f"topic {number}" for number in range(COMMITS)]
    assert back.warnings == []


# A relay that is killed

FAST = (
    "--rate=connections=1000000/1000000",
    "--rate=frames=1000000/1000000",
    "--rate=handshakes=1000000/1000000",
    "--log-level=warning",
)


@pytest.mark.slow
def test_a_relay_killed_amid_joins_and_removals_loses_nothing(circle: Circle) -> None:
    chance = Random(5)
    relay = launch(circle.relay, *FAST)
    port = relay.server.port
    try:
        ana, _first = circle.host("Ana")
        console = circle.open_console("chat", "Clase", profile="ana")
        people = {"Ana": ana}
        for number in range(4):
            joining = start_joining(circle, f"N{number}", 2)
            leaving = chance.choice([name for name in people if name != "Ana"] or [""])
            if leaving:
                console.types(f"/remove {leaving}")
            for name, talker in people.items():
                talker.says(*(f"{name} {number} {line}" for line in range(20)))
            time.sleep(chance.uniform(0.5, 2.5))
            relay.kill()
            relay = launch(circle.relay, *FAST, "--listen", f"{LOOPBACK}:{port}")
            for talker in joining.values():
                talker.hears(JoinedLine)
            people |= joining
            if leaving:
                until_removed(ana, console, leaving)
                people.pop(leaving).close()
        meet(people, "at the end")
        for talker in people.values():
            talker.hangs_up()
        check_that_all_agree(circle, people)
    finally:
        relay.kill()


def start_joining(circle: Circle, prefix: str, count: int) -> dict[str, Talker]:
    """Let people start to join, each by a link that a removal does not end."""
    joining = {}
    for number in range(count):
        made = circle.run("invite", "Clase", "--uses", "1", profile="ana")
        name = f"{prefix}{number}"
        joining[name] = circle.join(made.output.strip(), name)
    return joining


def until_removed(ana: Talker, console: Program, name: str) -> None:
    """Wait until somebody is removed; whoever was told that it failed does it again."""

    def is_removal(line: MessageLine) -> bool:
        return (line.kind, line.text) == ("removed", name)

    for _attempt in range(2):
        with contextlib.suppress(AssertionError):
            ana.hears(MessageLine, is_removal, 35)
            return
        console.types(f"/remove {name}")
    ana.hears(MessageLine, is_removal)


def check_that_all_agree(circle: Circle, people: dict[str, Talker]) -> None:
    """Demand one log, one list of members, and every text that was acknowledged."""
    everything = circle.known("ana")
    said = texts_of(everything)
    assert len(said) == len(set(said))
    entries = {
        line.sender.name: line.place for line in everything if line.kind == "joined"
    }
    for name, talker in people.items():
        profile = "ana" if name == "Ana" else name
        assert sorted(circle.members(profile).values()) == sorted(people)
        since = entries.get(name) or 0
        expected = [line for line in everything if (line.place or 0) > since]
        assert log_of(circle.known(profile)) == log_of(expected), name
        own = [line for line in talker.messages if line.sender.me]
        assert set(texts_of(own)) <= set(said), name
        assert talker.warnings == [], name


def log_of(messages: list[MessageLine]) -> list[tuple[int | None, str, str]]:
    """Return what was said in a form that is the same for all."""
    return [(line.place, line.id, line.text) for line in messages if is_text(line)]


def is_text(line: MessageLine) -> bool:
    return line.kind == "text"


# A member who breaks the rules


@pytest.mark.slow
def test_garbage_handshakes_do_not_stop_a_room(circle: Circle) -> None:
    ana, first = circle.host("Ana")
    luis, mara = entered(circle, first.invite, "Luis", "Mara")
    for talker in (ana, luis, mara):
        talker.says(f"before, {talker.popen.pid}")
    for talker in (luis, mara):
        talker.hears_text(f"before, {ana.popen.pid}")
    luis.hangs_up()
    assert luis.ends() == 0

    vandal = impostor(circle.profile("Luis"))
    places = run(
        vandalise(Server(port_of(first)), vandal, bytes.fromhex(first.room), ana)
    )
    assert len(places) == len(GARBAGE) + 2
    ana.says("after all that")
    for talker in (ana, mara):
        talker.hears_text("after all that")
        told = [(line.code, line.person, line.place) for line in talker.warnings]
        assert told == [("handshake_skipped", "Luis", place) for place in places]
    (eva,) = entered(circle, first.invite, "Eva")
    eva.says("I came in all the same")
    for talker in (ana, mara):
        talker.hears_text("I came in all the same")
    # His own program finds that somebody else was him, and comes back as new.
    luis = circle.start("chat", "Clase", profile="Luis")
    luis.hears(RoomLine, lambda line: line.status == "lost")
    luis.hears(RoomLine, lambda line: line.status == "member")
    luis.says("it was not me")
    for talker in (ana, mara, eva):
        talker.hears_text("it was not me")


GARBAGE = (
    b"\x00",
    b"\x01" + bytes(200),
    b"\x00\x01\x00\x02" + bytes(60),
    Random(9).randbytes(700),
    b"\x01" + Random(10).randbytes(100_000),
)


async def vandalise(
    server: Server, vandal: Impostor, room: bytes, witness: Talker
) -> list[int]:
    """Append what is no handshake, and real ones again; return the places they got."""
    async with sign_in(server, vandal) as client:
        page = await client.ask(frames.FetchEntries(1, room, 0))
        real = [entry for entry in page.entries if entry.kind is Kind.HANDSHAKE]
        blobs = [*GARBAGE, real[-1].blob, real[-1].blob[:-1]]
        latest = real[-1].place
        places = []
        for blob in blobs:
            witness.says(f"a word between, after {latest}")
            latest = await commit(client, room, latest, blob)
            places.append(latest)
        return places


async def commit(client: Client, room: bytes, latest: int, blob: bytes) -> int:
    """Append a handshake without advice for joiners; return its place."""
    key = client.person.rng(16)
    answer = await client.ask(
        frames.Commit(1, room, key, latest, blob, frames.Bundle())
    )
    assert isinstance(answer, frames.Accepted), answer
    return answer.place


# Pipes and signals


@pytest.mark.slow
def test_pipes_end_quietly(circle: Circle) -> None:
    ana, first = circle.host("Ana")
    ana.says(*(f"{number} {'x' * 2_000}" for number in range(100)))
    ana.says("that was all")
    ana.hears_text("that was all")
    for arguments in (("export", "Clase"), ("listen", "--since", "0")):
        assert cut_short(circle, *arguments, "--json") == (0, "")
        assert cut_short(circle, *arguments) == (0, "")
    joined = circle.run("join", first.invite, "--name", "Luis", "--json", profile="L")
    assert isinstance(joined.lines[0], JoinedLine)
    assert joined.errors == ""
    for closed in ("<&-", ">&-", "2>&-"):
        done = shell(circle, f'exec "$@" {closed}', "rooms", "--json", profile="L")
        assert (done.returncode, done.stderr) == (0, ""), closed
    for options in ([], ["--json"]):
        done = shell(circle, 'exec "$@" <&-', "chat", *options, profile="L")
        assert (done.returncode, done.stderr) == (0, ""), options
    ana.hangs_up()
    circle.run("send", "Clase", "the host still hosts", profile="L")
    assert ana.popen.poll() is None


def cut_short(circle: Circle, *arguments: str) -> tuple[int, str]:
    """Read one line of a command; return its exit code and its errors."""
    program = 'set -o pipefail; "$@" | head -n 1'
    done = shell(circle, program, *arguments, profile="ana")
    assert len(done.stdout.splitlines()) == 1
    return done.returncode, done.stderr


def shell(
    circle: Circle, program: str, *arguments: str, profile: str
) -> "subprocess.CompletedProcess[str]":
    """Run a command in a line of shell."""
    folder = str(circle.profile(profile))
    return subprocess.run(
        ["bash", "-c", program, "bash", *command(*arguments, "--profile", folder)],
        check=False,
        capture_output=True,
        encoding="utf-8",
        env=environment(**NO_KEYRING),
        stdin=subprocess.DEVNULL,
        timeout=PATIENCE,
    )


@pytest.mark.slow
def test_signals_leave_no_process_behind(circle: Circle) -> None:
    ana, first = circle.host("Ana")
    relays = children(ana.popen.pid)
    assert len(relays) == 1
    luis, mara = entered(circle, first.invite, "Luis", "Mara")
    listener = circle.start("listen", "--since", "0", profile="Luis")
    listener.hears(MessageLine)
    for number, expected in [
        (signal.SIGINT, ExitCode.INTERRUPTED),
        (signal.SIGTERM, ExitCode.TERMINATED),
    ]:
        chat = circle.start("chat", profile="Luis")
        chat.says(f"before {number}")
        ana.hears_text(f"before {number}")
        assert chat.signalled(number) == expected
        assert chat.errors == []
    assert listener.signalled(signal.SIGTERM) == ExitCode.TERMINATED
    assert luis.signalled(signal.SIGINT) == ExitCode.INTERRUPTED
    assert mara.signalled(signal.SIGTERM) == ExitCode.TERMINATED
    assert ana.signalled(signal.SIGINT) == 0
    assert luis.errors + mara.errors + ana.errors + listener.errors == []
    wait_for_end(relays)
    assert not (circle.profile("Luis") / "agent.sock").exists()


@pytest.mark.slow
def test_the_relay_of_a_host_that_is_killed_ends_too(circle: Circle) -> None:
    ana, first = circle.host("Ana")
    relays = children(ana.popen.pid)
    (luis,) = entered(circle, first.invite, "Luis")
    ana.popen.kill()
    wait_for_end(relays)
    luis.says("to whom it may concern")
    luis.hears_text("to whom it may concern")
    listen = f"{LOOPBACK}:{port_of(first)}"
    again, second = circle.host("Ana", room=None, listen=listen)
    assert second.room == first.room
    again.hears_text("to whom it may concern")
