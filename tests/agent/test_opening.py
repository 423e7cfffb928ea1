from pathlib import Path

import pytest

from tertulia.agent.errors import NameNeededError, ProfileFolderError
from tertulia.agent.opening import (
    Opening,
    change_key_source,
    has_profile,
    open_profile,
)
from tertulia.client import BadNameError
from tertulia.crypto import system_rng
from tertulia.vault import (
    KeySource,
    ProfileLock,
    VaultInUseError,
    WrongPassphraseError,
)


def opened(opening: Opening) -> tuple[str, KeySource]:
    """Return the name in a profile and where its key is kept."""
    held = open_profile(opening, 1, system_rng)
    held.close()
    return held.profile.name, held.key_source


def test_a_profile_is_made_once_and_opened_again(tmp_path: Path) -> None:
    folder = tmp_path / "deep" / "profile"
    assert not has_profile(folder)
    first = Opening(folder, "Ana", key_source=KeySource.FILE)
    assert opened(first) == ("Ana", KeySource.FILE)
    assert has_profile(folder)
    assert opened(Opening(folder)) == ("Ana", KeySource.FILE)
    assert opened(Opening(folder, "Another")) == ("Ana", KeySource.FILE)
    assert folder.stat().st_mode & 0o777 == 0o700


def test_a_folder_that_others_may_read_is_closed_to_them(tmp_path: Path) -> None:
    folder = tmp_path / "open"
    folder.mkdir(mode=0o755)
    opened(Opening(folder, "Ana", key_source=KeySource.FILE))
    assert folder.stat().st_mode & 0o077 == 0


def test_a_new_profile_needs_a_name_and_leaves_nothing_without(tmp_path: Path) -> None:
    with pytest.raises(NameNeededError):
        opened(Opening(tmp_path / "new"))
    assert not (tmp_path / "new").exists()


def test_a_name_that_will_not_do_leaves_no_profile(tmp_path: Path) -> None:
    with pytest.raises(BadNameError):
        opened(Opening(tmp_path, "  "))
    assert not has_profile(tmp_path)
    assert opened(Opening(tmp_path, "Ana", key_source=KeySource.FILE))[0] == "Ana"


def test_a_profile_is_held_by_one_at_a_time(tmp_path: Path) -> None:
    opening = Opening(tmp_path, "Ana", key_source=KeySource.FILE)
    held = open_profile(opening, 1, system_rng)
    try:
        with pytest.raises(VaultInUseError):
            open_profile(opening, 1, system_rng)
    finally:
        held.close()
    ProfileLock(tmp_path).close()


def test_a_passphrase_is_asked_for(tmp_path: Path) -> None:
    words = iter(["secret", "secret", "wrong"])
    opening = Opening(tmp_path, "Ana", lambda: next(words), KeySource.PASSPHRASE)
    assert opened(opening) == ("Ana", KeySource.PASSPHRASE)
    assert opened(opening) == ("Ana", KeySource.PASSPHRASE)
    with pytest.raises(WrongPassphraseError):
        opened(opening)
    ProfileLock(tmp_path).close()


def test_the_key_can_be_kept_elsewhere(tmp_path: Path) -> None:
    opened(Opening(tmp_path, "Ana", key_source=KeySource.FILE))
    change_key_source(tmp_path, None, KeySource.PASSPHRASE, "secret")
    source = opened(Opening(tmp_path, passphrase=lambda: "secret"))[1]
    assert source is KeySource.PASSPHRASE


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(ProfileFolderError, match="file"):
        opened(Opening(tmp_path / "file" / "profile", "Ana"))
