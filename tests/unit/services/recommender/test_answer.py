"""What travels with an answer: sources, links, the consult block, the letter, translations, the explanation."""

import pytest

from services.recommender import explain, recommend
from services.recommender.links import Page
from services.recommender.messages import UNREVIEWED, Catalogue, Message
from services.recommender.schema import well_formed
from tests.unit.services.recommender.cases import RULES, WOMAN_72, answer, case, drugs, dxa

SICK = {"image": "osteoporosis", "kl": 3, "risk": "high", "record": {**WOMAN_72, "t_scores": dxa(-3.2)}}


def test_every_item_carries_its_reason_source_and_review() -> None:
    for item in answer(SICK).items:
        assert item.rationale
        assert item.citation
        assert item.strength
        assert item.rule_version
        assert item.url is None or item.url.startswith("https://")
    assert answer(SICK).rules == RULES.reference


@pytest.mark.parametrize(
    ("months", "interval"), [(2.0, (4.0, 5.0)), (6.5, (0.0, 0.5)), (9.0, (0.0, 0.0)), (None, None)]
)
def test_a_follow_up_carries_its_time_from_the_last_dose_on(
    months: float | None, interval: tuple[float, float] | None
) -> None:
    """Denosumab is due six months after the last dose, late after seven; of an unknown dose nobody can say when."""
    dose = {} if months is None else {"denosumab_last_dose_months_ago": months}
    found = answer({"record": {**WOMAN_72, "medications": ["denosumab"], **dose}})
    item = next(entry for entry in found.items if entry.id == "follow_up.denosumab_never_stop")
    assert (item.interval and (item.interval.after_months, item.interval.by_months)) == interval
    assert all(entry.interval is None for entry in found.items if entry.kind != "follow_up")


def test_one_dxa_referral_with_all_its_reasons() -> None:
    found = answer({"image": "osteoporosis", "risk": "high", "record": {"age": 80.0, "gender": "female"}})
    referrals = [item for item in found.items if item.id.startswith("referral.dxa")]
    assert [item.id for item in referrals] == ["referral.dxa.women_65"]
    assert any("radiograph" in source for source in referrals[0].further_sources)


def test_frameworks_that_agree_stay_apart() -> None:
    item = next(item for item in answer(SICK).items if item.drug_class == "denosumab")
    assert "AACE" in item.citation
    assert any(source.startswith("ACP") for source in item.further_sources)


def test_the_drug_order_follows_the_frameworks() -> None:
    assert next(iter(drugs(answer(SICK)))) == "anabolic"
    plain = answer({"record": {**WOMAN_72, "t_scores": dxa(-2.7)}})
    assert list(drugs(plain))[:3] == ["oral_bisphosphonate", "iv_bisphosphonate", "denosumab"]


def test_the_consult_block_is_as_urgent_as_its_worst_reason() -> None:
    red = {**SICK, "record": {**SICK["record"], "neurological_signs": True}}
    consult = answer(red).consult
    assert (consult.advised, consult.urgency) == (True, "emergency")
    assert str(consult.reason).startswith("New bladder")
    assert not answer({"kl": 0}).consult.advised


def test_the_consult_links_are_there_whether_or_not_one_is_advised_but_not_in_an_emergency() -> None:
    assert any("apollo" in link.url for link in answer({"kl": 0}).consult.links)
    emergency = answer({"record": {**WOMAN_72, "serum_calcium_mmol_per_l": 3.6}}).consult
    assert (emergency.urgency, emergency.links) == ("emergency", [])


def test_every_item_has_a_text_for_patients_and_a_key_with_its_numbers() -> None:
    found = answer({"record": {**WOMAN_72, "t_scores": dxa(-2.4)}})
    for item in found.items:
        assert item.patient_text != item.text
        assert item.message.key == item.id
    due = next(item for item in found.items if item.id.startswith("follow_up.next_dxa"))
    assert due.message.params == {"next_dxa_after_months": "12", "next_dxa_by_months": "24"}
    assert found.next_dxa is not None
    assert (found.next_dxa.after_months, found.next_dxa.by_months) == (12, 24)


