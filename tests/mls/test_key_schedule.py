from dataclasses import fields, replace

import pytest

from tertulia.crypto import Secret
from tertulia.mls import Extension, Rule
from tertulia.mls.key_schedule import (
    EpochSecrets,
    decapsulate_init_secret,
    encapsulate_init_secret,
    joiner_secret,
    start_epoch,
    welcome_secret,
)
from tests.mls.world import SUITE, contents, context, group_of, refused, seeded

JOINER = Secret(b"joiner".ljust(32))
PSK = Secret(b"psk".ljust(32))


def test_the_secrets_of_table_4() -> None:
    epoch_secret = SUITE.expand_with_label(
        SUITE.extract(JOINER, PSK), "epoch", context().encode(), 32
    )
    started = start_epoch(SUITE, JOINER, PSK, context())
    labels = {
        "sender_data_secret": "sender data",
        "exporter_secret": "exporter",
        "external_secret": "external",
        "confirmation_key": "confirm",
        "membership_key": "membership",
        "resumption_psk": "resumption",
        "epoch_authenticator": "authentication",
        "init_secret": "init",
    }
    assert labels.keys() == {field.name for field in fields(EpochSecrets)}
    for name, label in labels.items():
        derived = SUITE.derive_secret(epoch_secret, label)
        assert getattr(started.secrets, name) == derived, name
    assert started.encryption_secret == SUITE.derive_secret(epoch_secret, "encryption")
    assert started.joiner_secret == JOINER


def test_the_joiner_secret_covers_what_came_before_and_the_context() -> None:
    init, commit_secret = Secret(b"i" * 32), Secret(b"c" * 32)
    expected = SUITE.expand_with_label(
        SUITE.extract(init, commit_secret), "joiner", context().encode(), 32
    )
    assert joiner_secret(SUITE, init, commit_secret, context()) == expected
    assert joiner_secret(SUITE, commit_secret, init, context()) != expected
    assert joiner_secret(SUITE, init, commit_secret, context(1)) != expected


def test_joiners_derive_the_welcome_secret_before_they_know_the_context() -> None:
    started = start_epoch(SUITE, JOINER, PSK, context())
    assert welcome_secret(SUITE, JOINER, PSK) == started.welcome_secret


def test_no_two_secrets_of_an_epoch_are_alike() -> None:
    started = start_epoch(SUITE, JOINER, PSK, context())
    found = contents(started)
    values = [value for name, value in found.items() if name != "secrets"]
    values += found["secrets"].values()
    assert len(set(values)) == len(values) == 11


@pytest.mark.parametrize(
    "other",
    [
        context(1),
        replace(context(), group_id=b"other"),
        replace(context(), confirmed_transcript_hash=b"other"),
        replace(context(), extensions=(Extension(9, b""),)),
    ],
)
def test_another_context_gives_other_secrets(other: object) -> None:
    one = start_epoch(SUITE, JOINER, PSK, context()).secrets
    two = start_epoch(SUITE, JOINER, PSK, other).secrets  # type: ignore[arg-type]
    assert set(contents(one).values()).isdisjoint(contents(two).values())


def test_the_secrets_are_read_as_they_were_written() -> None:
    secrets = start_epoch(SUITE, JOINER, PSK, context()).secrets
    assert EpochSecrets.decode(secrets.encode()) == secrets


def test_the_exporter_of_section_8_5() -> None:
    secrets = start_epoch(SUITE, JOINER, PSK, context()).secrets
    derived = SUITE.derive_secret(secrets.exporter_secret, "markers")
    expected = SUITE.expand_with_label(derived, "exported", SUITE.hash(b"room"), 20)
    assert secrets.export(SUITE, "markers", b"room", 20) == expected
    assert secrets.export(SUITE, "other", b"room", 20) != expected
    assert secrets.export(SUITE, "markers", b"other", 20) != expected


def test_an_init_secret_reaches_whoever_holds_the_external_key() -> None:
    pair = group_of("Ana")[0].epoch.secrets.external_key_pair(SUITE)
    kem_output, secret = encapsulate_init_secret(SUITE, pair.public, seeded("joiner"))
    assert len(secret) == SUITE.kdf.size
    assert decapsulate_init_secret(SUITE, pair.private, kem_output) == secret
    _, another = encapsulate_init_secret(SUITE, pair.public, seeded("another"))
    assert another != secret


@pytest.mark.parametrize("external_pub", [b"", bytes(32), b"x" * 31])
def test_an_external_pub_that_is_no_key_is_refused(external_pub: bytes) -> None:
    with refused(Rule.EXTERNAL_PUB):
        encapsulate_init_secret(SUITE, external_pub, seeded("joiner"))


@pytest.mark.parametrize("kem_output", [b"", bytes(32), b"x" * 31])
def test_a_kem_output_that_is_none_is_refused(kem_output: bytes) -> None:
    pair = group_of("Ana")[0].epoch.secrets.external_key_pair(SUITE)
    with refused(Rule.EXTERNAL_KEM_OUTPUT):
        decapsulate_init_secret(SUITE, pair.private, kem_output)
