import argparse
from pathlib import Path
from typing import Any

import pytest

from tertulia.cli.options import (
    BadConfigurationError,
    BadOptionError,
    Option,
    add_options,
    duration,
    host_and_port,
    number,
    one_of,
    read_options,
    size,
    switch,
)

OPTIONS = (
    Option("keep", "", duration, metavar="TIME", wanted="a time"),
    Option("http", "", switch, wanted="yes or no"),
    Option("name", "", str, metavar="NAME", repeats=True),
)


def read(
    *arguments: str, environment: dict[str, str] | None = None, file: Path | None = None
) -> dict[str, Any]:
    parser = argparse.ArgumentParser()
    add_options(parser, OPTIONS)
    return read_options(OPTIONS, parser.parse_args(arguments), environment or {}, file)


def test_the_nearest_source_wins(tmp_path: Path) -> None:
    file = tmp_path / "relay.toml"
    file.write_text('keep = "1d"\nname = ["a", "b"]\nhttp = true\n')
    assert read() == {}
    assert read(file=file) == {"keep": 86_400_000, "name": ("a", "b"), "http": True}
    nearer = {"TERTULIA_KEEP": "2h", "TERTULIA_NAME": "c,d", "TERTULIA_HTTP": "no"}
    values = read(environment=nearer, file=file)
    assert values == {"keep": 7_200_000, "name": ("c", "d"), "http": False}
    assert read("--keep", "3s", "--name=e", environment=nearer)["keep"] == 3_000


@pytest.mark.parametrize(
    ("content", "error"),
    [
        ("keep = 5", BadOptionError),
        ("keep = [1]", BadOptionError),
        ("http = 'maybe'", BadOptionError),
        ("unknown = 1", BadConfigurationError),
        ("keep", BadConfigurationError),
    ],
)
def test_a_wrong_file_is_said(
    tmp_path: Path, content: str, error: type[Exception]
) -> None:
    file = tmp_path / "relay.toml"
    file.write_text(content)
    with pytest.raises(error):
        read(file=file)
    with pytest.raises(BadConfigurationError):
        read(file=tmp_path / "none")


@pytest.mark.parametrize(
    ("reader", "text", "value"),
    [
        (size, "500M", 500 * 1024**2),
        (size, "64 GiB", 64 * 1024**3),
        (size, "7", 7),
        (duration, "2w", 1_209_600_000),
        (number, "3", 3),
        (one_of("a", "b"), "B", "b"),
        (host_and_port, ":8000", ("", 8000)),
        (host_and_port, "[::1]:1", ("::1", 1)),
        (host_and_port, "chat.example", ("chat.example", -1)),
    ],
)
def test_values_are_read(reader: Any, text: str, value: object) -> None:
    assert reader(text) == value


@pytest.mark.parametrize(
    ("reader", "text"),
    [
        (size, "many"),
        (duration, "3"),
        (number, "0"),
        (one_of("a"), "c"),
        (host_and_port, ""),
        (host_and_port, "a:99999"),
        (host_and_port, "9000"),
        (host_and_port, "::1:80"),
        (switch, "perhaps"),
    ],
)
def test_what_is_no_value_is_refused(reader: Any, text: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 -- what `read_options` catches
        reader(text)
