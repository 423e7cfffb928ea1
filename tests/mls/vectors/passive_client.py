"""A client that only listens: what the passive-client vector files describe."""

from typing import NamedTuple

from tertulia.crypto import KeyPair
from tertulia.mls import (
    AcceptEverything,
    Aids,
    ExternalPSK,
    Group,
    Identity,
    KeyPackage,
    KeyPackageSecrets,
    PrivateMessage,
    PSKs,
    PublicMessage,
    ReceivedCommit,
    ReceivedProposal,
    Unverified,
    Welcome,
    decode_message,
    decode_tree,
    join,
    receive,
)
from tertulia.mls.key_package import check_key_package
from tests.mls.vectors.cases import Case, octets, secret
from tests.mls.vectors.tally import Tally

POLICY = AcceptEverything()


class PassiveClient(NamedTuple):
    """A member, and the pre-shared keys it was given by other means."""

    group: Group
    psks: PSKs

    def after(self, data: bytes) -> "PassiveClient":
        """Return the client after a proposal or a commit."""
        message = decode_message(data)
        assert isinstance(message, PublicMessage | PrivateMessage)
        received = receive(self.group, message, POLICY, self.psks)
        assert isinstance(received, ReceivedProposal | ReceivedCommit)
        return self._replace(group=received.group)


def check_private_keys(case: Case, tally: Tally) -> None:
    """Check that the private keys of a case are those of its key package."""
    suite, mine = case.suite, _key_package_secrets(case)
    with tally.accepts():
        check_key_package(mine.key_package, suite)
    leaf = mine.key_package.leaf_node
    public_key = suite.hpke.kem.public_key
    tally.equal(public_key(mine.init_key), mine.key_package.init_key)
    tally.equal(public_key(mine.encryption_key), leaf.encryption_key)
    signature_key = mine.identity.signature_key
    tally.equal(suite.signature.public_key(signature_key.private), leaf.signature_key)


def join_group(case: Case, tally: Tally) -> PassiveClient:
    """Join the group of a case and check that its members agree on the epoch."""
    vector = case.vector
    psks: PSKs = {
        ExternalPSK(octets(psk, "psk_id")): secret(psk, "psk")
        for psk in vector["external_psks"]
    }
    welcome = decode_message(octets(vector, "welcome"))
    assert isinstance(welcome, Welcome)
    tree = None
    if vector["ratchet_tree"] is not None:
        tree = decode_tree(octets(vector, "ratchet_tree"))
    group = join(welcome, _key_package_secrets(case), POLICY, Aids(psks, tree))
    authenticator = secret(vector, "initial_epoch_authenticator")
    tally.equal(group.epoch_authenticator, authenticator)
    _check_keys_fit(group, tally)
    return PassiveClient(group, psks)


def follow(case: Case, tally: Tally) -> None:
    """Join the group of a case and check every epoch that follows."""
    client = join_group(case, tally)
    first = client.group.context.epoch
    for number, epoch in enumerate(case.vector["epochs"], start=first + 1):
        for proposal in epoch["proposals"]:
            client = client.after(bytes.fromhex(proposal))
        client = client.after(octets(epoch, "commit"))
        tally.equal(client.group.context.epoch, number)
        authenticator = secret(epoch, "epoch_authenticator")
        tally.equal(client.group.epoch_authenticator, authenticator)
        _check_keys_fit(client.group, tally)


def _check_keys_fit(group: Group, tally: Tally) -> None:
    """Check that a member holds the keys of its leaf and its path, no more, no less.

    Parents where it is unmerged, and blank ones, have no key that it could know.
    """
    public_key = group.suite.hpke.kem.public_key
    due = {2 * group.leaf_index}
    for node in group.tree.direct_path(group.leaf_index):
        parent = group.tree.parent(node)
        if parent is not None and group.leaf_index not in parent.unmerged_leaves:
            due.add(node)
    tally.equal(set(group.epoch.private_keys.by_node), due)
    for node, key in group.epoch.private_keys.by_node.items():
        tally.equal(public_key(key), group.tree.encryption_key(node))


def _key_package_secrets(case: Case) -> KeyPackageSecrets:
    message = decode_message(octets(case.vector, "key_package"))
    assert isinstance(message, Unverified)
    key_package = message.take_for_checking()
    assert isinstance(key_package, KeyPackage)
    leaf = key_package.leaf_node
    signature_key = KeyPair(secret(case.vector, "signature_priv"), leaf.signature_key)
    return KeyPackageSecrets(
        key_package=key_package,
        identity=Identity(
            case.suite,
            leaf.credential,
            signature_key,
            leaf.capabilities,
            leaf.extensions,
        ),
        init_key=secret(case.vector, "init_priv"),
        encryption_key=secret(case.vector, "encryption_priv"),
    )
