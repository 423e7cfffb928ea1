import argparse
from pathlib import Path

import pytest

from tertulia.cli.options import BadOptionError, add_options
from tertulia.cli.relay_options import (
    data_folder,
    default_data,
    rate_key,
    read_config,
    relay_options,
)
from tertulia.errors import UsageError
from tertulia.server import Config, Endpoint
from tertulia.wire import AccountPolicy, limits


def read(*arguments: str) -> Config:
    parser = argparse.ArgumentParser()
    add_options(parser, relay_options())
    config, _level = read_config(parser.parse_args(arguments), {})
    return config


def test_without_options_everything_has_its_default() -> None:
    config = read()
    assert config == Config(data=config.data, relay=config.relay)
    assert config.relay.rates == {rate.name: rate for rate in limits.RATES}
    assert config.data.is_absolute()


def test_options_reach_the_config() -> None:
    config = read(
        *("--listen", "0.0.0.0:9", "--accounts", "open", "--keep", "30d"),
        *("--rate", "connections=5/6", "--proxy", "127.0.0.1", "--http"),
        *("--metrics", "[::1]:7", "--origin", "https://Chat.example/"),
        *("--connections", "9", "--relay-storage", "1G"),
    )
    assert config.listen == Endpoint("", 9)
    assert config.relay.accounts is AccountPolicy.OPEN
    assert config.relay.entry_age == 30 * limits.DAY
    rate = config.relay.rates["connections"]
    assert (rate.burst, rate.per_minute) == (5, 6)
    assert config.metrics == Endpoint("::1", 7)
    assert config.web.origins == ("https://chat.example",)
    assert config.bounds.connections == 9
    assert config.relay.relay_storage == 1024**3


@pytest.mark.parametrize(
    "arguments",
    [
        ("--metrics", "192.0.2.1:80"),
        ("--metrics", "127.0.0.1"),
        ("--origin", "chat.example"),
        ("--name", "a b"),
        ("--proxy", "proxy"),
        ("--rate", "nothing=1/1"),
        ("--rate", "connections=1"),
        ("--tls-cert", "x.pem"),
        ("--tls-key", "x.pem"),
        ("--accounts", "some"),
    ],
)
def test_what_cannot_be_meant_is_refused(arguments: tuple[str, ...]) -> None:
    with pytest.raises(BadOptionError) as caught:
        read(*arguments)
    assert isinstance(caught.value, UsageError)


def test_rates_have_short_names() -> None:
    keys = [rate_key(rate.name) for rate in limits.RATES]
    assert len(set(keys)) == len(keys)
    assert "frames" in keys


def test_the_data_folder_is_the_users_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert default_data({"XDG_DATA_HOME": str(tmp_path)}).parts[-2:] == (
        "tertulia",
        "relay",
    )
    monkeypatch.setenv("TERTULIA_DATA", str(tmp_path))
    assert data_folder(argparse.Namespace()) == tmp_path


def test_every_command_finds_the_same_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("TERTULIA_DATA", "TERTULIA_CONFIG"):
        monkeypatch.delenv(name, raising=False)
    (tmp_path / "relay.toml").write_text('data = "/from/file"\nhttp = true\n')
    monkeypatch.setenv("TERTULIA_CONFIG", str(tmp_path / "relay.toml"))
    nothing = argparse.Namespace()
    assert data_folder(nothing) == Path("/from/file")
    monkeypatch.setenv("TERTULIA_DATA", "/from/environment")
    assert data_folder(nothing) == Path("/from/environment")
    assert data_folder(argparse.Namespace(data="/given")) == Path("/given")
