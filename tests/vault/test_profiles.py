from dataclasses import replace

from tertulia.client import ProfileRow, PutProfile, PutRelay, RelayRow
from tertulia.crypto import Secret
from tertulia.vault import Vault

PROFILE = ProfileRow(
    account_public=b"account public",
    account_key=Secret(b"account key"),
    device=b"device",
    device_public=b"device public",
    device_key=Secret(b"device key"),
    created=1_700_000_000_000,
    name="Ana \N{WAVING HAND SIGN}",
)


def test_a_new_vault_has_no_profile(vault: Vault) -> None:
    assert vault.profile() is None
    assert vault.relays() == []


def test_the_profile_comes_back_as_it_was(vault: Vault) -> None:
    vault.save([PutProfile(PROFILE)])
    assert vault.profile() == PROFILE


def test_there_is_one_profile_and_a_linked_device_has_no_account_key(
    vault: Vault,
) -> None:
    linked = replace(PROFILE, account_key=None, name="Bea")
    vault.save([PutProfile(PROFILE), PutProfile(linked)])
    assert vault.profile() == linked


def test_relays_keep_their_order_when_they_change(vault: Vault) -> None:
    first = RelayRow(b"1", ("https://a:8000", "https://b"), 0, "a link")
    second = RelayRow(b"2", (), 5)
    vault.save([PutRelay(first), PutRelay(second)])
    assert vault.relays() == [first, second]
    moved = RelayRow(b"1", ("https://c",), 7)
    vault.save([PutRelay(moved)])
    assert vault.relays() == [moved, second]
