from dataclasses import replace

from tertulia.client.verdict import certificate, leaf_at, member, require
from tertulia.mls import BasicCredential, Rule
from tests.client.society import person, refused, room_of


def test_a_rule_that_holds_says_nothing() -> None:
    require(True, "no matter")  # noqa: FBT003
    with refused("not tonight"):
        require(False, "not tonight")  # noqa: FBT003


def test_a_blank_leaf_is_refused() -> None:
    tree = room_of("Ana", "Luis")["Ana"].tree
    assert leaf_at(tree, 1) == tree.leaf(1)
    for index in (2, 99):
        with refused(f"leaf {index} is blank"):
            leaf_at(tree, index)


def test_a_leaf_says_whom_it_stands_for_or_is_refused() -> None:
    leaf = room_of("Ana")["Ana"].leaf
    assert member(leaf).account_key == person("Ana").account_public
    assert certificate(leaf).account_key == person("Ana").account_public
    nobody = replace(leaf, credential=BasicCredential(b"Ana"))
    for read in (member, certificate):
        with refused(rule=Rule.CREDENTIAL):
            read(nobody)
