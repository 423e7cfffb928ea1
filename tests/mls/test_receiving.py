from dataclasses import replace
from typing import Any

import pytest

from tertulia.codec import CodecError
from tertulia.crypto import KeyPair
from tertulia.mls import (
    PUBLIC,
    Add,
    BasicCredential,
    ByValue,
    Commit,
    CommitPlan,
    Extension,
    ExternalInit,
    ExternalJoin,
    ExternalSender,
    ExternalSenderIndex,
    Framing,
    Group,
    GroupContextExtensions,
    MemberSender,
    MisuseError,
    NewMemberCommit,
    NewMemberProposal,
    OutOfStepError,
    PrivateMessage,
    PublicMessage,
    ReceivedApplication,
    ReceivedCommit,
    ReceivedProposal,
    ReInit,
    Remove,
    RemovedFromGroup,
    Rule,
    Sender,
    Unverified,
    commit,
    decode_message,
    encode_message,
    external_senders_extension,
    join_externally,
    make_group_info,
    propose,
    propose_update,
    protect,
    receive,
)
from tertulia.mls.framing import (
    ApplicationContent,
    AuthenticatedContent,
    CommitContent,
    Content,
    FramedContent,
    FramedContentAuthData,
    ProposalContent,
    WireFormat,
    sign,
    with_confirmation_tag,
)
from tertulia.mls.public_message import make_public_message
from tertulia.mls.sending import frame, sign_content
from tests.mls.world import (
    ANYTHING,
    PICKY,
    SUITE,
    adds,
    agree,
    follow,
    group_of,
    grown,
    hear,
    identity,
    key_package,
    make,
    refused,
    seeded,
    unchanged,
)

RNG = seeded("receiving")
RELAY = identity("the relay")
RELAY_SENDS = external_senders_extension(
    [ExternalSender(RELAY.signature_key.public, RELAY.credential)]
)
REMOVE_LUIS = ProposalContent(Remove(1))


def from_outside(
    group: Group,
    sender: Sender,
    content: Content,
    key: KeyPair = RELAY.signature_key,
) -> PublicMessage:
    """Return a public message that carries no membership tag."""
    framed = FramedContent(
        group.context.group_id, group.context.epoch, sender, b"", content
    )
    wire_format = WireFormat.PUBLIC_MESSAGE
    signed = sign(SUITE, key.private, wire_format, framed, group.context)
    if isinstance(content, CommitContent):
        signed = with_confirmation_tag(signed, b"tag")
    return PublicMessage(signed.content, signed.auth)


def public(group: Group, signed: AuthenticatedContent) -> PublicMessage:
    key = group.epoch.secrets.membership_key
    return make_public_message(SUITE, key, signed, group.context)


def public_commit(group: Group, plan: CommitPlan | None = None) -> PublicMessage:
    plan = replace(plan or CommitPlan(), framing=PUBLIC)
    message = make(group, plan).message
    assert isinstance(message, PublicMessage)
    return message


def forged_commit(group: Group, message: PublicMessage, **what: Any) -> PublicMessage:
    """Return a member's commit with other fields, as that member can sign and tag it."""
    content = message.content.content
    assert isinstance(content, CommitContent)
    commit = replace(content.commit, **what)
    signed = sign_content(group, CommitContent(commit), PUBLIC)
    tag = message.auth.confirmation_tag
    assert tag is not None
    return public(group, with_confirmation_tag(signed, tag))


def test_a_message_arrives_through_its_bytes() -> None:
    ana, luis = group_of("Ana", "Luis")
    _, sent = protect(ana, b"hello", RNG)
    message = decode_message(encode_message(sent))
    assert isinstance(message, PrivateMessage)
    received = receive(luis, message, ANYTHING)
    assert isinstance(received, ReceivedApplication)
    assert received.data == b"hello"


def test_receiving_leaves_the_old_group_as_it_was() -> None:
    ana, luis = group_of("Ana", "Luis")
    _, said = protect(ana, b"hello", RNG)
    _, proposed = propose(ana, Remove(1), RNG)
    made = make(ana)
    with unchanged(luis):
        for message in (said, proposed, made.message):
            receive(luis, message, ANYTHING)
        with refused(Rule.GROUP_ID):
            receive(luis, replace(said, group_id=b"other"), ANYTHING)


