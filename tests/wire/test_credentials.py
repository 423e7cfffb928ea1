"""Credentials and device lists: nothing counts before it is verified."""

from collections.abc import Callable
from dataclasses import replace
from hashlib import sha256
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tertulia.codec import CodecError
from tertulia.crypto import ED25519, CryptoError
from tertulia.wire import (
    Device,
    DeviceBinding,
    DeviceCredential,
    DeviceList,
    ListedDevice,
    SignedDeviceList,
    account_id,
    limits,
)

RANDOM = Random(1)
ACCOUNT = ED25519.generate(RANDOM.randbytes)
DEVICE_KEY = ED25519.generate(RANDOM.randbytes)
DEVICE = bytes(range(16))
BINDING = DeviceBinding(ACCOUNT.public, DEVICE, 7, DEVICE_KEY.public)
CREDENTIAL = DeviceCredential(
    1, ACCOUNT.public, DEVICE, 7, BINDING.sign(ACCOUNT.private)
)


def signed(devices: DeviceList) -> SignedDeviceList:
    return SignedDeviceList(1, devices, devices.sign(ACCOUNT.private))


LIST = DeviceList(
    ACCOUNT.public, 3, (ListedDevice(DEVICE, DEVICE_KEY.public, 7),), (bytes(16),)
)


def test_a_right_credential_names_its_device() -> None:
    credential = DeviceCredential.decode(CREDENTIAL.encode())
    device = credential.verify(DEVICE_KEY.public)
    account = account_id(ACCOUNT.public)
    assert device == Device(DEVICE, account, ACCOUNT.public, DEVICE_KEY.public)
    assert account == sha256(ACCOUNT.public).digest()


CHANGES: list[Callable[[DeviceCredential], DeviceCredential]] = [
    lambda each: replace(each, version=2),
    lambda each: replace(each, device=bytes(16)),
    lambda each: replace(each, device=bytes(15)),
    lambda each: replace(each, created=8),
    lambda each: replace(each, account_key=DEVICE_KEY.public),
    lambda each: replace(each, signature=bytes(64)),
]


@pytest.mark.parametrize("change", CHANGES)
def test_a_changed_credential_does_not_verify(
    change: Callable[[DeviceCredential], DeviceCredential],
) -> None:
    with pytest.raises((CodecError, CryptoError)):
        change(CREDENTIAL).verify(DEVICE_KEY.public)


def test_a_credential_is_for_one_key() -> None:
    with pytest.raises(CryptoError):
        CREDENTIAL.verify(ACCOUNT.public)


@given(st.binary(max_size=300))
def test_any_bytes_decode_or_raise_the_documented_error(data: bytes) -> None:
    for kind in (DeviceCredential, SignedDeviceList):
        try:
            assert kind.decode(data).encode() == data
        except CodecError:
            continue


def test_a_device_list_is_signed_by_its_account() -> None:
    whole = signed(LIST)
    assert SignedDeviceList.decode(whole.encode()).verify() == LIST
    for false in (
        replace(whole, version=2),
        replace(whole, devices=replace(LIST, number=4)),
        replace(whole, signature=bytes(64)),
    ):
        with pytest.raises((CodecError, CryptoError)):
            false.verify()


def test_a_device_list_has_a_limited_length() -> None:
    many = LIST.devices * (limits.DEVICES_PER_ACCOUNT + 1)
    with pytest.raises(CodecError):
        signed(replace(LIST, devices=many)).verify()
    most = replace(LIST, devices=LIST.devices * limits.DEVICES_PER_ACCOUNT)
    assert len(signed(most).encode()) <= limits.DEVICE_LIST
