"""How much of a limit is left, for the headers of the answer: noted while a request is counted."""

from contextvars import ContextVar
from dataclasses import dataclass


@dataclass(frozen=True)
class RateNote:
    """A limit and what is left of it.

    Args:
        name: of the limit.
        quota: how often within the window.
        window_s: how long the window is, in seconds.
        remaining: how often still.
        reset_s: until a new window begins, in seconds.
    """

    name: str
    quota: int
    window_s: int
    remaining: int
    reset_s: int


_notes: ContextVar[list[RateNote] | None] = ContextVar("rate_notes", default=None)


def collect_rate_notes() -> list[RateNote]:
    """Begin to collect the notes of this request: they are added to the list as it is counted."""
    notes: list[RateNote] = []
    _notes.set(notes)
    return notes


def note_rate(note: RateNote) -> None:
    """Add a note, where somebody collects them."""
    notes = _notes.get()
    if notes is not None:
        notes.append(note)
