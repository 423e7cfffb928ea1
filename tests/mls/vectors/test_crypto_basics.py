"""RFC 9420 vectors: the labelled functions of each suite."""

from random import Random
from typing import Any

import pytest

from tertulia.crypto import DecryptionError, SignatureError
from tests.mls.vectors.cases import Case, every_case, octets, secret
from tests.mls.vectors.tally import Tally

pytestmark = every_case("crypto-basics")


@pytest.fixture
def vector(case: Case, request: pytest.FixtureRequest) -> dict[str, Any]:
    """What the file has for the function after which the test is named."""
    part: dict[str, Any] = case.vector[request.function.__name__.removeprefix("test_")]
    return part


def test_ref_hash(case: Case, vector: dict[str, Any], tally: Tally) -> None:
    result = case.suite.ref_hash(vector["label"], octets(vector, "value"))
    tally.equal(result, octets(vector, "out"))


def test_expand_with_label(case: Case, vector: dict[str, Any], tally: Tally) -> None:
    result = case.suite.expand_with_label(
        secret(vector, "secret"),
        vector["label"],
        octets(vector, "context"),
        vector["length"],
    )
    tally.equal(result, secret(vector, "out"))


def test_derive_secret(case: Case, vector: dict[str, Any], tally: Tally) -> None:
    result = case.suite.derive_secret(secret(vector, "secret"), vector["label"])
    tally.equal(result, secret(vector, "out"))


def test_derive_tree_secret(case: Case, vector: dict[str, Any], tally: Tally) -> None:
    result = case.suite.derive_tree_secret(
        secret(vector, "secret"),
        vector["label"],
        vector["generation"],
        vector["length"],
    )
    tally.equal(result, secret(vector, "out"))


def test_sign_with_label(case: Case, vector: dict[str, Any], tally: Tally) -> None:
    suite, private = case.suite, secret(vector, "priv")
    public, content = octets(vector, "pub"), octets(vector, "content")
    tally.equal(suite.signature.public_key(private), public)
    ours = suite.sign_with_label(private, vector["label"], content)
    for signature in (octets(vector, "signature"), ours):
        with tally.accepts():
            suite.verify_with_label(public, vector["label"], content, signature)
        with tally.refuses(SignatureError):
            suite.verify_with_label(public, "another", content, signature)


def test_encrypt_with_label(case: Case, vector: dict[str, Any], tally: Tally) -> None:
    suite, private = case.suite, secret(vector, "priv")
    public, context = octets(vector, "pub"), octets(vector, "context")
    label, plaintext = vector["label"], secret(vector, "plaintext")
    tally.equal(suite.hpke.kem.public_key(private), public)
    theirs = octets(vector, "kem_output"), octets(vector, "ciphertext")
    ours = suite.encrypt_with_label(
        public, label, context, plaintext.reveal(), Random(1).randbytes
    )
    for sealed in (theirs, ours):
        opened = suite.decrypt_with_label(private, label, context, *sealed)
        tally.equal(opened, plaintext)
        with tally.refuses(DecryptionError):
            suite.decrypt_with_label(private, "another", context, *sealed)
