"""Kleene's three-valued logic: true, false, and None for unknown. Unknown never becomes "no" on its way."""

from collections.abc import Iterable

Truth = bool | None


def any_of(parts: Iterable[Truth]) -> Truth:
    """Or: one true decides; else one unknown leaves it open. Nothing at all is false."""
    unknown = False
    for part in parts:
        if part:
            return True
        unknown = unknown or part is None
    return None if unknown else False


def all_of(parts: Iterable[Truth]) -> Truth:
    """And: one false decides; else one unknown leaves it open. Nothing at all is true."""
    return negation(any_of(negation(part) for part in parts))


def negation(part: Truth) -> Truth:
    """Not: the opposite of unknown is unknown."""
    return None if part is None else not part
