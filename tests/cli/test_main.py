import pytest

from tertulia import __version__
from tertulia.cli.main import build_parser, main


def test_without_a_command_the_help_is_shown(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main([]) == 2
    shown = capsys.readouterr().out
    assert all(command in shown for command in ("serve", "admin", "doctor", "classic"))


def test_the_version_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as end:
        main(["--version"])
    assert end.value.code == 0
    assert capsys.readouterr().out == f"tertulia {__version__}\n"


def test_every_command_knows_what_to_run() -> None:
    parser = build_parser()
    for command in ("serve", "admin", "doctor", "classic"):
        assert callable(parser.parse_args([command]).run)


def test_an_error_becomes_words_and_a_code(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["serve", "--keep", "soon"]) == 2
    words = capsys.readouterr().err
    assert "--keep" in words
    assert "Nothing was changed." in words
