"""The pages' words: whole in every language, dates and numbers as India writes them."""

import datetime as dt
import re
from pathlib import Path
from typing import get_args
from zoneinfo import ZoneInfo

import pytest
import yaml
from starlette.datastructures import FormData

import gateway.pages
from gateway.pages.questions import DEVICES, MEASURES, SECTIONS, record_of
from gateway.platform.catalogue import FOLDER, catalogue
from gateway.platform.clock import use_zone
from gateway.platform.language import LANGUAGES, Translator, chosen, translator_for
from gateway.reports.presentation import Audience
from gateway.reports.record import UNITS
from shared.contracts.film import FilmWarningType
from shared.contracts.findings import RecordWarningType, RiskCategory, WhoClass
from shared.contracts.record import ClinicalRecord

TEMPLATES = Path(gateway.pages.__file__).parent / "templates"
# The same in every language, or told to operators alone.
AS_IN_ENGLISH = re.compile(
    r"^(unit\.(frax|egfr|creat|serum|vitamin_d_25)|option\.(hologic|ge_lunar|norland|dxa|qct)|report\.no_font|sheet\.|question\..*_excluded)"
)


def gaps(text):
    return set(re.findall(r"{(\w+)}", text))


@pytest.mark.parametrize("language", [item for item in LANGUAGES if item != "en"])
def test_a_language_has_every_text_with_the_same_gaps(language):
    english, other = catalogue("en"), catalogue(language)
    assert {key for key in english if not AS_IN_ENGLISH.match(key)} <= other.keys()
    assert other.keys() <= english.keys()
    assert {key: gaps(text) for key, text in other.items() if gaps(text) != gaps(english[key])} == {}


def test_every_text_that_a_template_names_is_there():
    named = {key for file in TEMPLATES.glob("*.html") for key in re.findall(r"\bt\('([\w.-]+)'[,)]", file.read_text())}
    assert len(named) > 100
    assert named - catalogue("en").keys() == set()


def test_every_question_and_option_has_words_and_every_field_a_question():
    questions = [question for section in SECTIONS for question in section.questions]
    codes = {option for question in questions for option in question.options} | {*DEVICES, *MEASURES}
    assert {f"option.{code}" for code in codes} <= catalogue("en").keys()
    assert {f"question.{question.name}" for question in questions} <= catalogue("en").keys()
    # The three lists of measurements are one question; that something is known to be absent is not asked.
    apart = {"t_scores", "z_scores", "bmd", "medical_conditions_excluded", "medications_excluded"}
    assert {question.name for question in questions} - {"densities"} == ClinicalRecord.model_fields.keys() - apart


def test_every_number_with_a_unit_in_its_name_has_the_unit_in_words_and_none_in_its_label():
    numbers = [question.name for section in SECTIONS for question in section.questions if question.kind == "number"]
    with_unit = [name for name in numbers if UNITS.search(name)]
    assert len(with_unit) > 10
    assert {f"unit.{name}" for name in with_unit} <= catalogue("en").keys()
    assert not [name for name in with_unit if "_per_" in UNITS.sub("", name)]


def test_every_class_and_every_kind_of_warning_has_words_for_whoever_reads():
    meant = {f"meaning.diagnosed.{who}.{code}" for who in get_args(Audience) for code in get_args(WhoClass)}
    meant |= {f"meaning.scanned.{code}" for code in (*get_args(RiskCategory), "unknown")}
    meant |= {f"who.{code}" for code in get_args(WhoClass)} | {f"meaning.{code}" for code in get_args(RiskCategory)}
    assert meant | {f"warning.{code}" for code in get_args(RecordWarningType)} <= catalogue("en").keys()


def test_every_warning_of_a_film_has_words_for_the_patient():
    codes = {key.split(".")[1] for key in catalogue("en") if key.startswith("film_warning.")}
    assert codes == {"title", *get_args(FilmWarningType)}


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_measured_class_sends_nobody_to_a_scan_and_a_film_never_says_no(language):
    texts = catalogue(language)
    after_a_scan = [text for key, text in texts.items() if key.startswith(("meaning.diagnosed.", "meaning.scanned."))]
    assert not [text for text in after_a_scan if "DXA" in text]
    assert not [key for key, text in texts.items() if text.lower().startswith(("no osteoporosis", "ऑस्टियोपोरोसिस नहीं"))]


