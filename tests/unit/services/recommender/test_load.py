"""Broken rules stop the start with one line that names file, rule and field."""
# ruff: noqa: E501 (a table is read by its rows)

import re
import shutil
from pathlib import Path

import pytest

from services.recommender import SHIPPED_RULES, BrokenRules, load_rules, rules_check

FOLLOW_UP = "30-follow-up.yaml"
DIET = "50-diet.yaml"
MEDICATION = "10-medication.yaml"
LIMITS = "11-medication-limits.yaml"
KNEE = "60-knee.yaml"
CONSULT = "70-consult.yaml"
RULE_SET_VERSION = re.search(r"^version: (.+)$", (SHIPPED_RULES / "rule-set.yaml").read_text(), re.MULTILINE)[1]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return Path(shutil.copytree(SHIPPED_RULES, tmp_path / "rules"))


def edit(folder: Path, file: str, old: str, new: str) -> None:
    path = folder / file
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")


def broken(folder: Path) -> str:
    with pytest.raises(BrokenRules) as raised:
        load_rules(folder)
    line = str(raised.value)
    assert "\n" not in line
    return line


def test_the_shipped_rules_load_and_report_their_state() -> None:
    report = rules_check()
    assert report.usable
    assert report.counts["rules"] >= 90
    assert report.unsigned


@pytest.mark.parametrize(
    ("file", "old", "new", "names"),
    [
        (DIET, "{fact: calcium_mg_per_day, below: 1200}", "{fact: calcium_mg, below: 1200}", ["diet.calcium_to_1200", "condition", "calcium_mg"]),
        (DIET, "{fact: calcium_mg_per_day, below: 1200}", "{fact: gender, below: 1200}", ["diet.calcium_to_1200", "gender is not a number"]),
        (DIET, "{fact: sex, is: female}", "{fact: sex, is: woman}", ["calcium_target_1200", "sex is never 'woman'"]),
        (DIET, "{fact: sex, is: female}", "{fact: sex, is: true}", ["calcium_target_1200", "cannot be compared"]),
        (DIET, "{definition: calcium_target_1200}", "{definition: calcium_target}", ["there is no definition 'calcium_target'"]),
        (DIET, "below: 1200}", "under: 1200}", ["diet.calcium_to_1200", "condition", "under"]),
        (DIET, "population: adults", "population: adult", ["diet.calcium_to_1200", "population", "'adult'"]),
        (DIET, "      kind: diet", "      kind: food", ["diet.calcium_to_1200", "output.kind"]),
        (DIET, "{calcium_mg_per_day} mg of calcium", "{calcium} mg of calcium", ["diet.calcium_to_1200", "output.text", "{calcium}"]),
        (DIET, "guidance: calcium", "guidance: calcum", ["diet.calcium_to_1200", "guidance", "'calcum'"]),
        (DIET, 'citation: {<<: *bhof, section: "Calcium"}', "citation: {guideline: BHOF, year: 2022}", ["citation", "section or a DOI"]),
        (DIET, "review: needs clinician sign-off", "review: sourced", ["review", "cannot be 'sourced'"]),
        (DIET, "version: 2.0.0", "version: one", ["version"]),
        (DIET, "patient_text: ", "patient_text: Take alendronate. ", ["diet.calcium_to_1200", "may not name a bone drug"]),
        (KNEE, "      patient_text: ", "      patients: ", ["knee.no_treatment", "output"]),
        (KNEE, "review: house", "review: sourced", ["knee.uncertain_grade", "cannot be 'sourced'"]),
        (KNEE, "guideline: \"Trabecula house rules\"", "guideline: \"NICE NG226\"", ["knee.uncertain_grade", "house judgement"]),
        (KNEE, "guideline: \"NICE NG226, osteoarthritis in over 16s\"", "guideline: \"NICE, as restated elsewhere\"", ["no citation"]),
        (CONSULT, "    patient_reason: ", "    patient_reason: Ask about denosumab. ", ["may not name a bone drug"]),
        (DIET, "  - id: diet.calcium_to_1200", "  - id: diet.calcium_to_1000", ["diet.calcium_to_1000", "already taken"]),
        (FOLLOW_UP, "due: {after: 6, by: 7,", "due: {after: 8, by: 7,", ["follow_up.denosumab_never_stop", "output.due", "by lies before after"]),
        (FOLLOW_UP, "elapsed: denosumab_last_dose_months_ago", "elapsed: gender", ["follow_up.denosumab_never_stop", "output.due", "gender"]),
        (DIET, "    population: adults", "    population: adults\n    population: everyone", [DIET, "comes twice"]),
        (MEDICATION, "{definition: aace_very_high_risk}", "{fact: image_bone, is: osteoporosis}", ["medication.aace.anabolic", "image_bone may not lead to a drug class"]),
        (MEDICATION, "{definition: aace_very_high_risk}", "{fact: kl_grade, at_least: 4}", ["kl_grade may not lead to a drug class"]),
        (MEDICATION, "{definition: aace_very_high_risk}", "{definition: bone_concern}", ["may not lead to a drug class"]),
        (MEDICATION, "{definition: aace_very_high_risk}", "{fact: bisphosphonates_blocked, is: true}", ["known only once"]),
        (MEDICATION, "      drug_class: anabolic\n", "", ["medication.atypical_fracture.anabolic", "drug_class goes with kind medication"]),
        (LIMITS, "condition: {fact: pregnant, is: true}", "condition: {on_record: {fact: pregnant, is: true}}", ["limit.pregnancy", "on_record"]),
        (LIMITS, "    checks: [creatinine_umol_per_l]", "    checks: [creatinine]", ["checks", "'creatinine'"]),
        (LIMITS, "    checks: [creatinine_umol_per_l]\n", "", ["has to name the fields"]),
        ("links.yaml", "https://medlineplus.gov/falls.html", "http://medlineplus.gov/falls.html", ["links.yaml", "https"]),
        ("00-definitions.yaml", "{fact: density_class, in: [osteoporosis, severe_osteoporosis]}", "{definition: treatment_indicated}", ["refers to itself"]),
        ("rule-set.yaml", f"version: {RULE_SET_VERSION}", "version: first", ["rule-set.yaml", "version"]),
    ],
)  # fmt: skip
def test_a_broken_rule_is_named(folder: Path, file: str, old: str, new: str, names: list[str]) -> None:
    edit(folder, file, old, new)
    line = broken(folder)
    assert file in line
    for name in names:
        assert name in line
    report = rules_check(folder)
    assert not report.usable
    assert any(names[-1] in fault for fault in report.faults)


