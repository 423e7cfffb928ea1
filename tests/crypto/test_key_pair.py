from tertulia.crypto import KeyPair, Secret


def test_hides_its_private_half() -> None:
    shown = repr(KeyPair(Secret(b"private"), b"public"))
    assert shown == "KeyPair(private=<Secret 7 bytes>, public=b'public')"


def test_equals_a_pair_of_the_same_keys() -> None:
    pair = KeyPair(Secret(b"private"), b"public")
    assert pair == KeyPair(Secret(b"private"), b"public")
    assert pair != KeyPair(Secret(b"another"), b"public")
