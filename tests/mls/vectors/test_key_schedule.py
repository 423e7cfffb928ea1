"""RFC 9420 vectors: the secrets of some epochs in a row."""

from collections.abc import Iterator
from random import Random
from typing import Any

from tertulia.mls.group_context import GroupContext
from tertulia.mls.key_schedule import (
    NewEpoch,
    decapsulate_init_secret,
    encapsulate_init_secret,
    joiner_secret,
    start_epoch,
    welcome_secret,
)
from tertulia.mls.leaf_node import MLS10
from tests.mls.vectors.cases import Case, every_case, octets, secret
from tests.mls.vectors.tally import Tally

pytestmark = every_case("key-schedule")


def _epochs(case: Case) -> Iterator[tuple[dict[str, Any], GroupContext, NewEpoch]]:
    """Yield each epoch of a case: the vector, and what the engine makes of it."""
    init_secret = secret(case.vector, "initial_init_secret")
    for number, epoch in enumerate(case.vector["epochs"]):
        context = GroupContext(
            version=MLS10,
            cipher_suite=case.suite.id,
            group_id=octets(case.vector, "group_id"),
            epoch=number,
            tree_hash=octets(epoch, "tree_hash"),
            confirmed_transcript_hash=octets(epoch, "confirmed_transcript_hash"),
            extensions=(),
        )
        joiner = joiner_secret(
            case.suite, init_secret, secret(epoch, "commit_secret"), context
        )
        started = start_epoch(case.suite, joiner, secret(epoch, "psk_secret"), context)
        yield epoch, context, started
        init_secret = started.secrets.init_secret


def test_group_contexts(case: Case, tally: Tally) -> None:
    for epoch, context, _ in _epochs(case):
        encoded = octets(epoch, "group_context")
        tally.equal(context.encode(), encoded)
        tally.equal(GroupContext.decode(encoded), context)


def test_secrets(case: Case, tally: Tally) -> None:
    for epoch, _, started in _epochs(case):
        for name in ("joiner_secret", "welcome_secret", "encryption_secret"):
            tally.equal(getattr(started, name), secret(epoch, name))
        for name in (
            "sender_data_secret",
            "exporter_secret",
            "external_secret",
            "confirmation_key",
            "membership_key",
            "resumption_psk",
            "epoch_authenticator",
            "init_secret",
        ):
            tally.equal(getattr(started.secrets, name), secret(epoch, name))


def test_what_a_joiner_opens_the_welcome_with(case: Case, tally: Tally) -> None:
    for epoch, _, started in _epochs(case):
        ours = welcome_secret(
            case.suite, started.joiner_secret, secret(epoch, "psk_secret")
        )
        tally.equal(ours, secret(epoch, "welcome_secret"))


def test_the_external_key_opens_what_is_encapsulated_to_it(
    case: Case, tally: Tally
) -> None:
    for epoch, _, started in _epochs(case):
        pair = started.secrets.external_key_pair(case.suite)
        tally.equal(pair.public, octets(epoch, "external_pub"))
        kem_output, init_secret = encapsulate_init_secret(
            case.suite, pair.public, Random(1).randbytes
        )
        opened = decapsulate_init_secret(case.suite, pair.private, kem_output)
        tally.equal(opened, init_secret)


def test_exporter(case: Case, tally: Tally) -> None:
    for epoch, _, started in _epochs(case):
        vector = epoch["exporter"]
        ours = started.secrets.export(
            case.suite, vector["label"], octets(vector, "context"), vector["length"]
        )
        tally.equal(ours, secret(vector, "secret"))
