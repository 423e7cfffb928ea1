"""RFC 9420 vectors: what a Welcome holds."""

from dataclasses import replace
from random import Random

import pytest

from tertulia.crypto import KeyPair, Secret
from tertulia.mls.errors import InvalidError
from tertulia.mls.group_info import GroupInfo
from tertulia.mls.key_package import (
    Identity,
    KeyPackage,
    KeyPackageSecrets,
    check_key_package,
)
from tertulia.mls.key_schedule import start_epoch
from tertulia.mls.message import decode_message, encode_message
from tertulia.mls.transcript import check_confirmation_tag
from tertulia.mls.unverified import Unverified
from tertulia.mls.welcome import (
    GroupSecrets,
    Newcomer,
    PathSecret,
    Welcome,
    WelcomeKeys,
    make_welcome,
    open_group_info,
    open_group_secrets,
)
from tests.mls.vectors.cases import Case, every_case, octets, secret
from tests.mls.vectors.tally import Tally

pytestmark = every_case("welcome")


@pytest.fixture
def mine(case: Case) -> KeyPackageSecrets:
    """The joiner's key package; of its private keys only the first is given."""
    message = decode_message(octets(case.vector, "key_package"))
    assert isinstance(message, Unverified)
    key_package = message.take_for_checking()
    assert isinstance(key_package, KeyPackage)
    leaf = key_package.leaf_node
    signature_key = KeyPair(Secret(b"not given"), leaf.signature_key)
    return KeyPackageSecrets(
        key_package=key_package,
        identity=Identity(case.suite, leaf.credential, signature_key),
        init_key=secret(case.vector, "init_priv"),
        encryption_key=Secret(b"not given"),
    )


@pytest.fixture
def welcome(case: Case) -> Welcome:
    message = decode_message(octets(case.vector, "welcome"))
    assert isinstance(message, Welcome)
    return message


def _open(welcome: Welcome, mine: KeyPackageSecrets) -> tuple[GroupSecrets, GroupInfo]:
    secrets = open_group_secrets(welcome, mine)
    unverified, _ = open_group_info(mine.identity.suite, welcome, secrets, {})
    return secrets, unverified.take_for_checking()


def test_the_key_package_is_valid(
    case: Case, mine: KeyPackageSecrets, welcome: Welcome, tally: Tally
) -> None:
    suite, key_package = case.suite, mine.key_package
    with tally.accepts():
        check_key_package(key_package, suite)
    tally.equal(suite.hpke.kem.public_key(mine.init_key), key_package.init_key)
    tally.equal(encode_message(key_package), octets(case.vector, "key_package"))
    tally.equal(encode_message(welcome), octets(case.vector, "welcome"))


def test_the_welcome_leads_to_an_epoch(
    case: Case, mine: KeyPackageSecrets, welcome: Welcome, tally: Tally
) -> None:
    suite = case.suite
    secrets, group_info = _open(welcome, mine)
    signer = octets(case.vector, "signer_pub")
    with tally.accepts():
        group_info.verify_signature(suite, signer)
    with tally.refuses(InvalidError):
        group_info.verify_signature(suite, mine.key_package.leaf_node.signature_key)
    context = group_info.group_context
    no_psk = Secret(bytes(suite.kdf.size))
    started = start_epoch(suite, secrets.joiner_secret, no_psk, context)
    with tally.accepts():
        check_confirmation_tag(
            suite,
            started.secrets.confirmation_key,
            context.confirmed_transcript_hash,
            group_info.confirmation_tag,
        )


def test_a_welcome_made_here_says_the_same(
    case: Case, mine: KeyPackageSecrets, welcome: Welcome, tally: Tally
) -> None:
    suite, rng = case.suite, Random(1).randbytes
    secrets, group_info = _open(welcome, mine)
    no_psk = Secret(bytes(suite.kdf.size))
    keys = WelcomeKeys(secrets.joiner_secret, no_psk, secrets.psks)
    for path_secret in (None, suite.random(rng)):
        newcomer = Newcomer(mine.key_package, path_secret)
        ours = make_welcome(suite, group_info, keys, [newcomer], rng)
        wanted = replace(
            secrets,
            path_secret=None if path_secret is None else PathSecret(path_secret),
        )
        tally.equal(_open(ours, mine), (wanted, group_info))