def test_a_message_is_received_once() -> None:
    ana, luis = group_of("Ana", "Luis")
    _, message = protect(ana, b"hello", RNG)
    received = receive(luis, message, ANYTHING)
    assert isinstance(received, ReceivedApplication)
    with refused(Rule.GENERATION):
        receive(received.group, message, ANYTHING)


def test_messages_may_overtake_each_other() -> None:
    ana, luis = group_of("Ana", "Luis")
    messages = []
    for number in range(4):
        ana, message = protect(ana, b"%d" % number, RNG)
        messages.append(message)
    heard = []
    for number in (2, 0, 3, 1):
        received = receive(luis, messages[number], ANYTHING)
        assert isinstance(received, ReceivedApplication)
        luis = received.group
        heard.append(received.data)
    assert heard == [b"2", b"0", b"3", b"1"]


@pytest.mark.parametrize("framing", [Framing(), PUBLIC])
def test_a_message_names_group_and_epoch(framing: Framing) -> None:
    ana, luis = group_of("Ana", "Luis")
    later = make(luis).after
    message = make(ana, CommitPlan(framing=framing)).message
    with refused(Rule.EPOCH):
        receive(later, message, ANYTHING)
    elsewhere = replace(
        luis, epoch=replace(luis.epoch, context=replace(luis.context, group_id=b"b"))
    )
    with refused(Rule.GROUP_ID):
        receive(elsewhere, message, ANYTHING)


def test_nobody_receives_a_message_of_their_own() -> None:
    ana = group_of("Ana", "Luis")[0]
    with pytest.raises(MisuseError):
        receive(ana, public_commit(ana), ANYTHING)
    after, message = protect(ana, b"hello", RNG)
    with refused(Rule.GENERATION):
        receive(after, message, ANYTHING)


@pytest.mark.parametrize("framing", [Framing(), PUBLIC])
def test_a_forgery_in_my_name_is_refused_by_me_as_by_all_others(
    framing: Framing,
) -> None:
    ana, luis, eva = group_of("Ana", "Luis", "Eva")
    # Luis knows all keys but Ana's for signing.
    private = replace(luis.epoch.private_keys, leaf_index=0)
    as_ana = replace(luis, epoch=replace(luis.epoch, private_keys=private))
    _, forgery = frame(as_ana, sign_content(as_ana, REMOVE_LUIS, framing), 0, RNG)
    for group in (ana, eva):
        with refused(Rule.SIGNATURE):
            receive(group, forgery, ANYTHING)


def test_a_sender_must_be_a_member() -> None:
    groups = grown("Ana", "Luis", "Eva")
    private = replace(groups[0].epoch.private_keys, leaf_index=3)
    nobody = replace(groups[0], epoch=replace(groups[0].epoch, private_keys=private))
    _, message = frame(nobody, sign_content(nobody, REMOVE_LUIS, PUBLIC), 0, RNG)
    with refused(Rule.SENDER_LEAF):
        receive(groups[1], message, ANYTHING)


def test_application_data_in_public_is_refused() -> None:
    ana, luis = group_of("Ana", "Luis")
    signed = sign_content(ana, ApplicationContent(b"hello"), PUBLIC)
    message = PublicMessage(signed.content, signed.auth, bytes(32))
    with refused(Rule.PUBLIC_APPLICATION):
        receive(luis, message, ANYTHING)


def with_relay() -> list[Group]:
    groups = group_of("Ana", "Luis", "Eva")
    plan = CommitPlan([GroupContextExtensions((RELAY_SENDS,))])
    return follow(groups, make(groups[0], plan))


def test_an_external_sender_proposes_and_a_member_commits() -> None:
    groups = with_relay()
    message = from_outside(groups[0], ExternalSenderIndex(0), REMOVE_LUIS)
    heard = []
    for group in groups:
        received = receive(group, message, ANYTHING)
        assert isinstance(received, ReceivedProposal)
        assert received.sent.sender == ExternalSenderIndex(0)
        heard.append(received.group)
    (reference,) = heard[0].traffic.proposals
    made = make(heard[0], CommitPlan(references=[reference]))
    assert len(follow(heard, made)) == 2
    assert agree(follow(heard, made))


