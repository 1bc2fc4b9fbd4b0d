"""What the services say reaches a reader in the reader's own language, and nothing of it is out of date."""

import pytest

from gateway.platform.language import SERVICES_WORDS, catalogue, translator_for
from gateway.records.alert_rules import ASK_THE_CLINIC
from services.clinical.finding import SEX_OPEN, TOO_YOUNG
from services.imaging.classification import TOO_LITTLE, summary
from services.imaging.gate import WORDS
from shared.contracts.assessment import DISCLAIMER
from shared.contracts.language import LANGUAGES

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
