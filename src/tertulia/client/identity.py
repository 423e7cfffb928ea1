"""Who I am, and who others say they are.

A profile is an account key, a device key and a name. In a room they become an MLS
identity: the device key signs, the credential is the device's certificate, and the name
is an extension of the leaf, so that the relay, which sees key packages, never sees it.
What `member_of` reads is a claim until `judgement` has checked the leaf.
"""

import unicodedata
from dataclasses import dataclass
from functools import lru_cache
from typing import Annotated, Final

from tertulia.client import limits
from tertulia.client.fields import UnknownVersionError, Utf8, Versioned
from tertulia.client.rows import ProfileRow
from tertulia.client.value_errors import BadNameError, NoAccountKeyError
from tertulia.codec import CodecError
from tertulia.crypto import ED25519, CipherSuite, KeyPair, Rng, Secret
from tertulia.mls import (
    BasicCredential,
    Capabilities,
    Extension,
    Identity,
    LeafNode,
    find_extension,
)
from tertulia.wire import (
    DeviceBinding,
    DeviceCredential,
    DeviceList,
    ListedDevice,
    SignedDeviceList,
    account_id,
)

# Extension types for private use (RFC 9420 section 17.3).
POLICY: Final = 0xF001  # in the GroupContext: the room's rules
PROFILE: Final = 0xF002  # in a leaf: what its owner wants to be called
POSITION: Final = 0xF003  # in a GroupInfo: where in the log its maker stood

_CREDENTIAL_VERSION: Final = 1
_DEVICE_LIST_VERSION: Final = 1
_UNPRINTABLE: Final = frozenset({"Cc", "Cs", "Zl", "Zp"})


@dataclass(frozen=True, slots=True)
class Profile(Versioned):
    """What a leaf says of its owner beyond keys."""

    name: Annotated[str, Utf8(limits.NAME)]


@dataclass(frozen=True, slots=True)
class Member:
    """Whom a leaf stands for. The name is whatever its owner chose, perhaps nothing."""

    account_key: bytes
    account: bytes
    device: bytes
    name: str


def check_name(text: str) -> str:
    """Return a display name without the space around it; raise BadNameError."""
    name = text.strip()
    check_printable(name)
    if not any(_is_visible(character) for character in name):
        raise BadNameError("empty")
    if len(name) > limits.NAME_CHARACTERS or len(name.encode()) > limits.NAME:
        raise BadNameError("too_long")
    return name


def check_printable(line: str) -> None:
    """Refuse controls, line breaks and half characters; raise BadNameError."""
    if any(unicodedata.category(character) in _UNPRINTABLE for character in line):
        raise BadNameError("unprintable")


def _is_visible(character: str) -> bool:
    return unicodedata.category(character)[0] in "LNPS"


def new_profile(name: str, now: int, rng: Rng) -> ProfileRow:
    """Return a new account with its first device; raise BadNameError."""
    checked = check_name(name)
    account = ED25519.generate(rng)
    device = ED25519.generate(rng)
    return ProfileRow(
        account_public=account.public,
        account_key=account.private,
        device=rng(16),
        device_public=device.public,
        device_key=device.private,
        created=now,
        name=checked,
    )


def credential_of(profile: ProfileRow) -> DeviceCredential:
    """Return this device's certificate; raise NoAccountKeyError."""
    binding = DeviceBinding(
        profile.account_public, profile.device, profile.created, profile.device_public
    )
    return DeviceCredential(
        _CREDENTIAL_VERSION,
        profile.account_public,
        profile.device,
        profile.created,
        binding.sign(_account_key(profile)),
    )


def device_list(
    profile: ProfileRow, number: int, revoked: tuple[bytes, ...] = ()
) -> SignedDeviceList:
    """Return the account's list, this device alone in it; raise NoAccountKeyError."""
    listed = ListedDevice(profile.device, profile.device_public, profile.created)
    devices = DeviceList(profile.account_public, number, (listed,), revoked)
    signature = devices.sign(_account_key(profile))
    return SignedDeviceList(_DEVICE_LIST_VERSION, devices, signature)


def _account_key(profile: ProfileRow) -> Secret:
    if profile.account_key is None:
        raise NoAccountKeyError
    return profile.account_key


def mls_identity(profile: ProfileRow, suite: CipherSuite, name: str | None) -> Identity:
    """Return who this device is in a room of `suite`, by the name `name`.

    Without a name it fits a key package, which the relay sees.
    """
    extensions = () if name is None else (profile_extension(name),)
    return Identity(
        suite,
        BasicCredential(credential_of(profile).encode()),
        KeyPair(profile.device_key, profile.device_public),
        Capabilities(extensions=(POLICY, PROFILE)),
        extensions,
    )


def profile_extension(name: str) -> Extension:
    """Return the leaf extension that carries a name; raise OversizeError."""
    return Extension(PROFILE, Profile(name).encode())


def credential_in(leaf: LeafNode) -> DeviceCredential:
    """Return the certificate in a leaf, unverified; raise CodecError."""
    return _credential(_certificate(leaf))


def name_in(leaf: LeafNode) -> str:
    """Return the name in a leaf, empty if there is none; raise CodecError.

    A profile of a newer program is no name and no error: verdicts on leaves must not
    depend on the program's version.
    """
    profile = find_extension(leaf.extensions, PROFILE)
    if profile is None:
        return ""
    try:
        return _name(profile)
    except UnknownVersionError:
        return ""


def member_of(leaf: LeafNode) -> Member:
    """Return whom a leaf says it stands for; raise CodecError."""
    return _member(_certificate(leaf), name_in(leaf))


def _certificate(leaf: LeafNode) -> bytes:
    if not isinstance(leaf.credential, BasicCredential):
        raise CodecError("not a basic credential")
    return leaf.credential.identity


# Every commit has everybody's leaf read, and leaves hardly ever change. What is
# remembered is what the same bytes always give. An error is not: so each takes no more
# than a certificate and a name, whatever else people put into their leaves.
@lru_cache(maxsize=limits.LEAVES_READ)
def _member(certificate: bytes, name: str) -> Member:
    credential = _credential(certificate)
    key = credential.account_key
    return Member(key, account_id(key), credential.device, name)


@lru_cache(maxsize=limits.LEAVES_READ)
def _credential(certificate: bytes) -> DeviceCredential:
    return DeviceCredential.decode(certificate)


@lru_cache(maxsize=limits.LEAVES_READ)
def _name(profile: bytes) -> str:
    return Profile.decode(profile).name
