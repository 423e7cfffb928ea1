"""Fuzz `targets.joining`; see README.md."""

from fuzz.harness import run

if __name__ == "__main__":
    run("joining")