def test_an_external_sender_must_be_listed() -> None:
    groups = with_relay()
    with refused(Rule.EXTERNAL_SENDER):
        receive(
            groups[0],
            from_outside(groups[0], ExternalSenderIndex(1), REMOVE_LUIS),
            ANYTHING,
        )
    unlisted = group_of("Ana", "Luis")[0]
    with refused(Rule.EXTERNAL_SENDER):
        receive(
            unlisted,
            from_outside(unlisted, ExternalSenderIndex(0), REMOVE_LUIS),
            ANYTHING,
        )


def test_an_external_sender_signs_with_the_key_it_is_listed_by() -> None:
    ana = with_relay()[0]
    key = identity("Mallory").signature_key
    with refused(Rule.SIGNATURE):
        receive(
            ana, from_outside(ana, ExternalSenderIndex(0), REMOVE_LUIS, key), ANYTHING
        )


def test_a_malformed_list_of_external_senders_gets_into_no_group() -> None:
    ana = group_of("Ana", "Luis")[0]
    extensions = (Extension(5, b"\5"),)
    with pytest.raises(CodecError):
        make(ana, CommitPlan([GroupContextExtensions(extensions)]))


def test_external_senders_propose_only_what_they_may() -> None:
    ana = with_relay()[0]
    content = ProposalContent(ExternalInit(b"kem output"))
    with refused(Rule.PROPOSAL_SENDER):
        receive(ana, from_outside(ana, ExternalSenderIndex(0), content), ANYTHING)


def test_somebody_outside_proposes_to_be_added() -> None:
    groups = group_of("Ana", "Luis")
    eva = identity("Eva").signature_key
    content = ProposalContent(Add(key_package("Eva").key_package))
    message = from_outside(groups[0], NewMemberProposal(), content, eva)
    received = receive(groups[0], message, ANYTHING)
    assert isinstance(received, ReceivedProposal)
    assert received.sent.sender == NewMemberProposal()
    forged = from_outside(groups[0], NewMemberProposal(), content)
    with refused(Rule.SIGNATURE):
        receive(groups[0], forged, ANYTHING)


@pytest.mark.parametrize(
    ("sender", "content"),
    [
        (ExternalSenderIndex(0), CommitContent(Commit((), None))),
        (NewMemberProposal(), CommitContent(Commit((), None))),
        (NewMemberProposal(), REMOVE_LUIS),
        (NewMemberCommit(), REMOVE_LUIS),
    ],
)
def test_outsiders_say_only_what_their_kind_may(
    sender: Sender, content: Content
) -> None:
    ana = with_relay()[0]
    with refused(Rule.SENDER_TYPE):
        receive(ana, from_outside(ana, sender, content), ANYTHING)


def test_an_external_commit_has_a_path() -> None:
    ana = group_of("Ana", "Luis")[0]
    bare = from_outside(ana, NewMemberCommit(), CommitContent(Commit((), None)))
    with refused(Rule.PATH_REQUIRED):
        receive(ana, bare, ANYTHING)


def test_pending_proposals_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    ana, luis = group_of("Ana", "Luis")
    monkeypatch.setattr("tertulia.mls.receiving.MAX_PENDING_PROPOSALS", 2)
    for number in range(3):
        ana, message = propose(ana, Remove(number + 5), RNG)
        if number == 2:
            with refused(Rule.PROPOSAL_LIMIT):
                receive(luis, message, ANYTHING)
        else:
            (_, luis) = hear([ana, luis], ana, message)


def test_a_commit_is_followed_by_all() -> None:
    groups = grown("Ana", "Luis", "Eva", "Juan", "Mia")
    for group in list(groups):
        groups = follow(groups, make(groups[group.leaf_index]))
        assert agree(groups)


def test_a_commit_without_a_path_is_followed_too() -> None:
    groups = grown("Ana", "Luis", "Eva")
    made = make(groups[0], replace(adds(key_package("Juan")), path=False))
    received = receive(groups[1], made.message, ANYTHING)
    assert isinstance(received, ReceivedCommit)
    assert received.change.new_leaf is None
    groups = follow(groups, made)
    assert agree(groups)
    assert agree(follow(groups, make(groups[1])))


