import argparse

import pytest

from tertulia.cli.errors import BadValueError
from tertulia.cli.waiting import add_timeout_option, timeout_of


def parsed(*arguments: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    add_timeout_option(parser, 30)
    return parser.parse_args(arguments)


def test_seconds_come_from_the_option_or_the_default() -> None:
    assert timeout_of(parsed(), 30) == 30
    assert timeout_of(parsed("--timeout", "2m"), 30) == 120


def test_what_is_no_time_is_refused() -> None:
    with pytest.raises(BadValueError):
        timeout_of(parsed("--timeout", "soon"), 30)
