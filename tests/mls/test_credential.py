import pytest

from tertulia.codec import CodecError
from tertulia.mls import BasicCredential, Credential, CredentialType, X509Credential
from tertulia.mls.credential import CREDENTIAL, credential_type

BASIC = BasicCredential(b"Ana")
X509 = X509Credential((b"certificate", b"of the authority"))


@pytest.mark.parametrize(
    ("credential", "number"),
    [(BASIC, CredentialType.BASIC), (X509, CredentialType.X509)],
)
def test_a_credential_is_its_type_and_its_data(
    credential: Credential, number: CredentialType
) -> None:
    encoded = CREDENTIAL.encode(credential)
    assert int.from_bytes(encoded[:2]) == number
    assert credential_type(credential) is number
    assert CREDENTIAL.decode(encoded) == credential


def test_the_encodings_of_section_5_3() -> None:
    assert CREDENTIAL.encode(BASIC) == b"\0\1\3Ana"
    assert CREDENTIAL.encode(X509Credential((b"abc", b"d"))) == b"\0\2\6\3abc\1d"


def test_a_credential_of_unknown_type_cannot_be_read() -> None:
    with pytest.raises(CodecError, match="unknown variant 2570"):
        CREDENTIAL.decode(b"\x0a\x0a\3Ana")