def test_a_receiver_keeps_the_secrets_of_past_epochs() -> None:
    groups = group_of("Ana", "Luis")
    secrets = []
    for _ in range(3):
        secrets.append(groups[1].epoch.secrets.resumption_psk)
        groups = follow(groups, make(groups[0]))
    assert list(groups[1].epoch.past_resumption.values()) == secrets


def test_a_change_is_reported_as_its_committer_saw_it() -> None:
    ana, luis = group_of("Ana", "Luis")
    made = make(ana, adds(key_package("Eva")))
    received = receive(luis, made.message, ANYTHING)
    assert isinstance(received, ReceivedCommit)
    change = received.change
    assert change.sender == MemberSender(0)
    assert change.committer == 0
    assert change.proposals == made.change.proposals
    assert change.new_leaf == made.after.leaf
    assert change.context_before == luis.context
    assert change.context_after == made.change.context_after
    assert change.tree_before.nodes == luis.tree.nodes
    assert change.tree_after.nodes == made.after.tree.nodes


def test_whoever_is_removed_learns_of_it_and_reads_no_more() -> None:
    groups = grown("Ana", "Luis", "Eva")
    made = make(groups[0], CommitPlan([Remove(2)]))
    removed = receive(groups[2], made.message, ANYTHING)
    assert isinstance(removed, RemovedFromGroup)
    assert removed.change.tree_after.leaf(2) is None
    stay = follow(groups, made)
    assert agree(stay)
    _, message = protect(stay[0], b"without you", RNG)
    with refused(Rule.EPOCH):
        receive(groups[2], message, ANYTHING)
    # Nor with the public part of the new epoch.
    pretending = replace(
        groups[2], epoch=replace(groups[2].epoch, context=stay[0].context)
    )
    with refused(Rule.CIPHERTEXT):
        receive(pretending, message, ANYTHING)
    keys = set(groups[2].epoch.private_keys.by_node)
    held = {groups[2].tree.encryption_key(index) for index in keys}
    public_keys = {
        stay[0].tree.encryption_key(index)
        for index, node in enumerate(stay[0].tree.nodes)
        if node is not None
    }
    assert held.isdisjoint(public_keys)


def test_an_own_update_is_carried_out_when_another_commits_it() -> None:
    groups = grown("Ana", "Luis", "Eva")
    luis, update = propose_update(groups[1], RNG)
    groups = hear(groups, luis, update)
    (reference,) = groups[0].traffic.proposals
    groups = follow(groups, make(groups[0], CommitPlan(references=[reference])))
    assert agree(groups)
    private = groups[1].epoch.private_keys.by_node[2]
    assert SUITE.hpke.kem.public_key(private) == groups[1].leaf.encryption_key
    assert agree(follow(groups, make(groups[2])))


def test_an_own_update_that_is_not_committed_changes_nothing() -> None:
    groups = grown("Ana", "Luis", "Eva")
    luis, update = propose_update(groups[1], RNG)
    groups = follow(hear(groups, luis, update), make(groups[0]))
    assert agree(groups)
    assert agree(follow(groups, make(groups[2])))


def test_a_reference_to_what_was_not_received_is_refused() -> None:
    groups = group_of("Ana", "Luis", "Eva")
    luis, message = propose(groups[1], Remove(2), RNG)
    ana = hear(groups, luis, message)[0]
    (reference,) = ana.traffic.proposals
    made = make(ana, CommitPlan(references=[reference]))
    with refused(Rule.PROPOSAL_REFERENCE):
        receive(groups[2], made.message, ANYTHING)


def test_a_path_that_is_due_may_not_be_missing() -> None:
    ana, luis, _ = group_of("Ana", "Luis", "Eva")
    for plan in (CommitPlan(), CommitPlan([Remove(2)])):
        bare = forged_commit(ana, public_commit(ana, plan), path=None)
        with refused(Rule.PATH_REQUIRED):
            receive(luis, bare, ANYTHING)


