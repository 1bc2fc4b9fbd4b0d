"""The pages' words in English, Hindi and Kannada, and dates and numbers as each language writes them.

The catalogues are `catalogues/<language>.yaml`. What a language lacks is shown in English. The texts of Hindi and
Kannada have not been reviewed by a person; recommendations therefore show the English beside them.
"""

import datetime as dt
from functools import cache
from html import escape
from typing import Any, NamedTuple

from babel import Locale
from babel.dates import format_date, format_datetime
from babel.numbers import format_decimal, format_percent

from gateway.platform.catalogue import catalogue
from gateway.platform.clock import at_site
from gateway.platform.sentences import Row, Sentence, codes_of, recognised
from shared.contracts.language import LANGUAGES
from shared.contracts.language import LanguageCode as LanguageCode

NAMES: dict[LanguageCode, str] = {"en": "English", "hi": "हिन्दी", "kn": "ಕನ್ನಡ"}
LONGEST_WISH = 500
# Problems of a film, whose details have figures of that very film in them.
SERVICES_WORDS = frozenset({"image-refused", "unreadable-image", "unsupported-image", "image-too-large"})
FULL_STOP = {"hi": "।", "kn": "."}
# Lists of answers whose question is too long to be named within a sentence.
LISTS = {"medical_conditions": "section.conditions", "medications": "section.medicines"}
# As wide as a plus sign; a hyphen before a number is easily overlooked.
MINUS = "\N{MINUS SIGN}"


class Html(str):
    """What a template takes over as it is."""

    __slots__ = ()

    def __html__(self) -> str:
        return str(self)


class Spoken(NamedTuple):
    """A sentence of a service for a reader; `is_english` where the reader's language is another and has no words."""

    text: str
    is_english: bool


class Translator:
    """The texts, dates and numbers of one language.

    Args:
        language: one of `LANGUAGES`.
    """

    def __init__(self, language: LanguageCode) -> None:
        self.language = language
        self._texts, self._english = catalogue(language), catalogue("en")
        # India's English, Hindi and Kannada: 1,23,456 and 24 November 2026. Digits stay Western in all three.
        self._locale = Locale(language, "IN")

    def __call__(self, key: str, **values: Any) -> str:
        """The text of a key, with values in its gaps; English where the language has none.

        Raises:
            KeyError: not even English has it.
        """
        text = self._texts.get(key) or self._english[key]
        return text.format(**values) if values else text

    def has(self, key: str) -> bool:
        """Whether there is such a text."""
        return key in self._english

    def said(self, sentence: str) -> Spoken:
        """A sentence of a service, where the catalogue knows it and what stands in its gaps; in English elsewhere."""
        if self.language == "en":
            return Spoken(sentence, is_english=False)
        found = recognised(sentence)
        return Spoken(self._told(found) if found else sentence, is_english=found is None)

    def _told(self, found: Sentence | Row) -> str:
        stop = FULL_STOP[self.language]
        if isinstance(found, Row):
            return found.between.replace(".", stop).join(self._told(one) for one in found.sentences)
        values = {name: self._in_gap(name, value) for name, value in found.params.items()}
        text = self(found.key).rstrip(".।").format(**values)
        return f"{text}{stop}" if found.ended else text

    def _in_gap(self, name: str, value: str) -> str:
        """What stands in the gap of a sentence, as this language writes it; names stay as they are."""
        match name:
            case "sentence" | "unit":
                return self.said(value).text
            case "tail":
                return f"{value[:2]}{self.said(value[2:]).text}" if value else ""
            case "date":
                return self.date(dt.date.fromisoformat(value))
            case "dated":
                return f" ({self.date(dt.date.fromisoformat(value[-10:]))})" if value else ""
            case "sites" | "codes":
                return ", ".join(self.term("option", code) for code in codes_of(value))
            case "fields":
                return ", ".join(self.field(field) for field in value.split(", "))
            case "category" | "anatomy" | "side":
                return self.term(name, value.lower())
            case "name":
                return value
        return value.replace("-", MINUS)

    def field(self, name: str) -> str:
        """What a field of the record asks for, to be named within a sentence."""
        return self.term("question", name).rstrip("?") if name not in LISTS else self(LISTS[name])

    def problem(self, slug: str, reason: str | None, detail: str) -> Spoken:
        """What is wrong: in the catalogue's words for this problem and reason; in English the detail, which knows more.

        Args:
            detail: the problem's own sentence, in English.
        """
        for key in (f"{slug}.{reason}", f"{slug}.any"):
            if key in self._texts and (self.language != "en" or slug not in SERVICES_WORDS):
                return Spoken(self._texts[key], is_english=False)
        return Spoken(detail, is_english=self.language != "en")

    def term(self, group: str, code: object) -> str:
        """The word for a code of the contracts; the code itself, made readable, where no catalogue has it."""
        key = f"{group}.{code}"
        return self(key) if self.has(key) else str(code).replace("_", " ")

    def date(self, day: dt.date) -> str:
        """24 Nov 2026."""
        return format_date(day, "d MMM y", locale=self._locale)

    def day(self, moment: dt.datetime) -> str:
        """The day of a moment by the site's clock: 24 Nov 2026."""
        return self.date(at_site(moment).date())

    def moment(self, moment: dt.datetime) -> str:
        """By the site's clock: 24 Nov 2026, 15:00 IST."""
        here = at_site(moment)
        return f"{format_datetime(here, 'd MMM y, HH:mm', tzinfo=here.tzinfo, locale=self._locale)} {here.tzname()}"

    def time(self, moment: dt.datetime) -> Html:
        """The same for a page, where programs find it with its offset from UTC."""
        stamp = at_site(moment).isoformat(timespec="seconds")
        return Html(f'<time datetime="{stamp}">{escape(self.moment(moment))}</time>')

    def number(self, value: float, digits: int = 1) -> str:
        """A number with at most so many digits after the point."""
        pattern = "#,##,##0" + ("." + "#" * digits if digits else "")
        written = format_decimal(value, pattern, locale=self._locale, numbering_system="latn")
        return "0" if written == "-0" else written.replace("-", MINUS)

    def percent(self, share: float) -> str:
        """A share of one in per cent: whole, and with a digit more below ten."""
        pattern = "0.0%" if 0 < share < 0.0995 else "0%"
        return format_percent(share, pattern, locale=self._locale, numbering_system="latn")


@cache
def translator_for(language: LanguageCode) -> Translator:
    """The words of a language, made once."""
    return Translator(language)


def chosen(cookie: str | None, accepted: str | None) -> LanguageCode:
    """The reader's choice, else the first of the browser's languages that there is, else English."""
    accepted = (accepted or "")[:LONGEST_WISH]
    wishes = [cookie or "", *(part.partition(";")[0].strip().lower() for part in accepted.split(","))]
    for wish in wishes:
        for language in LANGUAGES:
            if wish.partition("-")[0] == language:
                return language
    return "en"
