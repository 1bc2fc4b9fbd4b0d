"""Tables and lists in Markdown."""

from collections.abc import Iterable, Sequence

Figure = dict[str, float]


def table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    """The first column is text, the others are numbers."""
    rule = "|".join(["---"] + ["---:"] * (len(heads) - 1))
    return [f"| {' | '.join(heads)} |", f"|{rule}|", *(f"| {' | '.join(row)} |" for row in rows)]


def bullets(lines: Iterable[str]) -> list[str]:
    """One bullet a line."""
    return [f"- {line}" for line in lines]


def with_interval(figure: Figure) -> str:
    """A figure and its interval, three decimals."""
    return f"{figure['value']:.3f} ({figure['low']:.3f} to {figure['high']:.3f})"


def per_cent(figure: Sequence[float] | None, decimals: int = 0) -> str:
    """A share and both ends of its interval in per cent; empty where there was nobody to measure it in."""
    if figure is None:
        return ""
    value, low, high = (f"{100 * number:.{decimals}f}" for number in figure)
    return f"{value} ({low} to {high})"
