"""`fhir`: how another system's resources are read, without a server."""

import json
from pathlib import Path
from typing import Annotated

import typer

from gateway.cli.terminal import Json, read_settings
from gateway.platform.clock import today
from shared.problems import InvalidInput

app = typer.Typer(help="HL7 FHIR.", no_args_is_help=True)


@app.command("explain")
def explain_file(
    file: Annotated[Path, typer.Argument(help="A Bundle or Parameters as JSON")],
    as_json: Json = False,
) -> None:
    """Show what a Bundle comes to as a clinical record: what is used, what is not and why. Nothing is stored."""
    from gateway.interop.fhir.reading.explanation import as_json as explanation
    from gateway.interop.fhir.reading.explanation import as_lines
    from gateway.interop.fhir.reading.mapping import map_resources
    from gateway.interop.fhir.reading.parsing import parse_json

    try:
        data = file.read_bytes()
    except OSError as error:
        raise InvalidInput(f"{file} cannot be read: {error.strerror}.") from error
    settings = read_settings()
    systems = [settings.fhir_patient_system] if settings.fhir_patient_system else []
    femur = None if settings.fhir_femur_site == "unused" else settings.fhir_femur_site
    mapping = map_resources(parse_json(data), today(), systems, femur)
    typer.echo(json.dumps(explanation(mapping), indent=2) if as_json else "\n".join(as_lines(mapping)))
    if mapping.faults:
        raise typer.Exit(1)
