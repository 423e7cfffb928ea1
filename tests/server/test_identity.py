from datetime import UTC, datetime
from pathlib import Path
from random import Random

import pytest

from tertulia.crypto import read_certificate
from tertulia.server.errors import (
    BadCertificateError,
    FolderError,
    MissingIdentityError,
)
from tertulia.server.folder import DataFolder
from tertulia.server.identity import (
    certificate_names,
    fingerprint,
    given_certificate,
    load_identity,
    own_certificate,
    tls_context,
    utc,
)

NOW = datetime(2026, 6, 1, tzinfo=UTC)


def test_an_identity_is_made_once(tmp_path: Path) -> None:
    folder, rng = DataFolder(tmp_path), Random(1).randbytes
    first = load_identity(folder, rng)
    second = load_identity(folder, rng)
    assert first == second
    assert len(fingerprint(first.public)) == 64


def test_an_identity_is_not_made_for_a_store_that_had_one(tmp_path: Path) -> None:
    folder = DataFolder(tmp_path)
    folder.database.write_bytes(b"")
    with pytest.raises(MissingIdentityError):
        load_identity(folder, Random(1).randbytes)


@pytest.mark.parametrize("content", ["", "zz", "00" * 31])
def test_a_damaged_identity_is_said(tmp_path: Path, content: str) -> None:
    folder = DataFolder(tmp_path)
    folder.identity_key.touch(mode=0o600)
    folder.identity_key.write_text(content)
    with pytest.raises(FolderError):
        load_identity(folder, Random(1).randbytes)


def test_a_lost_certificate_is_made_anew_for_the_same_key(tmp_path: Path) -> None:
    folder, rng = DataFolder(tmp_path), Random(1).randbytes
    first = own_certificate(folder, ("localhost",), NOW, rng)
    folder.certificate.unlink()
    second = own_certificate(folder, ("localhost",), NOW, rng)
    assert first == second
    terms = read_certificate(folder.certificate.read_bytes())
    assert terms.not_before < NOW < terms.not_after
    tls_context(second)


def test_a_damaged_certificate_key_is_said(tmp_path: Path) -> None:
    folder = DataFolder(tmp_path)
    folder.certificate_key.touch(mode=0o600)
    with pytest.raises(FolderError):
        own_certificate(folder, (), NOW, Random(1).randbytes)


def test_a_certificate_of_another_key_is_refused(tmp_path: Path) -> None:
    rng = Random(1).randbytes
    folders = [DataFolder(tmp_path / name) for name in "ab"]
    for folder in folders:
        folder.prepare()
        own_certificate(folder, ("localhost",), NOW, rng)
    mixed = given_certificate(folders[0].certificate, folders[1].certificate_key)
    with pytest.raises(BadCertificateError):
        tls_context(mixed)
    with pytest.raises(BadCertificateError):
        given_certificate(folders[0].certificate, tmp_path / "none")


def test_a_certificate_names_what_can_be_named() -> None:
    names = certificate_names(("chat.example", "ñ.example", ""), ["192.0.2.1", "::1"])
    assert names == ("localhost", "127.0.0.1", "::1", "chat.example", "192.0.2.1")


def test_milliseconds_are_a_date() -> None:
    assert utc(1_780_272_000_000) == datetime(2026, 6, 1, tzinfo=UTC)
