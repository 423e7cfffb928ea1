from tertulia.crypto import CIPHER_SUITES, HYBRID_SUITE
from tertulia.mls import limits
from tests.mls.world import seeded


def test_every_suite_fits_with_room_to_spare() -> None:
    for suite in CIPHER_SUITES.values():
        keys = suite.generate_signature_key_pair(seeded("limits"))
        encryption = suite.generate_kem_key_pair(seeded("limits"))
        signature = suite.sign_with_label(keys.private, "label", b"content")
        assert max(len(keys.public), len(encryption.public)) * 2 <= limits.MAX_KEY
        assert len(signature) * 2 <= limits.MAX_SIGNATURE
        assert suite.kdf.size <= limits.MAX_DIGEST


def test_a_tree_has_leaves_for_all_the_members_whose_keys_it_holds() -> None:
    members = 10_000
    key = 32 + len(CIPHER_SUITES[HYBRID_SUITE].generate_kem_key_pair(seeded("")).public)
    assert members <= limits.MAX_LEAVES
    assert 2 * members * key <= limits.MAX_TREE


def test_the_keys_of_all_generations_that_may_be_skipped_at_once_are_kept() -> None:
    assert limits.MAX_KEPT_KEYS >= limits.MAX_SKIPPED_GENERATIONS
