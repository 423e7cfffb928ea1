"""How each operation of the table is carried out, so that the table cannot go stale.

A probe gets the engine it is about and the other one. It lives through a small group,
with a member of the other engine wherever that one can follow, so that no engine is its
own witness. It ends quietly where the operation works.
"""

from collections.abc import Callable

from tests.interop.oracles.availability import MLS_RS
from tests.interop.oracles.groups import (
    carry_out,
    found,
    leaf_of,
    propose,
    require_agreement,
    require_delivery,
    welcome,
)
from tests.interop.oracles.oracle import (
    Add,
    ApplicationMessage,
    Engine,
    EpochEntered,
    Extension,
    ExternalPsk,
    Framing,
    GroupContextExtensions,
    GroupReInitialised,
    Member,
    MemberRemoved,
    Oracle,
    Proposal,
    ProposalCached,
    ReInit,
    Remove,
    ResumptionPsk,
    Sending,
    Update,
    Usage,
)

Probe = Callable[[Engine, Engine], None]

PSK_ID = b"psk id"
PSK = b"psk of thirty-two bytes or more.."
EXTENSION = Extension(0xF0F0, b"extension data")
REQUIRE_BASIC = Extension(3, b"\x00\x00\x02\x00\x01")  # required_capabilities
PRIVATE = Sending(framing=Framing.PRIVATE)
PUBLIC = Sending(framing=Framing.PUBLIC)


def _pair(engine: Engine, other: Engine) -> tuple[Oracle, Oracle]:
    alice, bob = engine.member(b"alice"), other.member(b"bob")
    found(alice, bob)
    return alice, bob


def _three(engine: Engine, other: Engine) -> tuple[Oracle, Oracle, Oracle]:
    alice, bob, carol = (
        engine.member(b"alice"),
        other.member(b"bob"),
        engine.member(b"carol"),
    )
    found(alice, bob, carol)
    return alice, bob, carol


def _with_psk(engine: Engine) -> tuple[Oracle, Oracle]:
    alice, bob = _pair(engine, engine)
    for member in (alice, bob):
        member.add_external_psk(PSK_ID, PSK)
    return alice, bob


def create_a_group(engine: Engine, other: Engine) -> None:
    alice, bob = _pair(engine, other)
    require_agreement(alice, bob)
    require_delivery(alice, bob)
    require_delivery(bob, alice)


def create_with_extensions(engine: Engine, other: Engine) -> None:
    alice, bob = engine.member(b"alice"), other.member(b"bob")
    alice.create_group(b"group", (REQUIRE_BASIC,))
    carry_out(alice, (), joiners=(bob,))
    require_agreement(alice, bob)


def extension_types(engine: Engine, _other: Engine) -> None:
    alice, bob = (
        engine.member(identity, extension_types=(EXTENSION.extension_type,))
        for identity in (b"alice", b"bob")
    )
    alice.create_group(b"group", (EXTENSION,))
    carry_out(alice, (), joiners=(bob,))
    require_agreement(alice, bob)


def join_tree_inside(engine: Engine, other: Engine) -> None:
    alice, bob = other.member(b"alice"), engine.member(b"bob")
    alice.create_group(b"group")
    output = carry_out(alice, (), joiners=(bob,))
    assert output.ratchet_tree is None
    require_agreement(alice, bob)


def join_tree_apart(engine: Engine, other: Engine) -> None:
    alice = other.member(b"alice", tree_in_welcome=False)
    bob = engine.member(b"bob")
    alice.create_group(b"group")
    output = carry_out(alice, (), joiners=(bob,))
    assert output.ratchet_tree is not None
    require_agreement(alice, bob)


def join_with_unmerged_leaves(engine: Engine, other: Engine) -> None:
    """A leaf is unmerged at a node, but no longer at the root above it."""
    alice, *others = (other.member(b"member %d" % number) for number in range(5))
    found(alice, *others)
    removed, eve = others.pop(2), others[-1]
    carry_out(alice, others, Remove(leaf_of(removed, alice)))
    frank = other.member(b"frank")
    carry_out(alice, others, joiners=(frank,))
    others.append(frank)
    carry_out(eve, [alice, *(member for member in others if member is not eve)])
    late = engine.member(b"late")
    carry_out(alice, others, joiners=(late,))
    require_agreement(alice, late, *others)


