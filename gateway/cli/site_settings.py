"""`site-settings`: what a site has found on its own labelled films, put on top of the networks, and the way back."""

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from gateway.cli.terminal import Json, Organisation, StateDir, read_settings, show, with_database
from shared.contracts.site_settings import SiteSettings
from shared.problems import InvalidInput

if TYPE_CHECKING:  # NumPy, which other commands do without
    from gateway.evaluation.site_settings import Wanted
    from gateway.records.site_settings import SettingsChange
    from gateway.settings import GatewaySettings

app = typer.Typer(help="The site's own operating point, prevalence and calibration.", no_args_is_help=True)
Version = Annotated[str, typer.Argument(help="As `trabecula site-settings show` lists it")]


@app.command("fit")
def fit(
    table: Annotated[Path, typer.Argument(help="CSV as for `trabecula evaluate`; other films than you evaluate with")],
    version: Annotated[str, typer.Option(help="A name for what is made, such as 2026.11")],
    grades: Annotated[bool, typer.Option("--grades", help="Recalibrate the grades' probabilities")] = False,
    sensitivity: Annotated[
        float | None, typer.Option(min=0.5, max=0.99, help="Call this share of people with osteoporosis [no change]")
    ] = None,
    anatomy: Annotated[str, typer.Option(help="knee, spine, or both: where the sensitivity is wanted")] = "knee",
    prevalence: Annotated[
        str | None,
        typer.Option(help="Share with osteoporosis, such as 0.12, or 'table' [the setting's]"),
    ] = None,
    organisation: Organisation = None,
    state_dir: StateDir = None,
    as_json: Json = False,
) -> None:
    """Learn settings from a table's films and store them as a version. Nothing changes before it is activated."""
    from gateway.assessing.administration import prepare
    from gateway.evaluation.evaluate import checked_table
    from gateway.evaluation.site_settings import Wanted
    from shared.logs import configure_logging

    configure_logging("WARNING")
    anatomies = ("knee", "spine") if anatomy == "both" else (anatomy,)
    if not set(anatomies) <= {"knee", "spine"}:
        raise InvalidInput("--anatomy: knee, spine or both.")
    wanted = Wanted(version, grades, sensitivity, anatomies, _share(prevalence))  # type: ignore[arg-type]
    wanted.check()
    checked = checked_table(table)
    settings = read_settings(state_dir)
    prepare(settings)
    made = asyncio.run(_fitted(settings, checked, wanted, organisation))
    show(
        made.model_dump(mode="json"),
        as_json,
        "\n".join([*lines_of(made), "Stored; nothing changes before you activate it."]),
    )


@app.command("show")
def show_settings(
    version: Annotated[str | None, typer.Argument(help="One version in full; all of them if left out")] = None,
    organisation: Organisation = None,
    state_dir: StateDir = None,
    as_json: Json = False,
) -> None:
    """Show the versions, which of them is in use, and who stands by it."""
    from gateway.assessing.site_settings_versions import settings_of, settings_state

    if version:
        made = with_database(state_dir, lambda settings: settings_of(settings, version, organisation))
        show(made.model_dump(mode="json"), as_json, "\n".join(lines_of(made)))
        return
    state = with_database(state_dir, lambda settings: settings_state(settings, organisation))
    lines = [f"in use: {state.active or 'none: the networks answer as they are'}"]
    lines += [f"{made.version:20} made {made.made_at:%Y-%m-%d}" for made in state.versions]
    lines += [f"{change.at:%Y-%m-%d %H:%M} {_changed(change)}" for change in state.changes]
    shown = {
        "active": state.active,
        "versions": [made.model_dump(mode="json") for made in state.versions],
        "changes": [_as_json(change) for change in state.changes],
    }
    show(shown, as_json, "\n".join(lines))


