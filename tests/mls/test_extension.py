import pytest

from tertulia.codec import CodecError
from tertulia.mls import (
    BasicCredential,
    Extension,
    ExtensionType,
    ExternalSender,
    RequiredCapabilities,
    Rule,
    external_senders_extension,
    find_extension,
    required_capabilities_extension,
)
from tertulia.mls.extension import (
    DEFAULT_EXTENSION_TYPES,
    EXTENSIONS,
    check_unique_types,
    external_senders,
    required_capabilities,
)
from tests.mls.world import refused

# A GREASE value of section 13.5: no client knows what it means.
GREASE = Extension(0x5A5A, b"whatever it may be")
REQUIRED = RequiredCapabilities((0xF001,), (0xF002,), (1,))
SENDER = ExternalSender(b"key", BasicCredential(b"the relay"))


def test_an_extension_is_its_type_and_its_data() -> None:
    assert EXTENSIONS.encode((Extension(1, b"ab"),)) == b"\5\0\1\2ab"
    assert EXTENSIONS.decode(b"\5\0\1\2ab") == (Extension(1, b"ab"),)


def test_unknown_types_are_carried_along_unread() -> None:
    extensions = (GREASE, required_capabilities_extension(REQUIRED))
    carried = EXTENSIONS.decode(EXTENSIONS.encode(extensions))
    assert carried == extensions
    assert required_capabilities(carried) == REQUIRED


def test_an_extension_is_found_by_its_type() -> None:
    assert find_extension((GREASE,), 0x5A5A) == b"whatever it may be"
    assert find_extension((GREASE,), ExtensionType.APPLICATION_ID) is None
    assert find_extension((), 0x5A5A) is None


def test_an_empty_extension_is_not_a_missing_one() -> None:
    assert find_extension((Extension(10, b""),), 10) == b""


def test_without_the_extension_nothing_is_required() -> None:
    assert required_capabilities((GREASE,)) == RequiredCapabilities()


def test_without_the_extension_nobody_outside_may_propose() -> None:
    assert external_senders((GREASE,)) == ()


def test_external_senders_keep_their_order_for_they_are_named_by_place() -> None:
    other = ExternalSender(b"other key", BasicCredential(b"the archive"))
    extension = external_senders_extension([SENDER, other])
    assert extension.extension_type == ExtensionType.EXTERNAL_SENDERS
    assert external_senders((GREASE, extension)) == (SENDER, other)


@pytest.mark.parametrize("data", [b"", b"\0\0", b"\0\0\0\0", b"\1\0\0\0"])
def test_malformed_requirements_are_refused(data: bytes) -> None:
    with pytest.raises(CodecError):
        required_capabilities((Extension(3, data),))


def test_malformed_external_senders_are_refused() -> None:
    with pytest.raises(CodecError):
        external_senders((Extension(5, b"\3abc"),))


def test_no_type_stands_twice_in_a_list() -> None:
    check_unique_types(())
    check_unique_types((GREASE, Extension(1, b"")))
    with refused(Rule.EXTENSION_ONCE):
        check_unique_types((GREASE, Extension(1, b""), Extension(0x5A5A, b"")))


def test_the_types_that_everybody_supports_are_those_of_section_7_2() -> None:
    names = [
        "APPLICATION_ID",
        "RATCHET_TREE",
        "REQUIRED_CAPABILITIES",
        "EXTERNAL_PUB",
        "EXTERNAL_SENDERS",
    ]
    assert {ExtensionType[name] for name in names} == DEFAULT_EXTENSION_TYPES
