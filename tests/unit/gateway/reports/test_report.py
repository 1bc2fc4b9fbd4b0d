"""The report: one sheet whatever is on it, in the language asked for, its letters joined as they are read."""

import json
import re
from contextlib import closing
from pathlib import Path

import pytest

import gateway.assessments.examples
from gateway.assessments.release import patient_view
from gateway.reports import fonts
from gateway.reports.fonts import fonts_for
from gateway.reports.report import Report, pdf_of
from gateway.reports.sheet import Sheet
from shared.contracts.assessment import Assessment

EXAMPLE = Assessment.model_validate(json.loads(
    Path(gateway.assessments.examples.__file__).with_name("example.json").read_text(encoding="utf-8")
))  # fmt: skip
NO_FONTS = "no font for Devanagari and Kannada is on this machine (apt install fonts-lohit-deva fonts-lohit-knda)"


def sheets(pdf):
    return len(re.findall(rb"/Type /Page\b", pdf))


def much():
    """An assessment with three times as many recommendations as the example has."""
    found = EXAMPLE.recommendation
    return EXAMPLE.model_copy(update={"recommendation": found.model_copy(update={"items": found.items * 2})})


@pytest.mark.parametrize("language", ["en", "hi", "kn"])
def test_the_patients_is_one_sheet_in_the_language_asked_for(language):
    if fonts_for(language) is None:
        pytest.skip(NO_FONTS)
    pdf, written = pdf_of(Report(patient_view(EXAMPLE, False, "by_clinician"), "patient", {}, withheld=True), language)
    assert (sheets(pdf), written) == (1, language)


@pytest.mark.parametrize("language", ["en", "hi", "kn"])
def test_the_clinicians_is_one_sheet_in_english(language):
    pdf, written = pdf_of(Report(EXAMPLE, "clinician", {}), language)
    assert (sheets(pdf), written) == (1, "en")


def test_a_long_one_is_set_smaller():
    pdf, _ = pdf_of(Report(much(), "clinician", {}), "en")
    assert sheets(pdf) == 1


def test_without_a_font_it_is_in_english_and_says_so(monkeypatch, tmp_path):
    monkeypatch.setattr(fonts, "FOLDERS", (str(tmp_path),))
    fonts._files.cache_clear()
    try:
        pdf, written = pdf_of(Report(EXAMPLE, "patient", {}, withheld=True), "kn")
    finally:
        fonts._files.cache_clear()
    assert (sheets(pdf), written) == (1, "en")


@pytest.mark.parametrize(("language", "word"), [("hi", "निर्णय"), ("kn", "ಸಾಂದ್ರತೆಯ")])
def test_letters_are_joined_in_a_line_that_begins_in_latin(language, word):
    """A shaper left to guess takes the first letters' script for the whole line and joins nothing of the rest."""
    found = fonts_for(language)
    if found is None:
        pytest.skip(NO_FONTS)
    with closing(Sheet(found, 10)) as sheet:
        pdf = sheet.pdf
        joined = pdf.get_string_width(f"DXA {word}") - pdf.get_string_width("DXA ")
        assert joined == pytest.approx(pdf.get_string_width(word), abs=0.01)
        pdf.set_text_shaping(False)
        assert pdf.get_string_width(word) > joined * 1.1