def external_join_tree_inside(engine: Engine, other: Engine) -> None:
    alice, bob = _pair(engine, other)
    carol = engine.member(b"carol")
    commit = carol.external_join(
        alice.group_info(external_pub=True, ratchet_tree=True),
        authenticated_data=b"authenticated",
    )
    _take_external_commit(commit, carol, alice, bob)


def external_join_tree_apart(engine: Engine, other: Engine) -> None:
    alice, bob = _pair(engine, other)
    carol = engine.member(b"carol")
    commit = carol.external_join(
        alice.group_info(external_pub=True, ratchet_tree=False), alice.ratchet_tree()
    )
    _take_external_commit(commit, carol, alice, bob)


def external_join_resync(engine: Engine, other: Engine) -> None:
    alice, bob, carol = _three(engine, other)
    group_info = alice.group_info(external_pub=True, ratchet_tree=True)
    commit = carol.external_join(group_info, resync=True)
    _take_external_commit(commit, carol, alice, bob)
    assert len(alice.members()) == 3


def external_join_psk(engine: Engine, other: Engine) -> None:
    alice, bob = _pair(engine, other)
    carol = engine.member(b"carol")
    for member in (alice, bob, carol):
        member.add_external_psk(PSK_ID, PSK)
    group_info = alice.group_info(external_pub=True, ratchet_tree=True)
    commit = carol.external_join(group_info, external_psks=(PSK_ID,))
    _take_external_commit(commit, carol, alice, bob)


def _take_external_commit(commit: bytes, joiner: Oracle, *members: Oracle) -> None:
    for member in members:
        assert member.process(commit) == EpochEntered()
    joiner.apply_pending_commit()
    require_agreement(joiner, *members)
    require_delivery(joiner, *members)


def propose_own_add(engine: Engine, _other: Engine) -> None:
    alice, bob = _pair(engine, engine)
    carol = engine.member(b"carol")
    group_info = alice.group_info(external_pub=True, ratchet_tree=True)
    proposal = carol.propose_own_add(group_info)
    for member in (alice, bob):
        assert member.process(proposal) == ProposalCached()
    welcome(carry_out(alice, (bob,)), (carol,))
    require_agreement(alice, bob, carol)


def commit_adds(engine: Engine, other: Engine) -> None:
    alice, bob = _pair(engine, other)
    joiners = (engine.member(b"carol"), other.member(b"dave"))
    carry_out(alice, (bob,), joiners=joiners)
    require_agreement(alice, bob, *joiners)


def commit_removes(engine: Engine, other: Engine) -> None:
    alice, bob, carol = _three(engine, other)
    output = carry_out(alice, (bob,), Remove(leaf_of(carol, alice)))
    assert carol.process(output.commit) == MemberRemoved()
    require_agreement(alice, bob)


def commit_add_and_remove(engine: Engine, other: Engine) -> None:
    alice, bob, carol = _three(engine, other)
    dave = other.member(b"dave")
    carry_out(alice, (bob,), Remove(leaf_of(carol, alice)), joiners=(dave,))
    require_agreement(alice, bob, dave)


def commit_path(engine: Engine, other: Engine) -> None:
    alice, bob = _pair(engine, other)
    before = alice.ratchet_tree()
    carry_out(alice, (bob,))
    assert alice.ratchet_tree() != before
    require_agreement(alice, bob)


def commit_external_psk(engine: Engine, _other: Engine) -> None:
    alice, bob = _with_psk(engine)
    carry_out(alice, (bob,), ExternalPsk(PSK_ID))
    require_agreement(alice, bob)


def commit_resumption_psk(engine: Engine, _other: Engine) -> None:
    alice, bob = _pair(engine, engine)
    carry_out(alice, (bob,))
    carry_out(alice, (bob,), ResumptionPsk(1))
    require_agreement(alice, bob)


def commit_extensions(engine: Engine, other: Engine) -> None:
    alice, bob = _pair(engine, other)
    carry_out(alice, (bob,), GroupContextExtensions((REQUIRE_BASIC,)))
    require_agreement(alice, bob)


