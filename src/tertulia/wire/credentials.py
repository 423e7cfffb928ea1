"""Who a device is: its credential, and the list of all devices of its account.

Both are signed with the account key. The same credential is the identity in the
device's MLS leaf, so the relay and the members of a room check the same bytes.
"""

import hashlib
from dataclasses import dataclass
from typing import Annotated, ClassVar, Final

from tertulia.codec import CodecError, Nested, Opaque, Struct, Vector, uint8, uint64
from tertulia.wire import limits
from tertulia.wire.signed import Signable

VERSION: Final = 1

_Id: Final = Opaque(16)
_Key: Final = Opaque(32)
_Signature: Final = Opaque(64)


def account_id(account_key: bytes) -> bytes:
    """Return the id of the account whose public key this is."""
    return hashlib.sha256(account_key).digest()


@dataclass(frozen=True, slots=True)
class DeviceBinding(Signable):
    """That a device key belongs to an account; signed with the account key."""

    label: ClassVar[str] = "Tertulia 1 device credential"
    account_key: Annotated[bytes, _Key]
    device: Annotated[bytes, _Id]
    created: Annotated[int, uint64]
    device_key: Annotated[bytes, _Key]


@dataclass(frozen=True, slots=True)
class DeviceCredential(Struct):
    """A device's certificate. Nothing in it is true before `verify`."""

    version: Annotated[int, uint8]
    account_key: Annotated[bytes, _Key]
    device: Annotated[bytes, _Id]
    created: Annotated[int, uint64]
    signature: Annotated[bytes, _Signature]

    def verify(self, device_key: bytes) -> "Device":
        """Return the device that this credential and `device_key` name.

        Raises CodecError for another version or a wrong length, CryptoError unless
        the account key signed it.
        """
        _require(self.version == VERSION, f"credential of version {self.version}")
        _require(len(self.device) == _Id.limit, "a device id has 16 bytes")
        binding = DeviceBinding(self.account_key, self.device, self.created, device_key)
        binding.verify(self.account_key, self.signature)
        return Device(
            self.device, account_id(self.account_key), self.account_key, device_key
        )


@dataclass(frozen=True, slots=True)
class Device:
    """A device whose credential was verified."""

    device: bytes
    account: bytes
    account_key: bytes
    device_key: bytes


@dataclass(frozen=True, slots=True)
class ListedDevice(Struct):
    """A device as its account's list has it."""

    device: Annotated[bytes, _Id]
    device_key: Annotated[bytes, _Key]
    created: Annotated[int, uint64]


@dataclass(frozen=True, slots=True)
class DeviceList(Signable):
    """All devices that count, and those that never will again; `number` only rises."""

    label: ClassVar[str] = "Tertulia 1 device list"
    account_key: Annotated[bytes, _Key]
    number: Annotated[int, uint64]
    devices: Annotated[
        tuple[ListedDevice, ...], Vector(Nested(ListedDevice), limits.DEVICE_LIST)
    ]
    revoked: Annotated[tuple[bytes, ...], Vector(_Id, limits.DEVICE_LIST)]


@dataclass(frozen=True, slots=True)
class SignedDeviceList(Struct):
    """A device list as it travels. Nothing in it is true before `verify`."""

    version: Annotated[int, uint8]
    devices: DeviceList
    signature: Annotated[bytes, _Signature]

    def verify(self) -> DeviceList:
        """Return the list; raise CodecError or CryptoError."""
        _require(self.version == VERSION, f"device list of version {self.version}")
        _require(
            len(self.devices.devices) <= limits.DEVICES_PER_ACCOUNT, "too many devices"
        )
        self.devices.verify(self.devices.account_key, self.signature)
        return self.devices


def _require(holds: bool, reason: str) -> None:  # noqa: FBT001
    if not holds:
        raise CodecError(reason)
