import pytest

from tertulia.cli.announcement import announce, announcement

LINK = "https://192.0.2.1:8000/i#AAAA"


def test_others_are_given_the_whole_command(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tertulia.cli.announcement.own_command", lambda: "tertulia")
    text = announcement("https://192.0.2.1:8000", "Gar:den", LINK, is_for_others=True)
    assert text.splitlines() == [
        '* The room "Gar:den" is open at https://192.0.2.1:8000',
        "* Others enter with:",
        f"tertulia join '{LINK}'",
    ]


def test_an_address_for_this_machine_only_is_called_so() -> None:
    text = announcement("https://127.0.0.1:8000", "Garden", LINK, is_for_others=False)
    assert "* Only programs on this machine can reach that address." in text


@pytest.mark.parametrize(("width", "codes"), [(120, True), (20, False)])
def test_the_code_is_shown_where_it_fits(
    width: int,
    codes: bool,  # noqa: FBT001
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr("tertulia.cli.screen.screen_width", lambda: width)
    monkeypatch.setenv("TERM", "xterm")
    announce("https://192.0.2.1:8000", "Garden", LINK, is_for_others=True)
    assert ("█" in capsys.readouterr().out) is codes
