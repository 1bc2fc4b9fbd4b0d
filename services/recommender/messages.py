"""The texts for patients in other languages, by rule id; English is the rule's own `patient_text`."""

from collections.abc import Iterator, Mapping
from typing import Annotated

from pydantic import Field

from services.recommender.schema import PLACEHOLDER, Schema
from shared.contracts.language import TranslatedLanguage
from shared.contracts.recommendation import Translation

UNREVIEWED = "machine translation, unreviewed"


class Message(Schema):
    """A translated text, made for a certain version of its rule."""

    version: Annotated[str, Field(pattern=r"^\d+\.\d+\.\d+$")]
    text: Annotated[str, Field(min_length=3)]
    status: Annotated[str, Field(description="Who reviewed it and when; unreviewed until then")] = UNREVIEWED

    @property
    def placeholders(self) -> set[str]:
        """The facts that the text quotes."""
        return set(PLACEHOLDER.findall(self.text))


class Catalogue(Schema):
    """The messages of one language. `phrases` are the sentences that go with a drug class's status."""

    language: TranslatedLanguage
    phrases: dict[str, Message]
    messages: dict[str, Message]

    def find(self, rule_id: str, version: str) -> Message | None:
        """The message of a rule, if it was made for this version of it."""
        message = self.messages.get(rule_id)
        return message if message and message.version == version else None

    def translation(self, parts: list[Message | None], values: Mapping[str, str]) -> Translation | None:
        """Several messages as one text; None if one of them is missing, so that English is shown alone."""
        present = [part for part in parts if part is not None]
        if not present or len(present) < len(parts):
            return None
        text = " ".join(part.text.format(**values) for part in present)
        reviewed = {part.status for part in present}
        return Translation(
            language=self.language,
            text=text,
            status=UNREVIEWED if UNREVIEWED in reviewed else "; ".join(sorted(reviewed)),
        )

    def gaps(self, wanted: Mapping[str, str]) -> Iterator[str]:
        """What falls back to English: wanted texts (version by rule id) that are missing or of another version."""
        for rule_id, version in wanted.items():
            message = self.messages.get(rule_id)
            if message is None:
                yield f"{self.language}: {rule_id} is not translated"
            elif message.version != version:
                yield f"{self.language}: {rule_id} is translated at {message.version}, the rule is at {version}"
