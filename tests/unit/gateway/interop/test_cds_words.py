"""Words on cards: short enough, and nothing in them is run or formatted by what somebody sent."""

from typing import get_args

import pytest

from gateway.interop.cds.card_words import NAMES, bullets, escaped, named, shortened, the
from gateway.interop.cds.services import prefetch_templates
from gateway.interop.fhir.code_map import code_map
from shared.contracts.recommendation import DrugClass


@pytest.mark.parametrize("text", ["", "x", "word " * 100, "x" * 1000, "ü" * 139, "a\nb\tc", "x" * 139 + " y"])
def test_a_summary_has_fewer_than_140_characters_and_one_line(text):
    short = shortened(text)
    assert len(short) < 140
    assert "\n" not in short
    assert short == " ".join(text.split()) or short.endswith("…")


@pytest.mark.parametrize(
    "hostile", ["<script>alert(1)</script>", "[click](javascript:x)", "**bold**", "# head", "- item", "a|b", "`code`"]
)
def test_what_was_sent_is_shown_as_it_is(hostile):
    shown = escaped(hostile)
    for mark in "<>[]()*#`|":
        assert shown.count(mark) == shown.count(f"\\{mark}")


def test_a_long_list_is_counted():
    assert bullets([], 3) == []
    assert bullets(["a", "b"], 3) == ["- a\n- b"]
    assert bullets(["a", "b", "c", "d", "e"], 3) == ["- a\n- b\n- c\n- and 2 more"]


def test_every_class_of_the_recommender_has_a_name_and_an_order_that_leads_to_it():
    assert set(NAMES) == set(get_args(DrugClass)) == set(code_map().orders.drug_classes.values())
    assert the(named("denosumab")) == "denosumab"
    assert the(named("anabolic")) == "a bone-building drug"


def test_every_code_that_is_read_is_asked_for_beforehand():
    asked = " ".join(prefetch_templates().values())
    rows = [*code_map().observations.quantities, *code_map().observations.answers]
    assert [row.code for row in rows if f"http://loinc.org|{row.code}" not in asked] == []
