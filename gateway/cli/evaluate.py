"""`evaluate`: how good this installation's networks are on a site's own films."""

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gateway.cli.terminal import Json, Organisation, StateDir, read_settings, show
from gateway.settings import GatewaySettings
from shared.label_table import listed

if TYPE_CHECKING:  # NumPy, which other commands do without
    from gateway.evaluation.estimates import Bootstrap
    from gateway.evaluation.evaluate import CheckedTable, Evaluated

app = typer.Typer()


@app.command()
def evaluate(
    table: Annotated[
        Path, typer.Argument(help="CSV with the site's own truth; films are named relative to its folder")
    ],
    output: Annotated[
        Path | None, typer.Option(help="Folder for the report [beside the table, NAME-evaluation]")
    ] = None,
    check_only: Annotated[bool, typer.Option("--check-only", help="Check the table and its files, and end")] = False,
    pictures: Annotated[bool, typer.Option(help="Small pictures of the worst cases in the HTML")] = True,
    resamples: Annotated[int, typer.Option(min=100, max=100_000, help="Of the patients, for the intervals")] = 1000,
    seed: Annotated[int, typer.Option(min=0, help="The same seed gives the same intervals")] = 0,
    site_settings: Annotated[
        str | None, typer.Option(help="Version of the site's own settings to read with [the networks as they are]")
    ] = None,
    model: Annotated[
        str | None, typer.Option(help="Another version to read with, such as staging:2026.12 [the one in use]")
    ] = None,
    organisation: Organisation = None,
    state_dir: StateDir = None,
    as_json: Json = False,
) -> None:
    """Find out how good the networks are here: read a table's films, compare with its truth, and write a report.

    The films are read by the installation's own services; nothing is stored in it. The report is JSON, HTML and PDF.
    """
    from gateway.assessing.administration import prepare
    from gateway.assessing.model_packages import read_version
    from gateway.evaluation.estimates import Bootstrap
    from gateway.evaluation.evaluate import checked_table
    from gateway.evaluation.files import prepare_folder, write_report
    from gateway.evaluation.wording import summary
    from shared.logs import configure_logging

    configure_logging("WARNING")
    checked = checked_table(table)
    if checked.notices:
        typer.echo(listed(checked.notices), err=True)
    if check_only:
        show({"lines": len(checked.rows)}, as_json, f"{table}: fit to be evaluated.")
        return
    folder = output or table.with_name(f"{table.stem}-evaluation")
    prepare_folder(folder)  # before the films are read, which takes minutes
    settings, bootstrap = read_settings(state_dir), Bootstrap(resamples, seed)
    other = dict([read_version(model)]) if model else {}
    if site_settings or any(row.assessment for row in checked.rows):
        prepare(settings)
    evaluated = asyncio.run(_evaluated(settings, checked, pictures, bootstrap, organisation, site_settings, other))
    files = [str(file) for file in write_report(evaluated, folder)]
    show({"files": files}, as_json, "\n".join([*summary(evaluated.evaluation), "", *files]))


async def _evaluated(
    settings: GatewaySettings,
    checked: "CheckedTable",
    pictures: bool,
    bootstrap: "Bootstrap",
    organisation: str | None,
    version: str | None,
    other: dict[str, str],
) -> "Evaluated":
    from gateway.assessing.model_use import answering_as, versions_in_use
    from gateway.assessing.site_settings_versions import settings_of
    from gateway.cli.check import services_source
    from gateway.evaluation.evaluate import evaluate_table
    from gateway.evaluation.stored import stored_readings

    stored = await stored_readings(settings, checked.path, checked.rows, organisation)
    site = await settings_of(settings, version, organisation) if version else None
    async with services_source(settings)() as loaded:
        services = answering_as(loaded, {**await versions_in_use(settings), **other})
        policy = settings.clinic_policy()
        return await evaluate_table(checked, services, policy, pictures, bootstrap, stored, read_line, site)


def read_line(number: int, count: int) -> None:
    """Say how far it is, now and then."""
    if number == count or number % 10 == 0:
        typer.echo(f"{number} of {count} films read", err=True)