def test_a_missing_folder_is_named(tmp_path: Path) -> None:
    assert "rule-set.yaml" in broken(tmp_path / "none")


def test_no_yaml_at_all(folder: Path) -> None:
    (folder / DIET).write_text("rules: [", encoding="utf-8")
    assert f"{DIET}: -: -: is not YAML" in broken(folder)


def test_all_faults_are_counted(folder: Path) -> None:
    edit(folder, DIET, "population: adults", "population: adult")
    edit(folder, DIET, "guidance: calcium", "guidance: calcum")
    assert "(and 1 more" in broken(folder)
    assert len(rules_check(folder).faults) == 2


def test_a_signature_holds_until_the_rule_changes(folder: Path) -> None:
    rule = next(rule for rule in load_rules().rules if rule.id == "diet.calcium_to_1200")
    assert rule.state == "needs clinician sign-off"
    signature = f"{{by: A. Clinician, role: rheumatologist, date: 2026-11-23, digest: {rule.digest}}}"
    edit(folder, DIET, "  - id: diet.calcium_to_1200\n", f"  - id: diet.calcium_to_1200\n    signature: {signature}\n")
    signed = next(rule for rule in load_rules(folder).rules if rule.id == "diet.calcium_to_1200")
    assert signed.state == "signed by a clinician"
    assert signed.id not in rules_check(folder).unsigned
    edit(folder, DIET, "the aim is 1200 mg in all", "the aim is 1300 mg in all")
    assert "the signature is for another wording" in broken(folder)


def test_the_version_changes_with_any_edit_of_a_rule_but_not_of_a_comment(folder: Path) -> None:
    before = load_rules(folder).reference
    edit(folder, DIET, "# Calcium and vitamin D", "# Calcium, vitamin D")
    assert load_rules(folder).reference == before
    edit(folder, DIET, "below: 1200}", "below: 1100}")
    assert load_rules(folder).reference != before


def test_a_disabled_rule_does_not_speak(folder: Path) -> None:
    from tests.unit.services.recommender.cases import answer, ids

    edit(folder, DIET, "  - id: diet.calcium_to_1200\n", "  - id: diet.calcium_to_1200\n    enabled: false\n")
    patient = {"risk": "high", "record": {"age": 60.0, "gender": "female", "calcium_mg_per_day": 600.0}}
    assert "diet.calcium_to_1200" in ids(answer(patient))
    assert "diet.calcium_to_1200" not in ids(answer(patient, load_rules(folder)))
    assert rules_check(folder).disabled == ["diet.calcium_to_1200"]
