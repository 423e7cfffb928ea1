"""`tertulia doctor`: says what is wrong with a relay's set-up, and how to mend it."""

import argparse
import json
import os
import sys
from collections.abc import Mapping
from typing import TYPE_CHECKING

from tertulia.cli.admin import readable_size
from tertulia.cli.options import add_options
from tertulia.cli.relay_options import read_config, relay_options
from tertulia.cli.serve import find_addresses
from tertulia.l10n import _

if TYPE_CHECKING:
    from tertulia.server import Finding, Verdict

MARKS = ("ok", "??", "!!")


def add_parser(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add `doctor` to `commands`."""
    parser = commands.add_parser(
        "doctor",
        help=_("find out what is wrong with a relay, and how to mend it"),
        description=_(
            "Look a relay's set-up over: folder, identity, disk, clock, certificate, "
            "port, addresses, firewall. Give it the options you give to `serve`. It "
            "changes nothing."
        ),
    )
    parser.add_argument(
        "--config",
        metavar=_("FILE"),
        help=_("TOML file with these options, by the same names"),
    )
    parser.add_argument(
        "--json", action="store_true", help=_("print JSON, one object per line")
    )
    add_options(parser, relay_options())
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Look everything over; return 1 if something is wrong."""
    from tertulia.server import Surroundings, Verdict, check_relay

    config, _level = read_config(arguments, os.environ)
    findings = check_relay(config, Surroundings(addresses=find_addresses))
    for finding in findings:
        if arguments.json:
            print(json.dumps(as_json(finding)))
            continue
        happened, advice = words_for(finding)
        print(f"[{MARKS[finding.verdict]}] {happened}")
        if advice:
            print(f"     {advice}")
    worst = max(finding.verdict for finding in findings)
    if not arguments.json:
        print(_summary(worst))
    sys.stdout.flush()
    return 1 if worst is Verdict.BAD else 0


def as_json(finding: "Finding") -> dict[str, object]:
    """Return a finding for programs."""
    return {
        "checked": finding.checked.value,
        "verdict": finding.verdict.name.lower(),
        "what": finding.what,
        **finding.facts,
    }


def _summary(worst: "Verdict") -> str:
    return (
        _("Nothing is wrong that can be seen from here."),
        _("The relay works; look at what is marked ??."),
        _("Something is wrong; what is marked !! keeps the relay from working."),
    )[worst]


def words_for(finding: "Finding") -> tuple[str, str]:
    """Return what was found and what to do about it, in the language in use."""
    happened, advice = _sentences()[finding.checked, finding.what]
    facts = _shown(finding.facts)
    return happened.format_map(facts), advice.format_map(facts)


def _shown(facts: Mapping[str, str | int]) -> dict[str, str]:
    return {
        name: readable_size(value)
        if name == "free" and isinstance(value, int)
        else str(value)
        for name, value in facts.items()
    }


def _sentences() -> dict[tuple[str, str], tuple[str, str]]:
    return {
        ("folder", "new"): (
            _("Folder: {path} is not there yet; the first start makes it."),
            "",
        ),
        ("folder", "ours"): (_("Folder: {path} is ours alone."), ""),
        ("folder", "not_ours"): (
            _("Folder: this user may not read and write {path}."),
            _("Run as the user who owns it, or name another with --data."),
        ),
        ("folder", "open_to_others"): (
            _("Folder: other users of this machine can look into {path}."),
            _("Close it: chmod 700 {path}"),
        ),
        ("identity", "new"): (_("Identity: the first start makes one."), ""),
        ("identity", "present"): (_("Identity: present, readable by us only."), ""),
        ("identity", "missing"): (
            _("Identity: {path} is missing, though there is a store."),
            _("Bring it back from a backup; without it nobody knows this relay again."),
        ),
        ("identity", "exposed_key"): (
            _("Identity: other users of this machine can read {path}."),
            _("Close it: chmod 600 {path}"),
        ),
        ("identity", "folder"): (
            _("Identity: it cannot be used: {reason}"),
            _("Bring it back from a backup."),
        ),
        ("disk", "space"): (_("Disk: {free} are free."), ""),
        ("disk", "nearly_full"): (
            _("Disk: only {free} are free where {path} is."),
            _("Make room, or lower --relay-storage and --keep."),
        ),
        ("disk", "full"): (
            _("Disk: {free} are free where {path} is; nothing can be stored soon."),
            _("Make room. Nothing that was acknowledged is lost meanwhile."),
        ),
        ("clock", "plausible"): (_("Clock: {now} UTC."), ""),
        ("clock", "behind"): (
            _("Clock: it says {now} UTC, which is in the past."),
            _("Set it, best by network time: sudo timedatectl set-ntp true"),
        ),
        ("clock", "not_synchronised"): (
            _("Clock: it says {now} UTC, and nothing keeps it right."),
            _("Switch network time on: sudo timedatectl set-ntp true"),
        ),
        **_certificate_sentences(),
        **_network_sentences(),
    }


def _certificate_sentences() -> dict[tuple[str, str], tuple[str, str]]:
    return {
        ("certificate", "new"): (_("Certificate: the first start makes one."), ""),
        ("certificate", "valid"): (_("Certificate: valid until {until}."), ""),
        ("certificate", "no_tls"): (
            _("Certificate: none, because of --http."),
            _(
                "Use --http only behind a proxy that has TLS, or in a network you trust."
            ),
        ),
        ("certificate", "unusable"): (
            _("Certificate: {path} and its key cannot be used: {reason}"),
            _("Check that both are PEM and belong together; --tls-cert and --tls-key."),
        ),
        ("certificate", "expired"): (
            _("Certificate: {path} expired on {until}."),
            _("Renew it. One that the relay made itself: delete the file, restart."),
        ),
        ("certificate", "not_yet_valid"): (
            _("Certificate: {path} is not valid yet."),
            _("Set the clock, or wait."),
        ),
        ("certificate", "expires_soon"): (
            _("Certificate: {path} expires on {until}."),
            _("Renew it, then restart the relay."),
        ),
        ("certificate", "other_name"): (
            _("Certificate: {path} is not for {name}."),
            _("Get one that names it, or drop --name {name}."),
        ),
    }


def _network_sentences() -> dict[tuple[str, str], tuple[str, str]]:
    open_port = _("Let others in: {command}")
    return {
        ("port", "running"): (_("Port: this relay answers on port {port}."), ""),
        ("port", "free"): (_("Port: {port} is free; the relay is not running."), ""),
        ("port", "taken"): (
            _("Port: another program has port {port}."),
            _("Stop that program, or choose another port: --listen :8001"),
        ),
        ("port", "forbidden"): (
            _("Port: this user may not listen on port {port}."),
            _("Choose one above 1023: --listen :8000"),
        ),
        ("port", "no_such_address"): (
            _("Port: this machine does not have the address {host}."),
            _("Leave the address out to listen on all: --listen :{port}"),
        ),
        ("port", "unusable"): (
            _("Port: cannot listen on {host} port {port}: {reason}"),
            _("Choose another with --listen."),
        ),
        ("address", "answers"): (_("Address: {address} answers from here."), ""),
        ("address", "stranger"): (
            _("Address: at {address} port {port} somebody else answers."),
            _("Find out who; clients refuse it, because its identity is not ours."),
        ),
        ("address", "silent"): (
            _("Address: {address} does not answer on port {port}, even from here."),
            _("Listen on all addresses (--listen :{port}) and look at the firewall."),
        ),
        ("firewall", "none_found"): (
            _("Firewall: none found here. One in a router cannot be seen from here."),
            "",
        ),
        ("firewall", "ufw_allows"): (_("Firewall: ufw lets port {port} in."), ""),
        ("firewall", "ufw"): (
            _("Firewall: ufw is on, and no rule for port {port} was found."),
            open_port.format(command="sudo ufw allow {port}/tcp"),
        ),
        ("firewall", "firewalld"): (
            _("Firewall: firewalld is on; it may keep port {port} closed."),
            open_port.format(command="sudo firewall-cmd --add-port={port}/tcp"),
        ),
    }
