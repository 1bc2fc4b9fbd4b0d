"""What going back returns to, step by step, of a thing that one version of many does: a network's, or site settings."""

from collections.abc import Iterable


def way_back(changes: Iterable[tuple[str | None, str | None]]) -> list[str | None]:
    """The versions that going back passes, the present one last; each is passed once, so it comes to an end.

    Args:
        changes: oldest first, each a version and what was in use before it (null: what is there without any change).
            Where the version is that of the change before, something else has changed.
    """
    way: list[str | None] = [None]
    for version, before in changes:
        if version == way[-1]:
            continue
        if before == way[-1]:  # put in use: a version that comes again is no step any more where it was
            way = [*(step for step in way if step != version), version]
        else:
            way.pop()
    return way


def before_last(way: list[str | None]) -> str | None:
    """What the present version was put in the place of."""
    return way[-2] if len(way) > 1 else None
