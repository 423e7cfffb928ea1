"""Builds the C parts of the bench with the machine's own compiler.

What was built is kept in the system's folder for temporary files, under the hash of
what it was built from. Without a compiler there is no load, and `NoCompilerError` says so.
"""

import hashlib
import os
import shutil
import subprocess
import tempfile
from pathlib import Path

_SOURCES = Path(__file__).parent
_FLAGS = ("-O2", "-Wall", "-Wextra", "-std=gnu11")


class NoCompilerError(Exception):
    """There is no C compiler on this machine, or it lacks what the source needs."""


def build(source: str, *flags: str) -> Path:
    """Return the program or library built from a source; raise NoCompilerError."""
    compiler = shutil.which("cc")
    if compiler is None:
        raise NoCompilerError("no `cc` on this machine")
    code = (_SOURCES / source).read_bytes()
    key = hashlib.sha256(code + repr((_FLAGS, flags)).encode()).hexdigest()[:16]
    folder = Path(tempfile.gettempdir()) / f"tertulia-bench-{os.getuid()}"
    folder.mkdir(mode=0o700, exist_ok=True)
    built = folder / f"{Path(source).stem}-{key}"
    if not built.exists():
        # Two benches may build at once: each gets a whole file or the other's.
        fresh = built.with_suffix(f".{os.getpid()}")
        command = [compiler, *_FLAGS, "-o", str(fresh), str(_SOURCES / source), *flags]
        done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603
        if done.returncode:
            raise NoCompilerError(f"{source} does not compile: {done.stderr}")
        fresh.replace(built)
    return built


def build_library(source: str) -> Path:
    """Return a shared library with TLS if this machine has OpenSSL's headers."""
    try:
        return build(
            source, "-DWITH_TLS", "-shared", "-fPIC", "-lssl", "-lcrypto", "-lm"
        )
    except NoCompilerError:
        return build(source, "-shared", "-fPIC", "-lm")
