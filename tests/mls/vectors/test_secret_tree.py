"""RFC 9420 vectors: message keys of every leaf, and the keys of sender data."""

from collections.abc import Iterator
from typing import Any

from tertulia.crypto import Secret
from tertulia.mls.errors import InvalidError
from tertulia.mls.private_message import _sender_data_key
from tertulia.mls.secret_tree import (
    MessageKey,
    RatchetKind,
    SecretTree,
    new_secret_tree,
)
from tests.mls.vectors.cases import Case, every_case, octets, secret
from tests.mls.vectors.tally import Tally

pytestmark = every_case("secret-tree")


def _start(case: Case) -> SecretTree:
    encryption_secret = secret(case.vector, "encryption_secret")
    return new_secret_tree(encryption_secret, len(case.vector["leaves"]))


def _listed(case: Case) -> Iterator[tuple[int, RatchetKind, int, MessageKey]]:
    """Yield leaf, kind, generation and key of everything a case lists."""
    for leaf_index, generations in enumerate(case.vector["leaves"]):
        for listed in generations:
            for kind in RatchetKind:
                key = _key(listed, f"{kind.name.lower()}_")
                yield leaf_index, kind, listed["generation"], key


def _key(vector: dict[str, Any], prefix: str = "") -> MessageKey:
    return MessageKey(secret(vector, f"{prefix}key"), secret(vector, f"{prefix}nonce"))


def test_sender_data_key(case: Case, tally: Tally) -> None:
    vector = case.vector["sender_data"]
    ours = _sender_data_key(
        case.suite, secret(vector, "sender_data_secret"), octets(vector, "ciphertext")
    )
    tally.equal(ours, _key(vector))


def test_a_receiver_skips_to_each_listed_generation(case: Case, tally: Tally) -> None:
    tree = _start(case)
    for leaf_index, kind, generation, theirs in _listed(case):
        tree, ours = tree.key_of(case.suite, leaf_index, kind, generation)
        tally.equal(ours, theirs)
        with tally.refuses(InvalidError):
            tree.key_of(case.suite, leaf_index, kind, generation)


def test_a_receiver_goes_back_to_each_listed_generation(
    case: Case, tally: Tally
) -> None:
    tree = _start(case)
    for leaf_index, kind, generation, theirs in reversed(list(_listed(case))):
        tree, ours = tree.key_of(case.suite, leaf_index, kind, generation)
        tally.equal(ours, theirs)


def test_a_sender_takes_the_same_keys_one_by_one(case: Case, tally: Tally) -> None:
    wanted = {listed[:3]: listed[3] for listed in _listed(case)}
    for leaf_index in range(len(case.vector["leaves"])):
        for kind in RatchetKind:
            for generation, ours in enumerate(_taken(case, leaf_index, kind)):
                theirs = wanted.get((leaf_index, kind, generation))
                if theirs is not None:
                    tally.equal(ours, theirs)
    tally.equal(tally.checks, len(wanted))


def _taken(case: Case, leaf_index: int, kind: RatchetKind) -> Iterator[MessageKey]:
    """Yield a sender's keys up to the last generation that is listed."""
    tree = _start(case)
    last = max(listed["generation"] for listed in case.vector["leaves"][leaf_index])
    for expected in range(last + 1):
        tree, generation, key = tree.next_key(case.suite, leaf_index, kind)
        assert generation == expected
        yield key


def test_what_was_used_is_not_kept(case: Case, tally: Tally) -> None:
    tree = _start(case)
    used: list[Secret] = [secret(case.vector, "encryption_secret")]
    for leaf_index, kind, generation, theirs in _listed(case):
        tree, _ = tree.key_of(case.suite, leaf_index, kind, generation)
        used += (theirs.key, theirs.nonce)
    kept = [*tree.nodes.values()]
    for ratchet in tree.ratchets.values():
        kept.append(ratchet.secret)
        kept += [
            part for key in ratchet.skipped.values() for part in (key.key, key.nonce)
        ]
    tally.equal([item for item in used if item in kept], [])
