"""What the services say reaches a reader in the reader's own language, and nothing of it is out of date."""

from random import Random

import numpy as np
import pytest

from gateway.platform.catalogue import catalogue
from gateway.platform.language import SERVICES_WORDS, translator_for
from gateway.records.alert_rules import ASK_THE_CLINIC
from gateway.reports.sentences import sentences_of_record
from services.clinical.finding import SEX_OPEN, TOO_YOUNG
from services.imaging.classification import TOO_LITTLE, summary
from services.imaging.gate import SHOWS_METAL, UNLIKE_KNOWN, WORDS
from services.imaging.open_network import AS_SENT
from services.imaging.writing import WRITING
from services.staging.sides import SAME_LEG, UPSIDE_DOWN
from services.staging.staging import UNLIKE_KNOWN as UNLIKE_KNEES
from shared.contracts.assessment import DISCLAIMER
from shared.contracts.language import LANGUAGES
from shared.kl_grade import NO_CLEAR_GRADE
from shared.radiograph.colour import PHOTOGRAPHED
from shared.radiograph.dicom_tones import IGNORED, UNPROCESSED
from shared.radiograph.tones import contrast_warnings
from tests.unit.answer.records import some_record
from tests.unit.answer.whole import answer_to

FILMS = [
    IGNORED, UNPROCESSED, PHOTOGRAPHED, WRITING, UNLIKE_KNOWN, SHOWS_METAL, AS_SENT, UNLIKE_KNEES, SAME_LEG,
    UPSIDE_DOWN, *contrast_warnings(np.array([[10, 11], [12, 13]], np.uint16)),
]  # fmt: skip
OTHERS = [language for language in LANGUAGES if language != "en"]
SENTENCES = [
    DISCLAIMER, TOO_YOUNG, SEX_OPEN, ASK_THE_CLINIC, summary("knee", True, None, low=False),
    *(summary(site, True, why_not, low=False) for site, why_not in TOO_LITTLE.items()),
]  # fmt: skip


@pytest.mark.parametrize("language", OTHERS)
@pytest.mark.parametrize("sentence", SENTENCES)
def test_a_sentence_of_a_service_is_said_in_the_readers_language(language, sentence):
    said = translator_for(language).said(sentence)
    assert not said.is_english
    assert said.text != sentence
    assert translator_for("en").said(sentence) == (sentence, False)


@pytest.mark.parametrize("language", OTHERS)
@pytest.mark.parametrize("reason", [*WORDS, "too_small", "blank", "blurred", "coloured", "mostly_white", "orientation"])
def test_a_refused_film_is_told_with_its_reason_in_the_readers_language(language, reason):
    said = translator_for(language).problem("image-refused", reason, "In English, 120 x 90 pixels.")
    assert not said.is_english
    assert said.text == catalogue(language)[f"image-refused.{reason}"]
    assert translator_for("en").problem("image-refused", reason, "It has 9 pixels.") == ("It has 9 pixels.", False)


@pytest.mark.parametrize("slug", sorted(SERVICES_WORDS))
def test_a_reason_that_nobody_has_words_for_is_told_as_far_as_there_are_some(slug):
    said = translator_for("kn").problem(slug, "something new", "The detail.")
    if slug == "image-refused":
        assert said == ("The detail.", True), "marked as English, for whatever reads it aloud"
    else:
        assert said == (catalogue("kn")[f"{slug}.any"], False)


def test_a_sentence_that_nobody_knows_stays_as_it_is_and_is_marked():
    assert translator_for("hi").said("Something new.") == ("Something new.", True)
    assert translator_for("en").said("Something new.") == ("Something new.", False)


def test_what_is_said_of_films_is_said_in_every_language():
    odd = [*(film.detail for film in FILMS), NO_CLEAR_GRADE]
    assert {said for language in OTHERS for said in odd if translator_for(language).said(said).is_english} == set()


def test_what_is_said_of_any_record_is_said_in_every_language():
    random, unknown, seen = Random(22), set[str](), set[str]()
    for _ in range(400):
        answer = answer_to(some_record(random), random.choice([None, "normal", "osteopenia", "osteoporosis"]))
        seen |= set(sentences_of_record(answer.clinical)) | set(answer.combined.basis)
    for language in OTHERS:
        unknown |= {sentence for sentence in seen if translator_for(language).said(sentence).is_english}
    assert len(seen) > 300
    assert unknown == set()


def test_what_stands_in_a_gap_is_told_as_the_language_writes_it():
    said = "Low bone mass (WHO), by DXA of 2025-07-14: lowest T-score -2.1 at lumbar spine."
    assert translator_for("hi").said(said).text == (
        "हड्डी का कम घनत्व (WHO), DXA के अनुसार (14 जुल॰ 2025): सबसे कम T-स्कोर −2.1, कमर की रीढ़।"
    )
    assert translator_for("hi").said(said.replace("lumbar spine", "left ear")).is_english, "half a sentence is none"
