"""Whole stories of an operator, with real processes."""

import json
import shutil
import subprocess
from pathlib import Path
from random import Random
from typing import Any

import pytest

from tertulia.wire import parse_link
from tests.chaos.writers import Writer, check, gather_room, read_alike
from tests.running_relay import (
    LOOPBACK,
    Process,
    command,
    environment,
    invite_of,
    launch,
    launched,
    run,
)


def tertulia(*arguments: str, code: int = 0) -> str:
    """Run a command line to its end."""
    done = subprocess.run(
        command(*arguments),
        check=False,
        capture_output=True,
        text=True,
        env=environment(),
    )
    assert done.returncode == code, done.stdout + done.stderr
    return done.stdout + done.stderr


def test_the_first_start_says_all_there_is_to_say(tmp_path: Path) -> None:
    with launched(tmp_path / "relay") as process:
        line = process.line
        assert (line["event"], line["v"]) == ("ready", 1)
        assert line["url"] == f"https://{LOOPBACK}:{line['port']}"
        assert line["data"] == str(tmp_path / "relay")
        assert line["metrics"] == f"unix:{tmp_path / 'relay' / 'control.sock'}"
        link = parse_link(line["owner_invite"]).link
        assert link.fingerprint.hex() == line["fingerprint"]
        code, log = process.stop()
    assert code == 0
    assert [entry.split()[2] for entry in log.splitlines()] == [
        "started",
        "stopping",
        "stopped",
    ]
    modes = {path.name: path.stat().st_mode & 0o777 for path in walk(tmp_path)}
    assert all(mode & 0o077 == 0 for mode in modes.values()), modes


def walk(folder: Path) -> list[Path]:
    return [folder / "relay", *(folder / "relay").rglob("*")]


def test_the_second_start_is_the_same_relay(tmp_path: Path) -> None:
    with launched(tmp_path / "relay") as process:
        first = process.line
        writers = run(fill(process, 40))
        process.stop()
    with launched(tmp_path / "relay") as process:
        assert process.line["fingerprint"] == first["fingerprint"]
        assert process.line["owner_invite"] is None
        entries, _ = run(read_alike(process.server, writers))
        assert (len(entries), check(writers, entries)) == (80, [])


async def fill(process: Process, count: int) -> list[Writer]:
    invite = invite_of(process.line["owner_invite"])
    writers = await gather_room(process.server, invite, 2, Random(1))
    for writer in writers:
        await writer.write(process.server, count)
    return writers


def test_a_backup_restored_on_an_empty_machine_is_the_same_relay(
    tmp_path: Path,
) -> None:
    relay, backup, machine = (tmp_path / name for name in ("relay", "backup", "new"))
    with launched(relay) as process:
        fingerprint = process.line["fingerprint"]
        writers = run(fill(process, 30))
        tertulia("admin", "backup", str(backup), "--data", str(relay))
        assert "is sound" in tertulia("admin", "verify", str(backup))
    shutil.rmtree(relay)
    tertulia("admin", "restore", str(backup), "--data", str(machine))
    with launched(machine) as process:
        assert process.line["fingerprint"] == fingerprint
        entries, _ = run(read_alike(process.server, writers))
        assert (len(entries), check(writers, entries)) == (60, [])


@pytest.mark.parametrize("running", [True, False], ids=["running", "stopped"])
def test_the_operator_sees_and_decides(
    tmp_path: Path,
    *,
    running: bool,
) -> None:
    data = ("--data", str(tmp_path / "relay"))
    with launched(tmp_path / "relay") as process:
        run(fill(process, 3))
        if not running:
            process.stop()
        accounts = rows(tertulia("admin", "accounts", "--json", *data))
        assert [account["owner"] for account in accounts].count(True) == 1
        (storage,) = rows(tertulia("admin", "storage", "--json", *data))
        assert (storage["rooms"], storage["entries"]) == (1, 6)
        stranger = next(a["account"] for a in accounts if not a["owner"])
        tertulia("admin", "ban", stranger, "--for", "1d", *data)
        tertulia("admin", "ban", "192.0.2.7", *data)
        assert len(rows(tertulia("admin", "bans", "--json", *data))) == 2
        tertulia("admin", "unban", "192.0.2.7", *data)
        tertulia("admin", "unban", "192.0.2.7", *data, code=2)
        link = tertulia("admin", "invite", "--uses", "5", *data).strip()
        assert parse_link(link).link.kind == 0
        invite = invite_of(link).invite.hex()
        tertulia("admin", "uninvite", invite, *data)
        (room,) = rows(tertulia("admin", "rooms", "--json", *data))
        tertulia("admin", "rooms", "--remove", str(room["room"]), *data)
        assert "ROOM" not in tertulia("admin", "rooms", *data)
        assert tertulia("admin", "rooms", "--json", *data) == ""


