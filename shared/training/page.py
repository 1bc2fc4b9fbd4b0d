"""A model card as a page that people read: every figure of `card.json`, none written by hand."""

from typing import Any

from shared.contracts.models import Evidence, ModelCard, ModelVersion, WeightsUse


def page(card: ModelCard, pictures: tuple[str, ...] = ()) -> str:
    """The card in Markdown; `pictures` are file names beside the page."""
    parts = [
        f"# {card.name} {card.version}",
        card.summary,
        f"**Intended use.** {card.intended_use}",
        f"**Not for.** {card.excluded_use}",
        f"**Licence of the weights.** {card.licence}",
        *(["\n".join(weights_table(card.weights))] if card.weights else []),
        _list("Data", card.data),
        _list("Limits and known failures", card.limits),
        *_evidence(card.evidence),
        *_versions(card.versions),
        "## Figures",
        "Intervals are 95 %, bootstrapped over patients. "
        f"`{card.trained}` gives these figures again and writes this page.",
        *_figures(card.metrics),
        *(f"![{name}]({name})" for name in pictures),
    ]
    return "\n\n".join(parts) + "\n"


def _evidence(evidence: Evidence) -> list[str]:
    """Baselines, other sets, subgroups, devices and sizes, and what nobody has measured; nothing where none is."""
    groups = {
        "Baselines": evidence.baselines,
        "On sets that nothing was learned from": evidence.external,
        "Subgroups": evidence.subgroups,
    }
    parts = [f"### {title}\n\n{_table(_flat(figures))}" for title, figures in groups.items() if figures]
    lists = {"Devices and sizes": evidence.devices_and_sizes, "Not measured": evidence.not_measured}
    parts += [_list(title, lines, level=3) for title, lines in lists.items() if lines]
    return ["## How far it carries", *parts] if parts else []


def _versions(versions: list[ModelVersion]) -> list[str]:
    """What changed from version to version, with each one's figures as measured then."""
    if not versions:
        return []
    columns = list(dict.fromkeys(name for version in versions for name in version.figures))
    head = [f"| version | what changed | {' | '.join(map(_words, columns))} |", "|---" * (2 + len(columns)) + "|"]
    rows = [
        f"| {one.version} | {one.change} | {' | '.join(_shown(one.figures.get(name, '')) for name in columns)} |"
        for one in versions
    ]
    return ["## Versions", "\n".join([*head, *rows])]


def weights_table(uses: list[WeightsUse]) -> list[str]:
    """What each part of a model may be used for, as lines of a table; none where the card does not say."""
    if not uses:
        return []
    head = ["| part | learned from | may be used for |", "|---|---|---|"]
    rows = [f"| {_words(use.part)}: {use.does} | {', '.join(use.learned_from)} | {allowed(use)} |" for use in uses]
    return [*head, *rows]


def allowed(use: WeightsUse) -> str:
    """What a part of a model may be used for, in words."""
    if use.research_only:
        return f"**research only**, for {', '.join(use.restricted_by)}"
    return "what the licences of these sets allow"


def _list(title: str, lines: list[str], level: int = 2) -> str:
    return "\n".join([f"{'#' * level} {title}", "", *(f"- {line}" for line in lines)])


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
