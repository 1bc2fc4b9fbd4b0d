"""A model card as a page that people read: every figure of `card.json`, none written by hand."""

from typing import Any

from shared.contracts.models import ModelCard


def page(card: ModelCard, pictures: tuple[str, ...] = ()) -> str:
    """The card in Markdown; `pictures` are file names beside the page."""
    parts = [
        f"# {card.name} {card.version}",
        card.summary,
        f"**Intended use.** {card.intended_use}",
        f"**Not for.** {card.excluded_use}",
        f"**Licence of the weights.** {card.licence}",
        _list("Data", card.data),
        _list("Limits and known failures", card.limits),
        "## Figures",
        "Intervals are 95 %, bootstrapped over patients. "
        f"`{card.trained}` gives these figures again and writes this page.",
        *_figures(card.metrics),
        *(f"![{name}]({name})" for name in pictures),
    ]
    return "\n\n".join(parts) + "\n"


def _list(title: str, lines: list[str]) -> str:
    return "\n".join([f"## {title}", "", *(f"- {line}" for line in lines)])


def _figures(metrics: dict[str, Any]) -> list[str]:
    """One table for the plain figures, then a section for each group of them."""
    groups = {name: value for name, value in metrics.items() if isinstance(value, dict) and not _is_interval(value)}
    plain = {name: value for name, value in metrics.items() if name not in groups}
    parts = [_table(plain)] if plain else []
    for name, group in groups.items():
        parts += [f"### {_words(name)}", _grid(group) if _is_grid(group) else _table(_flat(group))]
    return parts


def _is_grid(group: dict[str, Any]) -> bool:
    """Whether every row of a group has the same figures, as in a comparison."""
    rows = list(group.values())
    return len(rows) > 1 and all(
        isinstance(row, dict) and not _is_interval(row) and [*row] == [*rows[0]] for row in rows
    )


def _grid(group: dict[str, dict[str, Any]]) -> str:
    """One row an entry, one column a figure."""
    columns = list(next(iter(group.values())))
    head = [f"| | {' | '.join(_words(column) for column in columns)} |", "|---" * (1 + len(columns)) + "|"]
    rows = [
        f"| {_words(name)} | {' | '.join(_shown(row[column]) for column in columns)} |" for name, row in group.items()
    ]
    return "\n".join([*head, *rows])


def _flat(group: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for name, value in group.items():
        if isinstance(value, dict) and not _is_interval(value):
            flat |= _flat(value, f"{prefix}{name}: ")
        else:
            flat[prefix + name] = value
    return flat


def _table(figures: dict[str, Any]) -> str:
    rows = [f"| {_words(name)} | {_shown(value)} |" for name, value in figures.items()]
    return "\n".join(["| figure | value |", "|---|---|", *rows])


def _shown(value: Any) -> str:
    if _is_interval(value):
        if value["value"] is None:
            return "not defined"
        return f"{value['value']:.3f} ({value['low']:.3f} to {value['high']:.3f})"
    if isinstance(value, float):
        return f"{value:.4g}"
    if isinstance(value, list):
        return "; ".join(_shown(item) for item in value) if value and isinstance(value[0], list) else _row(value)
    return str(value)


def _row(values: list[Any]) -> str:
    return " ".join(f"{value:.3g}" if isinstance(value, float) else str(value) for value in values)


def _is_interval(value: Any) -> bool:
    return isinstance(value, dict) and set(value) == {"value", "low", "high"}


def _words(name: str) -> str:
    return name.replace("_", " ")