def commit_reinit(engine: Engine, other: Engine) -> None:
    alice, bob = _pair(engine, other)
    output = alice.commit((ReInit(b"next"),))
    assert bob.process(output.commit) == GroupReInitialised()
    alice.apply_pending_commit()
    require_agreement(alice, bob)


def commit_cached(engine: Engine, other: Engine) -> None:
    alice, bob, carol = _three(engine, other)
    dave = engine.member(b"dave")
    propose(bob, (alice, carol), Add(dave.key_package()))
    output = carry_out(alice, (bob, carol))
    welcome(output, (dave,))
    require_agreement(alice, bob, carol, dave)


def propose_add(engine: Engine, other: Engine) -> None:
    alice, bob = _pair(engine, other)
    carol = other.member(b"carol")
    propose(alice, (bob,), Add(carol.key_package()))
    welcome(carry_out(bob, (alice,)), (carol,))
    require_agreement(alice, bob, carol)


def propose_remove(engine: Engine, other: Engine) -> None:
    alice, bob, carol = _three(engine, other)
    propose(alice, (bob, carol), Remove(leaf_of(carol, alice)))
    output = carry_out(bob, (alice,))
    assert carol.process(output.commit) == MemberRemoved()
    require_agreement(alice, bob)


def propose_update(engine: Engine, other: Engine) -> None:
    alice, bob = _pair(engine, other)
    propose(alice, (bob,), Update())
    carry_out(bob, (alice,))
    carry_out(bob, (alice,))  # opens only with the new leaf key
    require_agreement(alice, bob)


def propose_psk(engine: Engine, _other: Engine) -> None:
    alice, bob = _with_psk(engine)
    _propose_and_commit(alice, bob, ExternalPsk(PSK_ID))


def propose_extensions(engine: Engine, other: Engine) -> None:
    alice, bob = _pair(engine, other)
    _propose_and_commit(alice, bob, GroupContextExtensions((REQUIRE_BASIC,)))


def propose_reinit(engine: Engine, other: Engine) -> None:
    alice, bob = _pair(engine, other)
    propose(alice, (bob,), ReInit(b"next"))
    output = bob.commit()
    assert alice.process(output.commit) == GroupReInitialised()
    bob.apply_pending_commit()
    require_agreement(alice, bob)


def _propose_and_commit(alice: Oracle, bob: Oracle, proposal: Proposal) -> None:
    propose(alice, (bob,), proposal)
    carry_out(bob, (alice,))
    require_agreement(alice, bob)


def send_public(engine: Engine, other: Engine) -> None:
    alice, bob = _pair(engine, other)
    output = carry_out(alice, (bob,), sending=PUBLIC)
    assert output.commit[:4] == bytes.fromhex("00010001")
    require_agreement(alice, bob)


def send_private(engine: Engine, other: Engine) -> None:
    alice, bob = _pair(engine, other)
    output = carry_out(alice, (bob,), sending=PRIVATE)
    assert output.commit[:4] == bytes.fromhex("00010002")
    require_agreement(alice, bob)


def receive_public(engine: Engine, other: Engine) -> None:
    alice, bob = _pair(engine, other)
    carry_out(bob, (alice,), sending=PUBLIC)
    require_agreement(alice, bob)


def receive_private(engine: Engine, other: Engine) -> None:
    alice, bob = _pair(engine, _versatile(engine, other))
    carry_out(bob, (alice,), sending=PRIVATE)
    require_agreement(alice, bob)


def _versatile(engine: Engine, other: Engine) -> Engine:
    """Not mls-rs, if one of the two is not: it sends least."""
    return engine if other.name == MLS_RS else other


def authenticate_handshake(engine: Engine, other: Engine) -> None:
    alice, bob = _pair(engine, other)
    sending = Sending(framing=Framing.PUBLIC, authenticated_data=b"authenticated")
    output = carry_out(alice, (bob,), sending=sending)
    assert b"authenticated" in output.commit


def authenticate_message(engine: Engine, other: Engine) -> None:
    alice, bob = _pair(engine, other)
    message = alice.send(b"text", b"authenticated")
    assert b"authenticated" in message
    assert isinstance(bob.process(message), ApplicationMessage)


