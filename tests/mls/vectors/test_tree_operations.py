"""RFC 9420 vectors: what proposals do to a tree."""

from tertulia.mls.framing import MemberSender
from tertulia.mls.group_context import GroupContext
from tertulia.mls.leaf_node import MLS10
from tertulia.mls.proposal import PROPOSAL
from tertulia.mls.proposal_list import ProposalList, SentProposal, apply_proposals
from tertulia.mls.ratchet_tree import RatchetTree, decode_tree
from tests.mls.vectors.cases import Case, every_case, octets
from tests.mls.vectors.tally import Tally

pytestmark = every_case("tree-operations")


def _apply(case: Case, tree: RatchetTree) -> RatchetTree:
    sender = MemberSender(case.vector["proposal_sender"])
    sent = SentProposal(PROPOSAL.decode(octets(case.vector, "proposal")), sender)
    proposals = ProposalList(case.suite, sender, (sent,))
    context = GroupContext(MLS10, case.suite.id, b"", 0, b"", b"", ())
    return apply_proposals(proposals, tree, context).draft.finish()


def test_a_proposal_changes_the_tree(case: Case, tally: Tally) -> None:
    vector, suite = case.vector, case.suite
    before = decode_tree(octets(vector, "tree_before"))
    tally.equal(before.tree_hash(suite), octets(vector, "tree_hash_before"))
    after = _apply(case, before)
    tally.equal(after.encode(), octets(vector, "tree_after"))
    tally.equal(after.tree_hash(suite), octets(vector, "tree_hash_after"))


def test_the_tree_before_stays_as_it_was(case: Case, tally: Tally) -> None:
    vector = case.vector
    before = decode_tree(octets(vector, "tree_before"))
    _apply(case, before)
    tally.equal(before.encode(), octets(vector, "tree_before"))
    tally.equal(before.tree_hash(case.suite), octets(vector, "tree_hash_before"))


def test_hashes_kept_from_before_make_no_difference(case: Case, tally: Tally) -> None:
    vector = case.vector
    after = _apply(case, decode_tree(octets(vector, "tree_before")))
    anew = decode_tree(octets(vector, "tree_after"))
    for index in range(len(anew.nodes)):
        ours = after.tree_hash(case.suite, index)
        tally.equal(ours, anew.tree_hash(case.suite, index))
