import socket
from dataclasses import replace
from pathlib import Path

import pytest

from tertulia.server import (
    Certificate,
    Checked,
    Config,
    Endpoint,
    Surroundings,
    Verdict,
)
from tertulia.server import check_relay as check
from tertulia.server.checkup import _check_firewall
from tertulia.server.clock import system_clock
from tests.running_relay import config_for, run, running_relay

AROUND = Surroundings(addresses=lambda _host: [])
DAY = 86_400_000


def found(config: Config, around: Surroundings = AROUND) -> dict[Checked, str]:
    return {finding.checked: finding.what for finding in check(config, around)}


def made(folder: Path) -> Config:
    """A relay that was started once, and whose port is free now."""

    async def story() -> Config:
        async with running_relay(config_for(folder)) as running:
            return running.config

    return run(story())


def test_what_is_not_there_yet_is_fine(tmp_path: Path) -> None:
    findings = check(config_for(tmp_path / "new"), AROUND)
    assert max(finding.verdict for finding in findings) < Verdict.BAD


@pytest.mark.parametrize(
    ("days", "what"),
    [(0, "valid"), (3640, "expires_soon"), (3700, "expired"), (-30, "not_yet_valid")],
)
def test_a_certificate_has_its_time(tmp_path: Path, days: int, what: str) -> None:
    config = made(tmp_path)
    later = replace(AROUND, clock=lambda: system_clock() + days * DAY)
    assert found(config, later)[Checked.CERTIFICATE] == what


def test_a_clock_behind_the_store_is_wrong(tmp_path: Path) -> None:
    config = made(tmp_path)
    early = replace(AROUND, clock=lambda: system_clock() - DAY)
    assert found(config, early)[Checked.CLOCK] == "behind"


def test_a_certificate_for_another_name_is_wrong(tmp_path: Path) -> None:
    config = made(tmp_path)
    own = Certificate(tmp_path / "certificate.pem", tmp_path / "certificate-key.pem")
    named = replace(
        config, certificate=own, web=replace(config.web, names=("chat.example",))
    )
    assert found(named)[Checked.CERTIFICATE] == "other_name"


def test_a_port_of_another_program_is_taken(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        other.settimeout(0)
        endpoint = Endpoint("127.0.0.1", other.getsockname()[1])
        config = replace(config_for(tmp_path, http=True), listen=endpoint)
        other.close()
        assert found(config)[Checked.PORT] == "free"
    elsewhere = replace(config, listen=Endpoint("192.0.2.1", 1))
    assert found(elsewhere)[Checked.PORT] in {"no_such_address", "unusable"}


def test_a_firewall_is_found_by_its_files(tmp_path: Path) -> None:
    def what() -> str:
        (finding,) = _check_firewall(8000, tmp_path)
        return finding.what

    assert what() == "none_found"
    (tmp_path / "run" / "firewalld").mkdir(parents=True)
    assert what() == "firewalld"
    (tmp_path / "etc" / "ufw").mkdir(parents=True)
    (tmp_path / "etc" / "ufw" / "ufw.conf").write_text("ENABLED=yes\n")
    assert what() == "ufw"
    (tmp_path / "etc" / "ufw" / "user.rules").write_text("-p tcp --dport 8000 -j\n")
    assert what() == "ufw_allows"


def test_a_folder_that_others_can_look_into_is_doubtful(tmp_path: Path) -> None:
    config = made(tmp_path / "relay")
    config.data.chmod(0o755)
    assert found(config)[Checked.FOLDER] == "open_to_others"