def tell_authenticated_data(engine: Engine, _other: Engine) -> None:
    alice, bob = _pair(engine, engine)
    message = alice.send(b"text", b"authenticated")
    assert bob.process(message) == ApplicationMessage(b"text", b"authenticated")


def process_external_commit(engine: Engine, other: Engine) -> None:
    joiners = _versatile(engine, other)
    alice, bob = joiners.member(b"alice"), engine.member(b"bob")
    found(alice, bob)
    carol = joiners.member(b"carol")
    group_info = alice.group_info(external_pub=True, ratchet_tree=True)
    _take_external_commit(carol.external_join(group_info), carol, alice, bob)


def process_external_proposal(engine: Engine, other: Engine) -> None:
    joiners = _versatile(engine, other)
    alice, bob = joiners.member(b"alice"), engine.member(b"bob")
    found(alice, bob)
    group_info = alice.group_info(external_pub=True, ratchet_tree=True)
    proposal = joiners.member(b"carol").propose_own_add(group_info)
    assert bob.process(proposal) == ProposalCached()


def process_reinit(engine: Engine, other: Engine) -> None:
    commit_reinit(_versatile(engine, other), engine)


def be_removed(engine: Engine, other: Engine) -> None:
    alice, bob = _pair(other, engine)
    output = alice.commit((Remove(leaf_of(bob, alice)),))
    assert bob.process(output.commit) == MemberRemoved()


def be_removed_and_replaced(engine: Engine, other: Engine) -> None:
    senders = _versatile(engine, other)
    alice, bob = _pair(senders, engine)
    replacement = Add(senders.member(b"carol").key_package())
    output = alice.commit((Remove(leaf_of(bob, alice)), replacement))
    assert bob.process(output.commit) == MemberRemoved()


def read_out_of_order(engine: Engine, other: Engine) -> None:
    alice, bob = _pair(other, engine)
    messages = [alice.send(b"message %d" % number) for number in range(5)]
    for number in (4, 1, 3, 0, 2):
        event = bob.process(messages[number])
        assert isinstance(event, ApplicationMessage)
        assert event.plaintext == b"message %d" % number


def read_earlier_epoch(engine: Engine, other: Engine) -> None:
    alice, bob = _pair(other, engine)
    message = alice.send(b"late")
    carry_out(alice, (bob,))
    event = bob.process(message)
    assert isinstance(event, ApplicationMessage)
    assert event.plaintext == b"late"


def drop_own_commit(engine: Engine, other: Engine) -> None:
    alice, bob = _pair(engine, other)
    alice.commit()
    carry_out(bob, (alice,))
    require_agreement(alice, bob)
    carry_out(alice, (bob,))
    require_agreement(alice, bob)


def clear_pending(engine: Engine, other: Engine) -> None:
    alice, bob = _pair(engine, other)
    before = alice.exporter("label", b"", 32)
    alice.commit()
    alice.clear_pending_commit()
    assert alice.exporter("label", b"", 32) == before
    carry_out(alice, (bob,))
    require_agreement(alice, bob)


def exporter(engine: Engine, other: Engine) -> None:
    alice, bob = _pair(engine, other)
    for label, context, length in (("one", b"", 16), ("two", b"context", 300)):
        secret = alice.exporter(label, context, length)
        assert len(secret) == length
        assert secret == bob.exporter(label, context, length)


def epoch(engine: Engine, other: Engine) -> None:
    alice, bob = _pair(engine, other)
    assert alice.epoch() == 1
    carry_out(bob, (alice,))
    assert alice.epoch() == 2


def epoch_authenticator(engine: Engine, _other: Engine) -> None:
    alice, bob = _pair(engine, engine)
    assert alice.epoch_authenticator() == bob.epoch_authenticator()


def member_list(engine: Engine, other: Engine) -> None:
    alice, bob, carol = _three(engine, other)
    carry_out(alice, (carol,), Remove(leaf_of(bob, alice)))
    assert alice.members() == (Member(0, b"alice"), Member(2, b"carol"))


