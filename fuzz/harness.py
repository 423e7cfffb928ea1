"""How a target runs under atheris."""

import sys
from functools import partial
from importlib import import_module

import atheris


def run(name: str) -> None:
    """Fuzz the target of this name until the options on the command line say stop."""
    with atheris.instrument_imports(include=["tertulia"]):
        room = import_module("fuzz.room")
        targets = import_module("fuzz.targets")
    attacked = room.new_room(room.chosen_suite())
    # To merge, libFuzzer has a shell start it again.
    again = f"{sys.executable} -m fuzz.{name}"
    atheris.Setup([again, *sys.argv[1:]], partial(getattr(targets, name), attacked))
    atheris.Fuzz()
