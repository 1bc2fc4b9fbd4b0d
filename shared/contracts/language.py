"""The languages of pages, reports and texts for patients; the others are translated from English."""

from typing import Literal, get_args

TranslatedLanguage = Literal["hi", "kn"]
LanguageCode = Literal["en", TranslatedLanguage]
LANGUAGES: tuple[LanguageCode, ...] = get_args(LanguageCode)
