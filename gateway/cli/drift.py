"""`drift`: whether cases still are as those were that the site began with."""

from typing import Annotated

import typer

from gateway.cli.terminal import Json, Organisation, StateDir, show, with_database

app = typer.Typer()


@app.command()
def drift(
    begin_anew: Annotated[
        bool,
        typer.Option("--begin-anew", help="Make the next 300 cases the reference, as after a new model"),
    ] = False,
    organisation: Organisation = None,
    state_dir: StateDir = None,
    as_json: Json = False,
) -> None:
    """Show how devices, pictures, people and answers of late differ from the site's first 300 cases."""
    from gateway.assessing.drift import drift_of
    from gateway.assessing.drift_test import REFERENCE

    view = with_database(state_dir, lambda settings: drift_of(settings, begin_anew, organisation))
    lines = [f"reference: {view.reference_cases} of {REFERENCE} cases; since then {view.cases_since}"]
    for one in view.alarms:
        now, before = _shares(one.now), _shares(one.reference)
        lines.append(f"CHANGED  {one.feature}, last {one.window}: {now}; before: {before} (p {one.p:.1g})")
    if view.features and not view.alarms:
        lines.append("nothing has changed that would be noticed")
    show(view.model_dump(mode="json"), as_json, "\n".join(lines))


def _shares(shares: dict[str, float]) -> str:
    """The commonest values."""
    return ", ".join(f"{value} {share:.0%}" for value, share in list(shares.items())[:4]) or "none"