def ratchet_tree(engine: Engine, other: Engine) -> None:
    alice, bob = _pair(engine, other)
    carry_out(bob, (alice,))
    assert alice.ratchet_tree() == bob.ratchet_tree()


def group_info(engine: Engine, other: Engine) -> None:
    alice, _bob = _pair(engine, other)
    tree = alice.ratchet_tree()
    for external_pub in (True, False):
        for inside in (True, False):
            told = alice.group_info(external_pub=external_pub, ratchet_tree=inside)
            assert told[:4] == bytes.fromhex("00010004")
            assert (tree in told) == inside


def store_and_load(engine: Engine, other: Engine) -> None:
    alice, bob = _pair(other, engine)
    late = alice.send(b"late")
    bob.reload()
    carry_out(bob, (alice,))
    bob.reload()
    carry_out(alice, (bob,))
    require_agreement(alice, bob)
    require_delivery(bob, alice)
    assert isinstance(bob.process(late), ApplicationMessage)


def branch(engine: Engine, _other: Engine) -> None:
    alice, bob, _carol = _three(engine, engine)
    _resume(Usage.BRANCH, alice, bob)


def go_on_after_reinit(engine: Engine, _other: Engine) -> None:
    alice, bob = _pair(engine, engine)
    output = alice.commit((ReInit(b"next"),))
    bob.process(output.commit)
    alice.apply_pending_commit()
    _resume(Usage.REINIT, alice, bob)


def _resume(usage: Usage, alice: Oracle, bob: Oracle) -> None:
    resumed = alice.resume(usage, b"next", (bob.key_package(),))
    joined = bob.join_resumed(usage, resumed.welcome, resumed.ratchet_tree)
    require_agreement(resumed.member, joined)
    require_delivery(joined, resumed.member)


PROBES: dict[str, Probe] = {
    "create a group": create_a_group,
    "create a group with extensions": create_with_extensions,
    "list extension types in the leaf's capabilities": extension_types,
    "join by Welcome, tree inside": join_tree_inside,
    "join by Welcome, tree apart": join_tree_apart,
    "join where ancestors differ in unmerged leaves": join_with_unmerged_leaves,
    "external join, tree inside": external_join_tree_inside,
    "external join, tree apart": external_join_tree_apart,
    "external join, resync": external_join_resync,
    "external join with a PSK": external_join_psk,
    "propose the own Add from outside": propose_own_add,
    "commit Adds": commit_adds,
    "commit Removes": commit_removes,
    "commit an Add and a Remove": commit_add_and_remove,
    "commit nothing but a path": commit_path,
    "commit an external PSK": commit_external_psk,
    "commit a resumption PSK": commit_resumption_psk,
    "commit GroupContextExtensions": commit_extensions,
    "commit ReInit": commit_reinit,
    "commit cached proposals": commit_cached,
    "propose Add": propose_add,
    "propose Remove": propose_remove,
    "propose Update": propose_update,
    "propose an external PSK": propose_psk,
    "propose GroupContextExtensions": propose_extensions,
    "propose ReInit": propose_reinit,
    "send handshakes as PublicMessage": send_public,
    "send handshakes as PrivateMessage": send_private,
    "receive handshakes as PublicMessage": receive_public,
    "receive handshakes as PrivateMessage": receive_private,
    "send authenticated data with a handshake": authenticate_handshake,
    "send authenticated data with a message": authenticate_message,
    "tell the authenticated data of a message": tell_authenticated_data,
    "process an external commit": process_external_commit,
    "process an external proposal": process_external_proposal,
    "process ReInit": process_reinit,
    "be removed": be_removed,
    "be removed where the leaf is taken again at once": be_removed_and_replaced,
    "read messages out of order": read_out_of_order,
    "read a message of an earlier epoch": read_earlier_epoch,
    "drop an own commit for another's": drop_own_commit,
    "clear a pending commit": clear_pending,
    "exporter": exporter,
    "epoch": epoch,
    "epoch authenticator": epoch_authenticator,
    "member list": member_list,
    "ratchet tree": ratchet_tree,
    "GroupInfo": group_info,
    "store and load": store_and_load,
    "branch": branch,
    "go on after ReInit": go_on_after_reinit,
}