@app.command("activate")
def activate_settings(
    version: Version,
    name: Annotated[str, typer.Option(help="Who stands by it: the clinician's name")],
    role: Annotated[str, typer.Option(help="What the clinician is, such as radiologist")],
    organisation: Organisation = None,
    state_dir: StateDir = None,
    as_json: Json = False,
) -> None:
    """Put a version in use; every answer from now on that it changes names it."""
    from gateway.assessing.site_settings_versions import activate

    change = with_database(state_dir, lambda settings: activate(settings, version, name, role, organisation))
    show(_as_json(change), as_json, _changed(change))


@app.command("back")
def back_settings(organisation: Organisation = None, state_dir: StateDir = None, as_json: Json = False) -> None:
    """Go back to what was in use before the present version, or to the networks as they are."""
    from gateway.assessing.site_settings_versions import back

    change = with_database(state_dir, lambda settings: back(settings, organisation))
    show(_as_json(change), as_json, _changed(change))


async def _fitted(
    settings: "GatewaySettings", checked: Any, wanted: "Wanted", organisation: str | None
) -> SiteSettings:
    from gateway.assessing.model_use import as_in_use
    from gateway.assessing.site_settings_versions import settings_state, store_settings
    from gateway.cli.check import services_source
    from gateway.cli.evaluate import read_line
    from gateway.evaluation.estimates import Bootstrap
    from gateway.evaluation.site_settings import fitted
    from gateway.evaluation.stored import stored_readings

    stored = await stored_readings(settings, checked.path, checked.rows, organisation)
    known = {made.version: made for made in (await settings_state(settings, organisation)).versions}
    if wanted.version in known:
        raise InvalidInput(f"There are site settings {wanted.version} already: name another version.")
    async with services_source(settings)() as loaded:
        services = await as_in_use(loaded, settings)
        policy = settings.clinic_policy()
        made = await fitted(checked, services, policy, wanted, Bootstrap(1000, 0), stored, known, read_line)
    await store_settings(settings, made, organisation)
    return made


def lines_of(made: SiteSettings) -> list[str]:
    """A version for people."""
    lines = [f"site settings {made.version}, made {made.made_at:%Y-%m-%d}, table's SHA-256 {made.table_sha256}"]
    if made.grades:
        of = made.grades
        difference = of.log_loss_difference
        lines.append(
            f"grades of {of.model.name} {of.model.version}: temperature {of.temperature}, shift {of.shift}; log loss "
            f"{of.log_loss_before} before, {of.log_loss_after} after (difference {difference.value}, "
            f"{difference.low} to {difference.high}) on {of.knees} knees of {of.patients} patients, out of fold"
        )
    for point in made.operating_points:
        sensitivity, specificity = point.sensitivity, point.specificity
        lines.append(
            f"{point.anatomy}: osteoporosis is called from {point.threshold:.4f} on, for a sensitivity of "
            f"{point.wanted_sensitivity}; out of fold sensitivity {sensitivity.value} ({sensitivity.low} to "
            f"{sensitivity.high}) in {point.patients_with} patients, specificity {specificity.value} "
            f"({specificity.low} to {specificity.high}) in {point.patients_without}"
        )
    if made.prevalence:
        lines.append(f"prevalence {made.prevalence.value}: {made.prevalence.basis}")
    return lines


def _share(prevalence: str | None) -> float | str | None:
    if prevalence in (None, "table"):
        return prevalence
    try:
        share = float(str(prevalence))
    except ValueError:
        share = 0.0
    if not 0.001 <= share <= 0.9:
        raise InvalidInput("--prevalence: a share from 0.001 to 0.9, or 'table'.")
    return share


def _changed(change: "SettingsChange") -> str:
    if change.version is None:
        return "The networks answer as they are."
    return f"Site settings {change.version} are in use; {change.name} ({change.role}) stands by them."


def _as_json(change: "SettingsChange") -> dict[str, Any]:
    return {**vars(change), "at": change.at.isoformat()}
