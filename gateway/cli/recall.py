"""`recall`: which patients were read by a version of a model that turned out to be wrong."""

import csv
import io
import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from gateway.cli.terminal import Json, Organisation, StateDir, with_database
from gateway.platform.owner_only import replace_file
from shared.problems import InvalidInput

if TYPE_CHECKING:
    from gateway.settings import GatewaySettings

app = typer.Typer()
COLUMNS = ("patient_number", "patient_id", "assessment_id", "created_at", "withdrawn", "restricted")


@app.command()
def recall(
    model: Annotated[str, typer.Option(help="Name and version as answers have them, such as staging:0.4.0")],
    csv_file: Annotated[Path | None, typer.Option("--csv", help="Write the list here, for you alone to read")] = None,
    alert: Annotated[
        bool, typer.Option("--alert", help="Give each of these patients an alert, to look at it within 30 days")
    ] = False,
    organisation: Organisation = None,
    state_dir: StateDir = None,
    as_json: Json = False,
) -> None:
    """List whose assessments a version of a model, of the rules or of the site's settings had a part in."""
    found, alerts = with_database(state_dir, lambda settings: _recalled(settings, model, alert, organisation))
    if csv_file is not None:
        _write(csv_file, found)
    if as_json:
        typer.echo(json.dumps({"model": model, "items": found, "alerts": alerts}, indent=2))
        return
    if csv_file is None:
        typer.echo(_table(found), nl=False)
    patients = len({one["patient_id"] for one in found if one["patient_id"]})
    typer.echo(f"{len(found)} assessments of {patients} patients; {alerts} alerts made.", err=csv_file is None)


async def _recalled(
    settings: "GatewaySettings", model: str, alert: bool, organisation: str | None
) -> tuple[list[dict[str, Any]], int]:
    from gateway.assessing.recall import recalled

    found: list[dict[str, Any]] = []
    alerts = 0
    async for step in recalled(settings, model, alert, organisation):
        found += [{name: _written(getattr(one, name)) for name in COLUMNS} for one in step.items]
        alerts += step.alerts
    return found, alerts


def _written(value: Any) -> Any:
    return value if value is None or isinstance(value, bool | str) else str(value)


def _table(found: list[dict[str, Any]]) -> str:
    text = io.StringIO()
    writer = csv.DictWriter(text, COLUMNS, lineterminator="\n")
    writer.writeheader()
    writer.writerows(found)
    return text.getvalue()


def _write(file: Path, found: list[dict[str, Any]]) -> None:
    try:
        replace_file(file, _table(found))
    except OSError as error:
        raise InvalidInput(f"{file} cannot be written: {error.strerror}.") from error
