"""The relay of a host, as a process that does not outlive it.

It is `tertulia serve`, but for its standard input: a pipe that the host holds open. When
the host ends, however it ends, the system closes the pipe, and the relay stops as if by
SIGTERM. If it cannot start, it says why in one line of JSON on standard output.
"""

import json
import os
import signal
import sys
import threading
from collections.abc import Sequence

from tertulia.cli.main import build_parser
from tertulia.cli.words import describe
from tertulia.errors import TertuliaError
from tertulia.l10n import choose_language


def main(argv: Sequence[str]) -> int:
    """Serve, with the arguments of `tertulia serve`; return the exit code."""
    choose_language(os.environ)
    arguments = build_parser().parse_args(["serve", *argv])
    threading.Thread(target=_stop_at_end_of_input, daemon=True).start()
    try:
        return int(arguments.run(arguments))
    except TertuliaError as error:
        words = describe(error)
        line = {
            "event": "failed",
            "code": error.code,
            "words": [words.happened, words.safe, words.next],
            "exit_code": words.exit_code,
        }
        print(json.dumps(line), flush=True)
        return words.exit_code


def _stop_at_end_of_input() -> None:
    while os.read(sys.stdin.fileno(), 4096):
        pass
    signal.raise_signal(signal.SIGTERM)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
