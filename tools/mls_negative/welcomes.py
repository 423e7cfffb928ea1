"""Cases about Welcomes: secrets, pre-shared keys, path secrets, the GroupInfo inside."""

from collections.abc import Callable, Iterator
from dataclasses import replace

from tertulia.crypto import Secret
from tertulia.mls import (
    ExternalPSK,
    KeyPackageSecrets,
    PreSharedKeyID,
    ResumptionPSK,
    ResumptionPSKUsage,
    Rule,
    Welcome,
    encode_message,
)
from tertulia.mls.psk import PSK
from tertulia.mls.treekem import HPKECiphertext
from tertulia.mls.welcome import EncryptedGroupSecrets, GroupSecrets, Newcomer
from tools.mls_negative.cases import ENCODING, UNKNOWN_PSK, Case
from tools.mls_negative.changes import flip
from tools.mls_negative.forging import (
    Forgery,
    Landscape,
    forge,
    forge_group,
    new_landscape,
)

ABOUT = "Welcomes: whom they are for, what opens them, what is inside"


def cases() -> Iterator[Case]:
    """Yield all cases of this file."""
    for suite in (1, 2, 7):
        yield from _entries(new_landscape("welcomes", suite), f"-in-suite-{suite}")
    land = new_landscape("welcomes")
    yield from _group_secrets(land)
    yield from _psks(land)
    yield from _group_infos(land)
    yield from _path_secrets(land)
    yield from _strangers(land)


def _case(land: Landscape, name: str, expected: Rule | str, welcome: Welcome) -> Case:
    return Case(
        name,
        expected,
        "join",
        land.state,
        encode_message(welcome),
        encode_message(forge(land)),
    )


def _entries(land: Landscape, suffix: str) -> Iterator[Case]:
    honest = forge(land)
    (entry,) = honest.secrets
    sealed = entry.encrypted_group_secrets

    def with_entry(changed: EncryptedGroupSecrets) -> Welcome:
        return replace(honest, secrets=(changed,))

    def with_sealed(changed: HPKECiphertext) -> Welcome:
        return with_entry(replace(entry, encrypted_group_secrets=changed))

    other_suite = 3 if land.room.suite.id != 3 else 1
    changes: dict[str, tuple[Rule, Welcome]] = {
        "welcome-of-another-suite": (
            Rule.WELCOME_SUITE,
            replace(honest, cipher_suite=other_suite),
        ),
        "welcome-of-an-unknown-suite": (
            Rule.WELCOME_SUITE,
            replace(honest, cipher_suite=0xFFFF),
        ),
        "welcome-for-nobody": (Rule.WELCOME_RECIPIENT, replace(honest, secrets=())),
        "welcome-for-another-key-package": (
            Rule.WELCOME_RECIPIENT,
            with_entry(replace(entry, new_member=flip(entry.new_member))),
        ),
        "welcome-for-an-empty-reference": (
            Rule.WELCOME_RECIPIENT,
            with_entry(replace(entry, new_member=b"")),
        ),
        "group-secrets-altered": (
            Rule.WELCOME_SECRETS,
            with_sealed(replace(sealed, ciphertext=flip(sealed.ciphertext))),
        ),
        "group-secrets-empty": (
            Rule.WELCOME_SECRETS,
            with_sealed(replace(sealed, ciphertext=b"")),
        ),
        "kem-output-empty": (
            Rule.WELCOME_SECRETS,
            with_sealed(replace(sealed, kem_output=b"")),
        ),
        "kem-output-of-zeros": (
            Rule.WELCOME_SECRETS,
            with_sealed(replace(sealed, kem_output=bytes(len(sealed.kem_output)))),
        ),
        "encrypted-group-info-altered": (
            Rule.WELCOME_SECRETS,
            replace(honest, encrypted_group_info=flip(honest.encrypted_group_info)),
        ),
        "encrypted-group-info-empty": (
            Rule.WELCOME_SECRETS,
            replace(honest, encrypted_group_info=b""),
        ),
    }
    for name, (rule, welcome) in changes.items():
        yield _case(land, f"{name}{suffix}", rule, welcome)


def _sealed(land: Landscape, honest: Welcome, secrets: bytes) -> Welcome:
    """Return the Welcome with other group secrets, encrypted as they should be."""
    mine = land.room.state.mine.key_package
    ciphertext = land.room.suite.encrypt_with_label(
        mine.init_key, "Welcome", honest.encrypted_group_info, secrets, land.room.rng
    )
    (entry,) = honest.secrets
    changed = replace(entry, encrypted_group_secrets=HPKECiphertext(*ciphertext))
    return replace(honest, secrets=(changed,))


def _group_secrets(land: Landscape) -> Iterator[Case]:
    forged = forge_group(land)
    mine = land.room.state.mine.key_package
    honest = forged.welcome(Newcomer(mine, None), land.room.rng)
    right = GroupSecrets(forged.keys.joiner_secret, None, ())
    wrong_joiner = replace(right, joiner_secret=Secret(bytes(32)))
    encoded = right.encode()
    changes: dict[str, tuple[Rule | str, bytes]] = {
        "joiner-secret-of-zeros": (Rule.WELCOME_SECRETS, wrong_joiner.encode()),
        "joiner-secret-empty": (
            Rule.WELCOME_SECRETS,
            replace(right, joiner_secret=Secret(b"")).encode(),
        ),
        "group-secrets-cut": (ENCODING, encoded[:-1]),
        "group-secrets-with-bytes-behind": (ENCODING, encoded + b"\0"),
        "group-secrets-nothing": (ENCODING, b""),
        "group-secrets-presence-byte-2": (ENCODING, encoded[:-2] + b"\2\0"),
    }
    for name, (expected, secrets) in changes.items():
        yield _case(land, name, expected, _sealed(land, honest, secrets))
    # A GroupInfo that opens under the right key but was altered all the same.
    without_context = replace(
        honest, encrypted_group_info=flip(honest.encrypted_group_info)
    )
    yield _case(
        land,
        "group-info-does-not-open",
        Rule.WELCOME_SECRETS,
        _sealed(land, without_context, encoded),
    )


