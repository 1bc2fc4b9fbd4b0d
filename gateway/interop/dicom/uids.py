"""Unique identifiers that follow from what they identify: a result that is made again is the same instance.

They are UUIDs as UIDs (PS3.5 annex B.2), made from the organisation's own id and the names of what is identified, so no
two installations make the same one.
"""

from uuid import UUID, uuid5

# Goes up when the objects of a result come to say something else, so that no UID ever stands for two contents.
EDITION = "1"


def uid(organisation_id: UUID, *names: str) -> str:
    """The UID of what these names stand for within an organisation, at most 44 characters."""
    return f"2.25.{uuid5(organisation_id, '/'.join((EDITION, *names))).int}"