def rows(text: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in text.splitlines()]


# The doctor


def doctor(*arguments: str, code: int = 0) -> dict[str, str]:
    """Return what the doctor found, by what it looked at."""
    found = rows(tertulia("doctor", "--json", *arguments, code=code))
    return {str(finding["checked"]): str(finding["what"]) for finding in found}


def test_the_doctor_finds_a_healthy_relay_healthy(tmp_path: Path) -> None:
    data = tmp_path / "relay"
    with launched(data) as process:
        listen = f"{LOOPBACK}:{process.line['port']}"
        found = doctor("--data", str(data), "--listen", listen)
        assert found["port"] == "running"
        assert found["certificate"] == "valid"
        assert found["identity"] == "present"
        words = tertulia("doctor", "--data", str(data), "--listen", listen)
        assert "Nothing is wrong" in words


def test_the_doctor_finds_who_has_the_port(tmp_path: Path) -> None:
    with launched(tmp_path / "other") as process:
        listen = f"{LOOPBACK}:{process.line['port']}"
        new = str(tmp_path / "relay")
        assert doctor("--data", new, "--listen", listen, code=1)["port"] == "taken"
        words = tertulia("doctor", "--data", new, "--listen", listen, code=1)
        assert "--listen :8001" in words


def test_the_doctor_finds_a_certificate_that_does_not_fit(tmp_path: Path) -> None:
    launch(tmp_path / "one").stop()
    launch(tmp_path / "two").stop()
    arguments = (
        *("--data", str(tmp_path / "one"), "--listen", f"{LOOPBACK}:0"),
        *("--tls-cert", str(tmp_path / "one" / "certificate.pem")),
        *("--tls-key", str(tmp_path / "two" / "certificate-key.pem")),
    )
    assert doctor(*arguments, code=1)["certificate"] == "unusable"
    assert "belong together" in tertulia("doctor", *arguments, code=1)


def test_the_doctor_finds_a_key_that_others_can_read(tmp_path: Path) -> None:
    data = tmp_path / "relay"
    launch(data).stop()
    (data / "identity.key").chmod(0o644)
    arguments = ("--data", str(data), "--listen", f"{LOOPBACK}:0")
    assert doctor(*arguments, code=1)["identity"] == "exposed_key"
    assert "chmod 600" in tertulia("doctor", *arguments, code=1)
    assert "chmod 600" in tertulia("serve", *arguments, code=74)


def test_a_missing_identity_is_not_made_anew(tmp_path: Path) -> None:
    data = tmp_path / "relay"
    launch(data).stop()
    (data / "identity.key").unlink()
    arguments = ("--data", str(data), "--listen", f"{LOOPBACK}:0")
    assert "backup" in tertulia("serve", *arguments, code=74)
    assert doctor(*arguments, code=1)["identity"] == "missing"


def test_options_come_from_a_file_and_the_environment_too(tmp_path: Path) -> None:
    (tmp_path / "relay.toml").write_text(
        f'listen = "{LOOPBACK}:0"\nhttp = true\ndata = "{tmp_path / "relay"}"\n'
    )
    done = subprocess.Popen(
        command("serve", "--json"),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environment(TERTULIA_CONFIG=str(tmp_path / "relay.toml")),
    )
    assert done.stdout is not None
    line = json.loads(done.stdout.readline())
    done.terminate()
    done.communicate(timeout=20)
    assert line["url"].startswith("http://")
    assert line["data"] == str(tmp_path / "relay")
