"""Welcome: what those get whom a commit adds (RFC 9420 section 12.4.3.1)."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

from tertulia.codec import Nested, Opaque, Optional, Struct, Vector, uint16
from tertulia.crypto import CipherSuite, CryptoError, Rng, Secret
from tertulia.mls.errors import InvalidError
from tertulia.mls.group_info import GroupInfo
from tertulia.mls.key_package import KeyPackage, KeyPackageSecrets
from tertulia.mls.key_schedule import welcome_secret
from tertulia.mls.limits import MAX_DIGEST, MAX_MESSAGE
from tertulia.mls.psk import PreSharedKeyID, PSKs, derive_psk_secret
from tertulia.mls.rules import Rule
from tertulia.mls.secret_field import SecretField
from tertulia.mls.treekem import HPKECiphertext
from tertulia.mls.unverified import Unverified

_WELCOME_LABEL = "Welcome"


@dataclass(frozen=True, slots=True)
class PathSecret(Struct):
    """The path secret of the lowest node that the joiner shares with the committer."""

    path_secret: Annotated[Secret, SecretField(MAX_DIGEST)]


@dataclass(frozen=True, slots=True)
class GroupSecrets(Struct):
    """What one joiner is told in secret."""

    joiner_secret: Annotated[Secret, SecretField(MAX_DIGEST)]
    path_secret: Annotated[PathSecret | None, Optional(Nested(PathSecret))]
    psks: Annotated[
        tuple[PreSharedKeyID, ...], Vector(Nested(PreSharedKeyID), MAX_MESSAGE)
    ]


@dataclass(frozen=True, slots=True)
class EncryptedGroupSecrets(Struct):
    """GroupSecrets encrypted to the init key of a key package."""

    new_member: Annotated[bytes, Opaque(MAX_DIGEST)]
    encrypted_group_secrets: HPKECiphertext


@dataclass(frozen=True, slots=True)
class Welcome(Struct):
    """The way into a group for those whom a commit adds."""

    cipher_suite: Annotated[int, uint16]
    secrets: Annotated[
        tuple[EncryptedGroupSecrets, ...],
        Vector(Nested(EncryptedGroupSecrets), MAX_MESSAGE),
    ]
    encrypted_group_info: Annotated[bytes, Opaque(MAX_MESSAGE)]


@dataclass(frozen=True, slots=True)
class Newcomer:
    """Somebody to welcome, with the path secret due to them."""

    key_package: KeyPackage
    path_secret: Secret | None


@dataclass(frozen=True, slots=True)
class WelcomeKeys:
    """What a Welcome passes on: the new epoch's joiner secret and its PSKs."""

    joiner_secret: Secret
    psk_secret: Secret
    psk_ids: tuple[PreSharedKeyID, ...]


def make_welcome(
    suite: CipherSuite,
    group_info: GroupInfo,
    keys: WelcomeKeys,
    newcomers: Sequence[Newcomer],
    rng: Rng,
) -> Welcome:
    """Encrypt `group_info` to all newcomers, and to each what it takes to open it."""
    secret = welcome_secret(suite, keys.joiner_secret, keys.psk_secret)
    key, nonce = _group_info_key(suite, secret)
    encrypted_group_info = suite.aead.seal(key, nonce, b"", group_info.encode())

    def told(newcomer: Newcomer) -> bytes:
        path_secret = newcomer.path_secret
        return GroupSecrets(
            keys.joiner_secret,
            None if path_secret is None else PathSecret(path_secret),
            keys.psk_ids,
        ).encode()

    packages = [newcomer.key_package for newcomer in newcomers]
    ciphertexts = suite.encrypt_each_with_label(
        _WELCOME_LABEL,
        encrypted_group_info,
        zip(
            (package.init_key for package in packages),
            map(told, newcomers),
            strict=True,
        ),
        rng,
    )
    secrets = tuple(
        EncryptedGroupSecrets(package.reference(suite), HPKECiphertext(*ciphertext))
        for package, ciphertext in zip(packages, ciphertexts, strict=True)
    )
    return Welcome(suite.id, secrets, encrypted_group_info)


def open_group_secrets(welcome: Welcome, mine: KeyPackageSecrets) -> GroupSecrets:
    """Return what a Welcome tells the holder of a key package; raise InvalidError."""
    suite = mine.identity.suite
    if welcome.cipher_suite != suite.id:
        raise InvalidError(Rule.WELCOME_SUITE)
    reference = mine.key_package.reference(suite)
    for entry in welcome.secrets:
        if entry.new_member == reference:
            break
    else:
        raise InvalidError(Rule.WELCOME_RECIPIENT)
    try:
        plaintext = suite.decrypt_with_label(
            mine.init_key,
            _WELCOME_LABEL,
            welcome.encrypted_group_info,
            entry.encrypted_group_secrets.kem_output,
            entry.encrypted_group_secrets.ciphertext,
        )
    except CryptoError as error:
        raise InvalidError(Rule.WELCOME_SECRETS, str(error)) from error
    return GroupSecrets.decode(plaintext.reveal())


def open_group_info(
    suite: CipherSuite, welcome: Welcome, secrets: GroupSecrets, psks: PSKs
) -> tuple[Unverified[GroupInfo], Secret]:
    """Return the GroupInfo in a Welcome and the psk_secret.

    Raises InvalidError, UnknownPskError.
    """
    psk_secret = derive_psk_secret(suite, secrets.psks, psks)
    secret = welcome_secret(suite, secrets.joiner_secret, psk_secret)
    key, nonce = _group_info_key(suite, secret)
    try:
        encoded = suite.aead.open(key, nonce, b"", welcome.encrypted_group_info)
    except CryptoError as error:
        raise InvalidError(Rule.WELCOME_SECRETS, str(error)) from error
    return Unverified(GroupInfo.decode(encoded)), psk_secret


def _group_info_key(suite: CipherSuite, secret: Secret) -> tuple[Secret, bytes]:
    key = suite.expand_with_label(secret, "key", b"", suite.aead.key_size)
    nonce = suite.expand_with_label(secret, "nonce", b"", suite.aead.nonce_size)
    return key, nonce.reveal()