def _psks(land: Landscape) -> Iterator[Case]:
    size = land.room.suite.kdf.size

    def named(psk: PSK) -> PreSharedKeyID:
        return PreSharedKeyID(psk, land.room.rng(size))

    def resumption(usage: ResumptionPSKUsage, name: bytes) -> PreSharedKeyID:
        return named(ResumptionPSK(usage, name, 1))

    branch, reinit = ResumptionPSKUsage.BRANCH, ResumptionPSKUsage.REINIT
    yield _case(
        land,
        "welcome-with-an-unknown-psk",
        UNKNOWN_PSK,
        forge(land, Forgery(psk_ids=(named(ExternalPSK(b"unknown")),))),
    )
    lists = {
        "welcome-with-two-branches": (
            resumption(branch, b"one"),
            resumption(branch, b"two"),
        ),
        "welcome-with-branch-and-reinit": (
            resumption(branch, b"one"),
            resumption(reinit, b"two"),
        ),
        "welcome-with-two-reinits": (
            resumption(reinit, b"one"),
            resumption(reinit, b"two"),
        ),
        "welcome-with-a-branch-nobody-asked-for": (resumption(branch, b"one"),),
    }
    for name, psk_ids in lists.items():
        yield _case(
            land, name, Rule.WELCOME_PSKS, forge(land, Forgery(psk_ids=psk_ids))
        )


def _group_infos(land: Landscape) -> Iterator[Case]:
    keys = land.signature_keys
    forgeries: dict[str, tuple[Rule, Forgery]] = {
        "group-info-signature-altered": (
            Rule.GROUP_INFO_SIGNATURE,
            Forgery(signed=lambda info: replace(info, signature=flip(info.signature))),
        ),
        "group-info-signature-empty": (
            Rule.GROUP_INFO_SIGNATURE,
            Forgery(signed=lambda info: replace(info, signature=b"")),
        ),
        "group-info-signed-by-another": (
            Rule.GROUP_INFO_SIGNATURE,
            Forgery(signature_key=keys[2]),
        ),
        "group-info-signer-blank": (Rule.GROUP_INFO_SIGNATURE, Forgery(signer=7)),
        "group-info-signer-beyond-the-tree": (
            Rule.GROUP_INFO_SIGNATURE,
            Forgery(signer=8),
        ),
        "group-info-signer-far-beyond-the-tree": (
            Rule.GROUP_INFO_SIGNATURE,
            Forgery(signer=2**32 - 1),
        ),
        "group-info-confirmation-tag-altered": (
            Rule.CONFIRMATION_TAG,
            Forgery(confirmation_tag=flip),
        ),
        "group-info-confirmation-tag-empty": (
            Rule.CONFIRMATION_TAG,
            Forgery(confirmation_tag=lambda _: b""),
        ),
        "group-info-without-a-tree": (
            Rule.GROUP_INFO_TREE,
            Forgery(extensions=lambda _: ()),
        ),
        "group-info-extension-twice": (
            Rule.EXTENSION_ONCE,
            Forgery(extensions=lambda extensions: extensions * 2),
        ),
        "group-info-of-another-suite": (
            Rule.WELCOME_SUITE,
            Forgery(group_context=lambda context: replace(context, cipher_suite=3)),
        ),
        "group-info-of-another-version": (
            Rule.VERSION,
            Forgery(group_context=lambda context: replace(context, version=2)),
        ),
    }
    for name, (rule, forgery) in forgeries.items():
        yield _case(land, name, rule, forge(land, forgery))


def _path_secrets(land: Landscape) -> Iterator[Case]:
    secrets = {
        "path-secret-that-does-not-fit": Secret(bytes(32)),
        "path-secret-empty": Secret(b""),
    }
    for name, secret in secrets.items():
        yield _case(
            land,
            name,
            Rule.WELCOME_PATH_SECRET,
            forge(land, Forgery(path_secret=secret)),
        )


def _strangers(land: Landscape) -> Iterator[Case]:
    """Yield Welcomes into trees where Ben is not, or is not as he said."""

    def without_ben(change: Callable[[Landscape], Landscape]) -> Welcome:
        return forge(change(land))

    mine: KeyPackageSecrets = land.room.state.mine
    keys = {**land.signature_keys, 1: mine.identity.signature_key.private}
    knowing = replace(land, signature_keys=keys)
    yield _case(
        land,
        "joiner-not-in-the-tree",
        Rule.WELCOME_LEAF,
        without_ben(lambda found: found.with_node(2, None).linked()),
    )
    renamed = knowing.with_leaf(
        1,
        lambda leaf: replace(
            leaf, capabilities=replace(leaf.capabilities, proposals=(0xF0F0,))
        ),
    )
    yield _case(land, "joiner-with-another-leaf", Rule.WELCOME_LEAF, forge(renamed))