def test_another_confirmation_tag_is_refused() -> None:
    ana, luis = group_of("Ana", "Luis")
    message = public_commit(ana)
    auth = FramedContentAuthData(message.auth.signature, bytes(32))
    signed = AuthenticatedContent(WireFormat.PUBLIC_MESSAGE, message.content, auth)
    with refused(Rule.CONFIRMATION_TAG):
        receive(luis, public(ana, signed), ANYTHING)


def test_a_public_fault_is_seen_alike_and_a_private_one_by_its_victim_only() -> None:
    groups = grown("Ana", "Luis", "Eva", "Juan")
    message = public_commit(groups[0])
    content = message.content.content
    assert isinstance(content, CommitContent)
    path = content.commit.path
    assert path is not None
    low, high = path.nodes
    (for_luis,) = low.encrypted_path_secret
    garbled = replace(for_luis, ciphertext=bytes(len(for_luis.ciphertext)))
    private_fault = replace(low, encrypted_path_secret=(garbled,))
    victim = forged_commit(
        groups[0], message, path=replace(path, nodes=(private_fault, high))
    )
    with pytest.raises(OutOfStepError):
        receive(groups[1], victim, ANYTHING)
    # The others fail no check of their own secrets: the tag is what no longer fits.
    for group in groups[2:]:
        with refused(Rule.CONFIRMATION_TAG):
            receive(group, victim, ANYTHING)
    public_fault = replace(low, encrypted_path_secret=())
    all_alike = forged_commit(
        groups[0], message, path=replace(path, nodes=(public_fault, high))
    )
    for group in groups[1:]:
        with refused(Rule.PATH_CIPHERTEXTS):
            receive(group, all_alike, ANYTHING)


def test_a_joiners_bad_kem_output_is_a_public_fault_whatever_else_is_wrong() -> None:
    groups = grown("Ana", "Luis", "Juan", "Mia")
    eva = identity("Eva")
    joined = join_externally(
        Unverified(make_group_info(groups[0])), ExternalJoin(eva), ANYTHING, RNG
    )
    content = joined.message.content.content
    assert isinstance(content, CommitContent)
    path = content.commit.path
    assert path is not None
    bad_init = ByValue(ExternalInit(b"no kem output"))
    top = path.nodes[-1]
    garbled = tuple(
        replace(item, ciphertext=bytes(len(item.ciphertext)))
        for item in top.encrypted_path_secret
    )
    bad_path = replace(
        path, nodes=(*path.nodes[:-1], replace(top, encrypted_path_secret=garbled))
    )
    bad = CommitContent(Commit((bad_init,), bad_path))
    message = from_outside(groups[0], NewMemberCommit(), bad, eva.signature_key)
    for group in groups:
        with refused(Rule.EXTERNAL_KEM_OUTPUT):
            receive(group, message, ANYTHING)


def test_the_policy_is_asked_before_anything_secret_is_touched() -> None:
    groups = group_of("Ana", "Luis", "Eva")
    for plan, rule in (
        (adds(key_package("Mallory")), Rule.CREDENTIAL),
        (CommitPlan(framing=Framing(authenticated_data=b"forbidden")), Rule.POLICY),
        (
            CommitPlan([Remove(2)], framing=Framing(authenticated_data=b"forbidden")),
            Rule.POLICY,
        ),
    ):
        message = commit(groups[0], plan, ANYTHING, RNG).message
        for group in groups[1:]:
            with refused(rule):
                receive(group, message, PICKY)


def test_the_policy_sees_a_new_identity() -> None:
    groups = group_of("Ana", "Luis")
    mallory = replace(identity("Ana's phone"), credential=BasicCredential(b"Mallory"))
    made = make(groups[0], CommitPlan(new_identity=mallory))
    with refused(Rule.CREDENTIAL):
        receive(groups[1], made.message, PICKY)


def test_after_a_reinit_no_epoch_follows() -> None:
    groups = group_of("Ana", "Luis")
    groups = follow(groups, make(groups[0], CommitPlan([ReInit(b"next", 1, 1, ())])))
    unaware = replace(groups[0], epoch=replace(groups[0].epoch, reinit=None))
    with refused(Rule.REINIT_PENDING):
        receive(groups[1], make(unaware).message, ANYTHING)
