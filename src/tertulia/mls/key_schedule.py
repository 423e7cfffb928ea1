"""The key schedule: from one epoch's secret to all that is derived (section 8)."""

from dataclasses import dataclass
from typing import Annotated

from tertulia.codec import Struct
from tertulia.crypto import CipherSuite, CryptoError, KeyPair, Rng, Secret
from tertulia.mls.errors import InvalidError
from tertulia.mls.group_context import GroupContext
from tertulia.mls.limits import MAX_DIGEST
from tertulia.mls.rules import Rule
from tertulia.mls.secret_field import SecretField

_EXTERNAL_INIT = b"MLS 1.0 external init secret"

_Secret = Annotated[Secret, SecretField(MAX_DIGEST)]


@dataclass(frozen=True, slots=True)
class EpochSecrets(Struct):
    """What a member keeps of an epoch's key schedule (section 8, table 4).

    The encryption secret is not here: the secret tree consumes it.
    """

    sender_data_secret: _Secret
    exporter_secret: _Secret
    external_secret: _Secret
    confirmation_key: _Secret
    membership_key: _Secret
    resumption_psk: _Secret
    epoch_authenticator: _Secret
    init_secret: _Secret

    def external_key_pair(self, suite: CipherSuite) -> KeyPair:
        """Return the key pair to which external joiners encapsulate (section 8.3)."""
        return suite.kem_derive_key_pair(self.external_secret)

    def export(
        self, suite: CipherSuite, label: str, context: bytes, length: int
    ) -> Secret:
        """Return MLS-Exporter (section 8.5)."""
        secret = suite.derive_secret(self.exporter_secret, label)
        return suite.expand_with_label(secret, "exported", suite.hash(context), length)


@dataclass(frozen=True, slots=True)
class NewEpoch:
    """Everything derived at the start of an epoch; parts are dropped once used."""

    joiner_secret: Secret
    welcome_secret: Secret
    encryption_secret: Secret
    secrets: EpochSecrets


def joiner_secret(
    suite: CipherSuite,
    init_secret: Secret,
    commit_secret: Secret,
    context: GroupContext,
) -> Secret:
    """Return the joiner secret of the epoch that `context` describes."""
    return suite.expand_with_label(
        suite.extract(init_secret, commit_secret),
        "joiner",
        context.encode(),
        suite.kdf.size,
    )


def welcome_secret(suite: CipherSuite, joiner: Secret, psk_secret: Secret) -> Secret:
    """Return the secret under which a Welcome's GroupInfo is encrypted."""
    return suite.derive_secret(suite.extract(joiner, psk_secret), "welcome")


def start_epoch(
    suite: CipherSuite, joiner: Secret, psk_secret: Secret, context: GroupContext
) -> NewEpoch:
    """Derive all secrets of the epoch that `context` describes."""
    member_secret = suite.extract(joiner, psk_secret)
    epoch_secret = suite.expand_with_label(
        member_secret, "epoch", context.encode(), suite.kdf.size
    )

    def derive(label: str) -> Secret:
        return suite.derive_secret(epoch_secret, label)

    return NewEpoch(
        joiner_secret=joiner,
        welcome_secret=suite.derive_secret(member_secret, "welcome"),
        encryption_secret=derive("encryption"),
        secrets=EpochSecrets(
            sender_data_secret=derive("sender data"),
            exporter_secret=derive("exporter"),
            external_secret=derive("external"),
            confirmation_key=derive("confirm"),
            membership_key=derive("membership"),
            resumption_psk=derive("resumption"),
            epoch_authenticator=derive("authentication"),
            init_secret=derive("init"),
        ),
    )


def encapsulate_init_secret(
    suite: CipherSuite, external_pub: bytes, rng: Rng
) -> tuple[bytes, Secret]:
    """Return `kem_output` and init secret of an external commit (section 8.3).

    Raises InvalidError if `external_pub` is no key.
    """
    try:
        return suite.hpke.send_export(
            external_pub, b"", _EXTERNAL_INIT, suite.kdf.size, rng
        )
    except CryptoError as error:
        raise InvalidError(Rule.EXTERNAL_PUB, str(error)) from error


def decapsulate_init_secret(
    suite: CipherSuite, external_priv: Secret, kem_output: bytes
) -> Secret:
    """Return the init secret of an external commit; raise InvalidError."""
    try:
        return suite.hpke.receive_export(
            external_priv, kem_output, b"", _EXTERNAL_INIT, suite.kdf.size
        )
    except CryptoError as error:
        raise InvalidError(Rule.EXTERNAL_KEM_OUTPUT, str(error)) from error
