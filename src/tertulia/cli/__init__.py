"""The command `tertulia`."""

from tertulia.cli.main import main

__all__ = ["main"]