def test_a_letter_goes_with_a_referral_and_only_with_one() -> None:
    letter = answer(SICK).letter
    assert letter is not None
    assert "a bone specialist" in letter.to
    assert "egfr_ml_per_min" in letter.not_known
    assert any("Kellgren-Lawrence grade 3" in line for line in letter.findings)
    assert any("lowest T-score -3.2" in line for line in letter.findings)
    assert "Age: 72" in letter.history
    assert RULES.reference in letter.models
    assert answer({"kl": 0}).letter is None


def test_a_site_has_its_own_links_and_an_allow_list() -> None:
    own = [Page(title="Our clinic", url="https://clinic.example.org/call")]
    links = RULES.links.for_site("IN", {"falls": "https://clinic.example.org/falls"}, own, ["clinic.example.org"])
    assert [link.url for link in links.consult_links] == ["https://clinic.example.org/call"]
    assert links.url("falls") == "https://clinic.example.org/falls"
    assert links.url("calcium") is None
    found = recommend(case(SICK), RULES.with_links(links))
    hosts = {item.url.split("/")[2] for item in found.items if item.url}
    assert hosts <= {"clinic.example.org"}


def test_the_country_chooses_its_consult_links() -> None:
    titles = [link.title for link in RULES.links.for_site("IN", {}, [], []).consult_links]
    assert any("Apollo" in title for title in titles)
    assert any("eSanjeevani" in title for title in titles)
    assert not any("NHS" in title for title in titles)


def test_a_guidance_page_that_no_rule_knows_is_refused() -> None:
    with pytest.raises(ValueError, match="no guidance page is called bones"):
        RULES.links.for_site("IN", {"bones": "https://clinic.example.org"}, [], [])


@pytest.mark.parametrize(
    "url", ["http://a.org", "https://", "javascript:alert(1)", "https://u:p@a.org", "https://a b.org", "https://host"]
)
def test_an_address_of_another_form_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match="plain https address"):
        well_formed(url)


def test_explain_says_why_each_rule_did_or_did_not_fire() -> None:
    patient = case({"record": {"age": 72.0, "gender": "female", "t_scores": dxa(-2.8)}})
    by_id = {entry.id: entry for entry in explain(patient)}
    assert len(by_id) == len(RULES.rules) + len(RULES.contraindications) + len(RULES.consults)
    fired = by_id["medication.acp.oral_bisphosphonate_women"]
    assert fired.outcome == "fired"
    assert "usual_first_line: yes" in fired.because
    assert any("density_class is one of osteoporosis" in line and "yes" in line for line in fired.because)
    kidney = by_id["limit.oral_bisphosphonate.kidney"]
    assert (kidney.outcome, kidney.missing) == ("unknown", ["egfr_ml_per_min"])
    assert by_id["medication.acp.oral_bisphosphonate_men"].outcome == "other population"
    assert by_id["knee.information"].outcome == "unknown"


CATALOGUE = Catalogue(
    language="hi",
    phrases={"check_first": Message(version="1.0.0", text="पहले जाँच।")},
    messages={
        "knee.no_treatment": Message(version="1.0.0", text="घुटना ठीक है।"),
        "knee.information": Message(version="0.9.0", text="पुराना।"),
    },
)


def test_a_translation_of_another_version_falls_back_to_english() -> None:
    assert CATALOGUE.find("knee.no_treatment", "1.0.0") is not None
    assert CATALOGUE.find("knee.information", "1.0.0") is None
    gaps = list(CATALOGUE.gaps({"knee.information": "1.0.0", "knee.weight": "1.0.0", "knee.no_treatment": "1.0.0"}))
    assert gaps == [
        "hi: knee.information is translated at 0.9.0, the rule is at 1.0.0",
        "hi: knee.weight is not translated",
    ]


def test_a_text_of_several_parts_is_translated_whole_or_not_at_all_and_unreviewed_shows() -> None:
    reviewed = Message(version="1.0.0", text="अच्छा।", status="reviewed by A. Person, 2026-11-23")
    both = CATALOGUE.translation([reviewed, CATALOGUE.messages["knee.no_treatment"]], {})
    assert both is not None
    assert both.status == UNREVIEWED
    alone = CATALOGUE.translation([reviewed], {})
    assert alone is not None
    assert alone.status.startswith("reviewed by")
    assert CATALOGUE.translation([reviewed, None], {}) is None
