"""Cases about GroupInfos that outsiders join by."""

from collections.abc import Iterator
from dataclasses import replace

from tertulia.mls import (
    Extension,
    Extensions,
    ExtensionType,
    Rule,
    encode_message,
)
from tertulia.mls.extension import ExternalPub
from tools.mls_negative.cases import ENCODING, Case, State
from tools.mls_negative.changes import appending, flip
from tools.mls_negative.commits import BAD_KEYS
from tools.mls_negative.forging import Forgery, Landscape, forge_group, new_landscape

ABOUT = "GroupInfos for those who join by an external commit"


def cases() -> Iterator[Case]:
    """Yield all cases of this file."""
    for suite in BAD_KEYS:
        yield from _external_pubs(new_landscape("group infos", suite))
    land = new_landscape("group infos")
    forgeries: dict[str, tuple[Rule | str, Forgery]] = {
        "signature-altered": (
            Rule.GROUP_INFO_SIGNATURE,
            Forgery(signed=lambda info: replace(info, signature=flip(info.signature))),
        ),
        "signature-empty": (
            Rule.GROUP_INFO_SIGNATURE,
            Forgery(signed=lambda info: replace(info, signature=b"")),
        ),
        "signer-blank": (Rule.GROUP_INFO_SIGNATURE, Forgery(signer=7)),
        "signer-another": (Rule.GROUP_INFO_SIGNATURE, Forgery(signer=4)),
        "version": (
            Rule.VERSION,
            Forgery(group_context=lambda context: replace(context, version=2)),
        ),
        "suite": (
            Rule.WELCOME_SUITE,
            Forgery(group_context=lambda context: replace(context, cipher_suite=3)),
        ),
        "tree-hash": (
            Rule.TREE_HASH,
            Forgery(
                group_context=lambda context: replace(context, tree_hash=bytes(32))
            ),
        ),
    }
    for name, (expected, forgery) in forgeries.items():
        yield _case(land, f"joined-by-{name}", expected, _with_pub(land, forgery))
    yield _case(
        land,
        "joined-without-external-pub",
        Rule.EXTERNAL_PUB,
        _made(land, Forgery()),
    )
    yield _case(
        land,
        "joined-without-tree",
        Rule.GROUP_INFO_TREE,
        _made(land, Forgery(extensions=lambda _: (_external_pub(land),))),
    )
    malformed = Extension(ExtensionType.EXTERNAL_PUB, b"\x20")
    yield _case(
        land,
        "joined-by-a-malformed-external-pub",
        ENCODING,
        _made(land, Forgery(extensions=lambda others: (*others, malformed))),
    )


def _case(land: Landscape, name: str, expected: Rule | str, invalid: bytes) -> Case:
    newcomer = State(land.room.newcomer("Karl"))
    valid = _with_pub(land, Forgery())
    return Case(name, expected, "join-externally", newcomer, invalid, valid)


def _made(land: Landscape, forgery: Forgery) -> bytes:
    return encode_message(forge_group(land, forgery).group_info)


def _with_pub(land: Landscape, forgery: Forgery) -> bytes:
    pub = _external_pub(land)

    def with_pub(extensions: Extensions) -> Extensions:
        return (*extensions, pub)

    return _made(land, replace(forgery, extensions=with_pub))


def _external_pub(land: Landscape, key: bytes | None = None) -> Extension:
    if key is None:
        key = land.room.suite.generate_kem_key_pair(land.room.rng).public
    return Extension(ExtensionType.EXTERNAL_PUB, ExternalPub(key).encode())


def _external_pubs(land: Landscape) -> Iterator[Case]:
    suite = land.room.suite.id
    for name, key in BAD_KEYS[suite].items():
        pub = _external_pub(land, key)
        forgery = Forgery(extensions=appending(pub))
        yield _case(
            land,
            f"external-pub-{name}-in-suite-{suite}",
            Rule.EXTERNAL_PUB,
            _made(land, forgery),
        )
