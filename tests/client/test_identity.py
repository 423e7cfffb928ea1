import string
import tracemalloc
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tertulia.client.identity import (
    POLICY,
    PROFILE,
    Member,
    Profile,
    check_name,
    check_printable,
    credential_in,
    credential_of,
    device_list,
    member_of,
    mls_identity,
    name_in,
    new_profile,
    profile_extension,
)
from tertulia.client.value_errors import BadNameError, NoAccountKeyError
from tertulia.codec import CodecError, OversizeError
from tertulia.crypto import ED25519
from tertulia.mls import BasicCredential, Extension, X509Credential
from tertulia.wire import Device, DeviceCredential, account_id, limits
from tests.client.society import NOW, SUITE, person, room_of, seeded

ANA = person("Ana")
LEAF = room_of("Ana")["Ana"].leaf


# Names


@pytest.mark.parametrize(
    "name",
    [
        "Ana",
        "José María de la Peña",
        "Иван",
        "山田",
        "👩‍🚀",
        "a" * 64,
        "\N{MATHEMATICAL DOUBLE-STRUCK CAPITAL A}" * 64,
        "!",
        "مريم",
    ],
)
def test_people_are_called_what_they_like(name: str) -> None:
    assert check_name(name) == name
    assert check_name(f" \t{name}\n") == name
    assert Profile.decode(Profile(name).encode()) == Profile(name)


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("", "empty"),
        (" \t ", "empty"),
        ("\u200b\u2060", "empty"),
        ("\u0301", "empty"),
        ("a" * 65, "too_long"),
        ("a" * 1000, "too_long"),
        ("Ana\nLuis", "unprintable"),
        ("\x1b[31mAna", "unprintable"),
        ("Ana\x7f", "unprintable"),
        ("A\x85a", "unprintable"),
        ("A\u2028a", "unprintable"),
        ("Ana\ud800", "unprintable"),
    ],
)
def test_what_is_no_name(name: str, reason: str) -> None:
    with pytest.raises(BadNameError) as caught:
        check_name(name)
    assert caught.value.reason == reason


@given(st.text(max_size=80))
def test_a_name_that_may_be_had_fits_a_leaf(text: str) -> None:
    try:
        name = check_name(text)
    except BadNameError:
        return
    assert Profile.decode(profile_extension(name).extension_data).name == name


def test_a_line_is_printable_without_controls() -> None:
    check_printable("")
    check_printable(string.punctuation + "ñ\u200d")
    with pytest.raises(BadNameError):
        check_printable("a\tb")


# Profiles


def test_a_profile_has_keys_of_its_own() -> None:
    profile = new_profile(" Ana ", NOW, seeded("one"))
    assert (profile.name, profile.created) == ("Ana", NOW)
    assert profile.account_key is not None
    assert ED25519.public_key(profile.account_key) == profile.account_public
    assert ED25519.public_key(profile.device_key) == profile.device_public
    assert profile.account_public != profile.device_public
    assert len(profile.device) == 16
    other = new_profile("Ana", NOW, seeded("two"))
    assert other.account_public != profile.account_public
    assert other.device != profile.device
    with pytest.raises(BadNameError):
        new_profile("", NOW, seeded("one"))


def test_the_credential_certifies_the_device() -> None:
    credential = credential_of(ANA)
    assert len(credential.encode()) <= limits.CREDENTIAL
    verified = DeviceCredential.decode(credential.encode()).verify(ANA.device_public)
    account = account_id(ANA.account_public)
    assert verified == Device(
        ANA.device, account, ANA.account_public, ANA.device_public
    )


def test_the_device_list_holds_this_device() -> None:
    listed = device_list(ANA, 3, (bytes(16),)).verify()
    assert listed.number == 3
    assert [each.device for each in listed.devices] == [ANA.device]
    assert listed.devices[0].device_key == ANA.device_public
    assert listed.revoked == (bytes(16),)
    assert device_list(ANA, 1).verify().revoked == ()


def test_without_the_account_key_nothing_is_certified() -> None:
    linked = replace(ANA, account_key=None)
    with pytest.raises(NoAccountKeyError):
        credential_of(linked)
    with pytest.raises(NoAccountKeyError):
        device_list(linked, 1)


# Leaves


def test_an_identity_signs_with_the_device_key_and_knows_rooms() -> None:
    identity = mls_identity(ANA, SUITE, "Anita")
    assert identity.credential == BasicCredential(credential_of(ANA).encode())
    assert identity.signature_key.public == ANA.device_public
    assert identity.signature_key.private == ANA.device_key
    assert identity.capabilities.extensions == (POLICY, PROFILE)
    assert identity.leaf_extensions == (profile_extension("Anita"),)
    assert mls_identity(ANA, SUITE, None).leaf_extensions == ()
    with pytest.raises(OversizeError):
        mls_identity(ANA, SUITE, "a" * 257)


def test_a_leaf_says_whom_it_stands_for() -> None:
    account = account_id(ANA.account_public)
    assert member_of(LEAF) == Member(ANA.account_public, account, ANA.device, "Ana")
    assert member_of(replace(LEAF, extensions=())).name == ""
    assert credential_in(LEAF) == credential_of(ANA)


def test_a_profile_of_a_newer_kind_is_no_name() -> None:
    newer = replace(LEAF, extensions=(Extension(PROFILE, b"\2..."),))
    assert name_in(newer) == ""


def test_of_a_profile_of_a_newer_kind_nothing_is_remembered() -> None:
    size = 100_000
    large = (Extension(PROFILE, b"\2" + bytes((each,)) * size) for each in range(100))
    leaves = (replace(LEAF, extensions=(profile,)) for profile in large)
    tracemalloc.start()
    members = {member_of(leaf) for leaf in leaves}
    kept, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert members == {member_of(replace(LEAF, extensions=()))}
    assert kept < size


@pytest.mark.parametrize("credential", [X509Credential(()), BasicCredential(b"Ana")])
def test_a_leaf_without_certificate_is_nobody(
    credential: BasicCredential | X509Credential,
) -> None:
    with pytest.raises(CodecError):
        member_of(replace(LEAF, credential=credential))


@given(st.binary(max_size=300))
def test_any_bytes_are_a_name_or_refused(data: bytes) -> None:
    try:
        profile = Profile.decode(data)
    except CodecError:
        return
    assert profile.encode() == data