def test_sex_is_asked_further_only_where_it_is_open():
    asked = {section.name: section.genders for section in SECTIONS}
    assert asked["gender"] == ("other", "unknown")
    assert set(asked["women"]) == {"", "female", "other", "unknown"}


def test_the_answers_make_the_record():
    form = FormData({
        "age": "61", "gender": "unknown", "sex_recorded_at_birth": "male", "gonadectomy": "yes",
        "gender_affirming_hormones": "no", "saddle_or_bladder_signs": "yes", "zoledronate_months_ago": "14",
        "prior_fractures": "yes", "fracture_0_site": "hip", "fracture_0_months_ago": "3",
    })  # fmt: skip
    record = record_of(form)
    assert record == {
        "age": 61, "gender": "unknown", "sex_recorded_at_birth": "male", "gonadectomy": True,
        "gender_affirming_hormones": False, "saddle_or_bladder_signs": True, "zoledronate_months_ago": 14,
        "prior_fractures": [{"site": "hip", "months_ago": 3}],
    }  # fmt: skip
    assert ClinicalRecord.model_validate(record).sex_recorded_at_birth == "male"
    assert record_of(FormData({"gender_affirming_hormones": "oestrogen"})) == {"gender_affirming_hormones": "oestrogen"}


@pytest.mark.parametrize(
    ("language", "day", "number", "share"),
    [
        ("en", "24 Nov 2026", "12,34,567.5", "22%"),
        ("hi", "24 नव॰ 2026", "12,34,567.5", "22%"),
        ("kn", "24 ನವೆಂ 2026", "12,34,567.5", "22%"),
    ],
)
def test_dates_and_numbers_follow_the_language(language, day, number, share):
    words = translator_for(language)
    assert (words.date(dt.date(2026, 11, 24)), words.number(1234567.5), words.percent(0.2154)) == (day, number, share)


@pytest.mark.parametrize(
    ("cookie", "accepted", "language"),
    [(None, None, "en"), (None, "kn-IN,kn;q=0.9,en;q=0.8", "kn"), ("hi", "kn", "hi"), ("xx", "de,fr", "en")],
)
def test_the_choice_comes_first_then_the_browser(cookie, accepted, language):
    assert chosen(cookie, accepted) == language


def _repeated(node: yaml.Node) -> list[str]:
    """Keys that stand twice in one mapping of a document, with their lines; YAML's own reader takes the last."""
    if isinstance(node, yaml.SequenceNode):
        return [found for part in node.value for found in _repeated(part)]
    if not isinstance(node, yaml.MappingNode):
        return []
    keys = [key.value for key, _ in node.value]
    twice = [f"{key.value}, line {key.start_mark.line + 1}" for key, _ in node.value if keys.count(key.value) > 1]
    return twice + [found for _, part in node.value for found in _repeated(part)]


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_text_stands_in_place_of_another(language):
    """Two texts of one key once made the alarm's heading on an emergency read "Emergency access"."""
    root = yaml.compose((FOLDER / f"{language}.yaml").read_text(encoding="utf-8"))
    assert not _repeated(root)


def test_the_alarm_says_what_it_is():
    assert Translator("en")("emergency.title") == "This is an emergency"


def test_times_are_told_by_the_sites_clock_and_programs_find_the_offset():
    midnight = dt.datetime(2026, 11, 26, 19, 33, tzinfo=dt.UTC)
    try:
        use_zone(ZoneInfo("Asia/Kolkata"))
        t = translator_for("en")
        assert t.moment(midnight) == "27 Nov 2026, 01:03 IST"
        assert t.day(midnight) == "27 Nov 2026", "the next day, there"
        assert t.time(midnight) == '<time datetime="2026-11-27T01:03:00+05:30">27 Nov 2026, 01:03 IST</time>'
        use_zone(ZoneInfo("Europe/Berlin"))
        assert translator_for("hi").moment(midnight).endswith("20:33 CET")
    finally:
        use_zone(None)


def test_a_negative_number_has_a_minus_sign_and_nothing_is_no_negative_zero():
    for language in LANGUAGES:
        t = translator_for(language)
        assert t.number(-2.7) == "\N{MINUS SIGN}2.7"
        assert t.number(-0.01) == "0"
        assert t.number(123456.5) == "1,23,456.5"
