from collections.abc import Callable
from dataclasses import replace

import pytest

from tertulia.codec import CodecError
from tertulia.crypto import Secret
from tertulia.mls import (
    ExternalPSK,
    PSKs,
    Rule,
    UnknownPskError,
    Unverified,
    Welcome,
    make_group_info,
    new_psk_id,
)
from tertulia.mls.psk import derive_psk_secret
from tertulia.mls.welcome import (
    EncryptedGroupSecrets,
    GroupSecrets,
    Newcomer,
    PathSecret,
    WelcomeKeys,
    make_welcome,
    open_group_info,
    open_group_secrets,
)
from tests.mls.world import SUITE, alone, key_package, refused, seeded

JOINER = Secret(b"joiner".ljust(32))
PATH = Secret(b"path".ljust(32))
PSK = ExternalPSK(b"paper")
KEYS: PSKs = {PSK: Secret(b"written on paper")}
PSK_ID = new_psk_id(SUITE, PSK, seeded("nonce"))
LUIS, EVA = key_package("Luis"), key_package("Eva")
INFO = make_group_info(alone("Ana"))


def welcome() -> Welcome:
    """Return a Welcome for Luis, who gets a path secret, and Eva, who does not."""
    keys = WelcomeKeys(JOINER, derive_psk_secret(SUITE, [PSK_ID], KEYS), (PSK_ID,))
    newcomers = [Newcomer(LUIS.key_package, PATH), Newcomer(EVA.key_package, None)]
    return make_welcome(SUITE, INFO, keys, newcomers, seeded("welcome"))


def test_a_welcome_is_read_as_it_was_written() -> None:
    assert Welcome.decode(welcome().encode()) == welcome()


def test_each_joiner_is_told_what_is_due_to_it() -> None:
    told = open_group_secrets(welcome(), LUIS)
    assert told == GroupSecrets(JOINER, PathSecret(PATH), (PSK_ID,))
    assert open_group_secrets(welcome(), EVA) == replace(told, path_secret=None)


def test_all_joiners_open_the_same_group_info() -> None:
    for package in (LUIS, EVA):
        secrets = open_group_secrets(welcome(), package)
        info, psk_secret = open_group_info(SUITE, welcome(), secrets, KEYS)
        assert info == Unverified(INFO)
        assert psk_secret == derive_psk_secret(SUITE, [PSK_ID], KEYS)


def test_whoever_was_not_added_finds_nothing() -> None:
    with refused(Rule.WELCOME_RECIPIENT):
        open_group_secrets(welcome(), key_package("Juan"))
    with refused(Rule.WELCOME_RECIPIENT):
        open_group_secrets(welcome(), key_package("Luis", number=2))


@pytest.mark.parametrize("suite", [2, 3, 0xF002, 0xF0F0])
def test_a_welcome_of_another_suite_is_refused(suite: int) -> None:
    with refused(Rule.WELCOME_SUITE):
        open_group_secrets(replace(welcome(), cipher_suite=suite), LUIS)


def first(
    change: Callable[[EncryptedGroupSecrets], EncryptedGroupSecrets],
) -> Welcome:
    """Return the Welcome with another first entry."""
    entry, *others = welcome().secrets
    return replace(welcome(), secrets=(change(entry), *others))


def test_secrets_open_only_for_their_joiner_and_with_their_group_info() -> None:
    _, for_eva = welcome().secrets
    swapped = first(lambda entry: replace(for_eva, new_member=entry.new_member))
    other_info = replace(welcome(), encrypted_group_info=b"other")
    malformed = first(
        lambda entry: replace(
            entry,
            encrypted_group_secrets=replace(
                entry.encrypted_group_secrets, kem_output=b""
            ),
        )
    )
    for forged in (swapped, other_info, malformed):
        with refused(Rule.WELCOME_SECRETS):
            open_group_secrets(forged, LUIS)


def test_secrets_that_open_to_nonsense_are_refused() -> None:
    def nonsense(entry: EncryptedGroupSecrets) -> EncryptedGroupSecrets:
        kem_output, ciphertext = SUITE.encrypt_with_label(
            LUIS.key_package.init_key,
            "Welcome",
            welcome().encrypted_group_info,
            b"nonsense",
            seeded("nonsense"),
        )
        secrets = replace(
            entry.encrypted_group_secrets, kem_output=kem_output, ciphertext=ciphertext
        )
        return replace(entry, encrypted_group_secrets=secrets)

    with pytest.raises(CodecError):
        open_group_secrets(first(nonsense), LUIS)


def test_a_key_that_the_joiner_lacks_is_named() -> None:
    secrets = open_group_secrets(welcome(), LUIS)
    with pytest.raises(UnknownPskError) as caught:
        open_group_info(SUITE, welcome(), secrets, {})
    assert caught.value.psk_id == PSK


def test_the_group_info_opens_only_with_the_right_secrets() -> None:
    secrets = open_group_secrets(welcome(), LUIS)
    wrong = replace(secrets, joiner_secret=Secret(bytes(32)))
    with refused(Rule.WELCOME_SECRETS):
        open_group_info(SUITE, welcome(), wrong, KEYS)
    with refused(Rule.WELCOME_SECRETS):
        open_group_info(SUITE, welcome(), secrets, {PSK: Secret(b"another paper")})
    altered = replace(welcome(), encrypted_group_info=bytes(40))
    with refused(Rule.WELCOME_SECRETS):
        open_group_info(SUITE, altered, secrets, KEYS)
