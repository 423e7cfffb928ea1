"""`tertulia` alone: asks whether to host, to join by a link, or in which room to talk."""

import argparse
import os

from tertulia.cli import chat, host, join
from tertulia.cli.profile import ask, profile_folder
from tertulia.l10n import _


def run(parser: argparse.ArgumentParser) -> int:
    """Ask, then do it; raise TertuliaError."""
    from tertulia.agent import has_profile

    here = argparse.Namespace(profile=None)
    known = has_profile(profile_folder(here, os.environ))
    print(_("h     host: start a room here that others can enter"))
    print(_("LINK  paste a link to enter the room it leads to"))
    if known:
        print(_("r     one of your rooms"))
    try:
        answer = ask(_("What shall it be? "))
    except EOFError:
        answer = ""
    return _carry_out(answer, parser)


def _carry_out(answer: str, parser: argparse.ArgumentParser) -> int:
    match answer.lower():
        case "":
            return 0
        case "h":
            return host.run(parser.parse_args(["host"]))
        case "r":
            return chat.run(parser.parse_args(["chat"]))
        case _:
            return join.run(parser.parse_args(["join", "--", answer]))
