"""How a target runs under atheris."""

import sys
from importlib import import_module

import atheris


def run(name: str) -> None:
    """Fuzz the target of this name until the options on the command line say stop."""
    with atheris.instrument_imports(include=["tertulia"]):
        targets = import_module("fuzz.targets")
    atheris.Setup(sys.argv, getattr(targets, name))
    atheris.Fuzz()
