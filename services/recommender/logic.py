"""Kleene's three-valued logic: true, false, and None for unknown. Unknown never becomes "no" on its way."""

from collections.abc import Iterable

Truth = bool | None


def all_of(parts: Iterable[Truth]) -> Truth:
    """And: one false decides; else one unknown leaves it open. Nothing at all is true."""
    parts = tuple(parts)
    if any(part is False for part in parts):
        return False
    return None if any(part is None for part in parts) else True


def any_of(parts: Iterable[Truth]) -> Truth:
    """Or: one true decides; else one unknown leaves it open. Nothing at all is false."""
    parts = tuple(parts)
    if any(part is True for part in parts):
        return True
    return None if any(part is None for part in parts) else False


def negation(part: Truth) -> Truth:
    """Not: the opposite of unknown is unknown."""
    return None if part is None else not part
