"""Cases about bytes that are no encoding of anything, and lengths above the limits."""

from collections.abc import Iterator

from tertulia.codec import encode_opaque, encode_varint, uint16, uint32, uint64
from tertulia.mls import CommitPlan, Welcome, commit, encode_message, make_group_info
from tertulia.mls.limits import MAX_CREDENTIAL, MAX_GROUP_ID, MAX_KEY, MAX_SIGNATURE
from tertulia.mls.sending import protect
from tools.mls_negative.cases import ENCODING, Case
from tools.mls_negative.rooms import ANYONE, Room, new_room

ABOUT = "bytes that are no encoding: cut, stretched, out of range, above the limits"


def cases() -> Iterator[Case]:
    """Yield all cases of this file."""
    room = new_room("encodings")
    group = room.groups["Ana"]
    _, text = protect(group, b"hello", room.rng)
    made = commit(group, CommitPlan(), ANYONE, room.rng)
    key_package = room.newcomer("Dora").key_package
    messages = {
        "public-message": room.cheat().commit(),
        "private-message": encode_message(text),
        "private-commit": encode_message(made.message),
        "welcome": encode_message(_welcome(room)),
        "group-info": encode_message(make_group_info(group)),
        "key-package": encode_message(key_package),
    }
    for name, valid in messages.items():
        yield from _everywhere(name, valid)
    yield from _selectors(messages)
    yield from _lengths(messages)
    yield from _limits(room, messages)


def _case(name: str, invalid: bytes, valid: bytes) -> Case:
    return Case(name, ENCODING, "decode", None, invalid, valid)


def _welcome(room: Room) -> Welcome:
    welcome = room.state.welcome
    if welcome is None:
        raise ValueError("nobody was welcomed")
    return welcome


def _everywhere(name: str, valid: bytes) -> Iterator[Case]:
    """Yield what can go wrong with any message."""
    changes = {
        "cut-by-a-byte": valid[:-1],
        "cut-in-half": valid[: len(valid) // 2],
        "of-its-head-only": valid[:4],
        "with-a-byte-behind": valid + b"\0",
        "twice": valid * 2,
    }
    for change, invalid in changes.items():
        yield _case(f"{name}-{change}", invalid, valid)


def _selectors(messages: dict[str, bytes]) -> Iterator[Case]:
    """Yield numbers that select nothing."""
    public, private = messages["public-message"], messages["private-message"]
    for number in (0, 6, 0xFFFF):
        changed = public[:2] + uint16.encode(number) + public[4:]
        yield _case(f"wire-format-{number}", changed, public)
    # version, wire format, group_id, epoch, then the sender
    sender = 4 + 1 + 16 + 8
    for number in (0, 5, 255):
        changed = public[:sender] + bytes((number,)) + public[sender + 1 :]
        yield _case(f"sender-type-{number}", changed, public)
    # sender type, leaf index, empty authenticated_data
    content = sender + 1 + 4 + 1
    for number in (0, 4, 255):
        changed = public[:content] + bytes((number,)) + public[content + 1 :]
        yield _case(f"content-type-{number}", changed, public)
        changed = private[:sender] + bytes((number,)) + private[sender + 1 :]
        yield _case(f"private-content-type-{number}", changed, private)
    head = public[: content + 1]
    for name, proposals in {
        "proposal-or-ref-type-0": b"\0\0",
        "proposal-or-ref-type-3": b"\3\0",
        "proposal-type-0": b"\1\0\0",
        "proposal-type-8": b"\1\0\x08",
        "proposal-type-of-grease": b"\1\x0a\x0a",
        "psk-type-0": b"\1\0\4\0",
        "psk-type-3": b"\1\0\4\3",
        "psk-usage-0": b"\1\0\4\2\0\0" + bytes(9),
        "psk-usage-4": b"\1\0\4\2\4\0" + bytes(9),
    }.items():
        body = head + encode_opaque(proposals) + b"\0" + bytes(2) + b"\0"
        yield _case(name, body, public)
    path = head + b"\0"
    for presence in (2, 255):
        changed = path + bytes((presence,)) + public[len(path) + 1 :]
        yield _case(f"path-presence-byte-{presence}", changed, public)
    yield from _key_package_selectors(messages["key-package"])


def _key_package_selectors(valid: bytes) -> Iterator[Case]:
    # version and wire format, version and suite, init, encryption and signature key
    credential = 4 + 4 + 3 * 33
    for number in (0, 3, 0x0A0A):
        changed = valid[:credential] + uint16.encode(number) + valid[credential + 2 :]
        yield _case(f"credential-type-{number}", changed, valid)


def _lengths(messages: dict[str, bytes]) -> Iterator[Case]:
    """Yield lengths that are not as short as they can be, or that lead too far."""
    public = messages["public-message"]
    rest = public[5:]
    for name, length in {
        "two-bytes-for-a-length-of-one": uint16.encode(0x4000 | 16),
        "four-bytes-for-a-length-of-one": uint32.encode(0x8000_0000 | 16),
        "length-with-the-prefix-of-eight-bytes": uint64.encode((3 << 62) | 16),
        "length-beyond-the-end": encode_varint(1000),
        "length-far-beyond-the-end": encode_varint((1 << 30) - 1),
    }.items():
        yield _case(name, public[:4] + length + rest, public)
    welcome = messages["welcome"]
    # version, wire format, cipher suite, then a vector of two entries
    for name, length in {
        "vector-beyond-the-end": encode_varint((1 << 26) - 1),
        "vector-above-its-limit": encode_varint((1 << 26) + 1),
        "vector-ends-within-an-element": encode_varint(100),
    }.items():
        yield _case(name, welcome[:6] + length + welcome[8:], welcome)


def _limits(room: Room, messages: dict[str, bytes]) -> Iterator[Case]:
    """Yield fields that are longer than limits.py allows, by one byte."""
    key_package = room.newcomer("Dora").key_package
    leaf = key_package.leaf_node
    valid = encode_message(key_package)

    def oversize(field: bytes, limit: int) -> bytes:
        before, found, after = valid.partition(encode_opaque(field))
        if not found:
            raise ValueError("the field is not in the key package")
        return before + encode_opaque(bytes(limit + 1)) + after

    identity = leaf.credential.encode()[1:]
    for name, field, limit in (
        ("init-key", key_package.init_key, MAX_KEY),
        ("encryption-key", leaf.encryption_key, MAX_KEY),
        ("signature-key", leaf.signature_key, MAX_KEY),
        ("identity", identity, MAX_CREDENTIAL),
        ("leaf-signature", leaf.signature, MAX_SIGNATURE),
        ("signature", key_package.signature, MAX_SIGNATURE),
    ):
        yield _case(f"{name}-above-its-limit", oversize(field, limit), valid)
    public = messages["public-message"]
    long_name = encode_opaque(bytes(MAX_GROUP_ID + 1))
    yield _case(
        "group-id-above-its-limit", public[:4] + long_name + public[21:], public
    )
