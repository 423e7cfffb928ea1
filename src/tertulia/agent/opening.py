"""Opening the vault of a profile, or making the profile; blocking, for a thread.

The order keeps a crash harmless: the lock, the key, the vault, and last the profile in
it. Nobody but the owner may even list the folder.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from tertulia.agent.errors import NameNeededError, ProfileFolderError
from tertulia.client import ProfileRow, PutProfile, new_profile
from tertulia.crypto import Rng, Secret
from tertulia.vault import (
    KeySource,
    ProfileFolder,
    ProfileLock,
    Vault,
    change_key,
    create_key,
    create_vault,
    open_vault,
    unlock,
)


@dataclass(frozen=True, slots=True)
class Opening:
    """What opening a profile takes.

    `name` is needed by a new profile only. `passphrase` is called if one is set, and
    sets one for a new profile whose key source it is.
    """

    folder: Path
    name: str | None = None
    passphrase: Callable[[], str] | None = None
    key_source: KeySource | None = None


@dataclass(frozen=True, slots=True)
class OpenVault:
    """A vault that is open, and ours alone."""

    lock: ProfileLock
    vault: Vault
    profile: ProfileRow
    key_source: KeySource

    def close(self) -> None:
        """Let go of the vault, then of the profile."""
        try:
            self.vault.close()
        finally:
            self.lock.close()


def has_profile(folder: Path) -> bool:
    """Tell whether there is a profile, so that no name needs to be asked for."""
    paths = ProfileFolder(folder)
    return paths.key.exists() or paths.vault.exists()


def open_profile(opening: Opening, now: int, rng: Rng) -> OpenVault:
    """Take the lock, open the vault, make what is missing.

    Raises VaultInUseError if another process has the profile, NameNeededError,
    BadNameError, or what the vault raises.
    """
    if opening.name is None and not has_profile(opening.folder):
        raise NameNeededError
    _keep_private(opening.folder)
    lock = ProfileLock(opening.folder)
    try:
        return _open(opening, lock, now, rng)
    except BaseException:
        lock.close()
        raise


def change_key_source(
    folder: Path,
    passphrase: Callable[[], str] | None,
    key_source: KeySource,
    new_passphrase: str = "",
) -> None:
    """Keep the key elsewhere, or under another passphrase.

    Raises VaultInUseError while another process has the profile, or what the vault
    raises.
    """
    with ProfileLock(folder):
        key, _source = unlock(folder, passphrase)
        change_key(folder, key, key_source, new_passphrase)


def _open(opening: Opening, lock: ProfileLock, now: int, rng: Rng) -> OpenVault:
    is_new = not has_profile(opening.folder)
    if is_new:
        _new_person(opening, now, rng)  # a name that will not do, before any file
    key, source = _new_key(opening) if is_new else _known_key(opening)
    path = ProfileFolder(opening.folder).vault
    vault = create_vault(path, key) if is_new else open_vault(path, key)
    try:
        profile = vault.profile()
        if profile is None:
            profile = _new_person(opening, now, rng)
            vault.save((PutProfile(profile),))
    except BaseException:
        vault.close()
        raise
    return OpenVault(lock, vault, profile, source)


def _new_person(opening: Opening, now: int, rng: Rng) -> ProfileRow:
    if opening.name is None:
        raise NameNeededError
    return new_profile(opening.name, now, rng)


def _new_key(opening: Opening) -> tuple[Secret, KeySource]:
    passphrase = ""
    if opening.key_source is KeySource.PASSPHRASE and opening.passphrase is not None:
        passphrase = opening.passphrase()
    return create_key(opening.folder, opening.key_source, passphrase)


def _known_key(opening: Opening) -> tuple[Secret, KeySource]:
    return unlock(opening.folder, opening.passphrase)


def _keep_private(folder: Path) -> None:
    """Make the folder, or let nobody else into the one there."""
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        if folder.stat().st_mode & 0o077:
            folder.chmod(0o700)
    except OSError as error:
        raise ProfileFolderError(folder, error.strerror or str(error)) from error
