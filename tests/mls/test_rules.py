import re

from tertulia.mls import Rule


def test_a_rule_is_a_name_a_section_and_a_sentence() -> None:
    assert Rule.PADDING.rule_id == "padding"
    assert Rule.PADDING.section == "6.3.1"
    assert Rule.PADDING.sentence == "padding is zero bytes only"


def test_the_id_of_a_rule_is_its_name_and_stands_once() -> None:
    ids = [rule.rule_id for rule in Rule]
    assert len(ids) == len(set(ids))
    for rule in Rule:
        assert rule.rule_id == rule.name.lower().replace("_", "-")


def test_every_rule_names_a_section_of_the_rfc_and_says_what_holds() -> None:
    for rule in Rule:
        assert re.fullmatch(r"\d+(\.\d+)*", rule.section), rule
        assert " " in rule.sentence
        assert not rule.sentence.endswith(".")
