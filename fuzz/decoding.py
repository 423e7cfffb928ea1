"""Fuzz `targets.decoding`; see README.md."""

from fuzz.harness import run

if __name__ == "__main__":
    run("decoding")
