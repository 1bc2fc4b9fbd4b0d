"""`serve`, `migrate`, `service` and `assess`: the installation, one service of it, or one assessment without either."""

import asyncio
from pathlib import Path
from typing import Annotated

import typer

from gateway.cli.terminal import Json, StateDir, read_settings, stop
from shared.components import SERVICE_NAMES

app = typer.Typer()


@app.command()
def serve(
    port: Annotated[int | None, typer.Option(help="Port [TRABECULA_PORT, or 8080]")] = None,
    state_dir: StateDir = None,
    host: Annotated[str | None, typer.Option(help="Address to listen on [TRABECULA_HOST, or 127.0.0.1]")] = None,
    services: Annotated[
        str | None, typer.Option(help="The services' URLs as name=URL,name=URL,...; all in this process if left out")
    ] = None,
) -> None:
    """Start the installation: migrate, make the first administrator, check the models, serve."""
    from gateway.server import serve as run

    urls = dict(pair.split("=", 1) for pair in services.split(",") if "=" in pair) if services else None
    run(read_settings(state_dir, port=port, host=host, services=urls))


@app.command()
def migrate(state_dir: StateDir = None) -> None:
    """Bring the database to this version's schema and make the first administrator, then end.

    For installations whose gateway runs with TRABECULA_MIGRATE=false, such as containers.
    """
    from gateway.server import set_up

    set_up(read_settings(state_dir, migrate=True))


@app.command()
def service(
    name: Annotated[str, typer.Argument(help=", ".join(SERVICE_NAMES))],
    port: Annotated[int, typer.Option(help="Port")],
    host: Annotated[str, typer.Option(help="Address to listen on")] = "127.0.0.1",
    state_dir: StateDir = None,
) -> None:
    """Run one service alone; it answers a gateway that shares its state folder or TRABECULA_INTERNAL_SECRET."""
    if name not in SERVICE_NAMES:
        stop(f"There is no service '{name}'; there are {', '.join(SERVICE_NAMES)}.")
    from gateway.server import serve_service

    serve_service(name, host, port, read_settings(state_dir))


@app.command()
def assess(
    image: Annotated[Path | None, typer.Argument(help="Radiograph: DICOM, JPEG, PNG, TIFF, WebP or HEIC")] = None,
    clinical: Annotated[Path | None, typer.Option(help="Clinical record, a JSON file")] = None,
    clinical_model: Annotated[str, typer.Option(help="bone_density or lifestyle")] = "bone_density",
    as_json: Json = False,
) -> None:
    """Make one assessment without a server; nothing is stored."""
    from gateway.cli.assess_files import assess_files

    assessment, summary = asyncio.run(assess_files(image, clinical, clinical_model, read_settings().clinic_policy()))
    typer.echo(assessment.model_dump_json(indent=2) if as_json else "\n".join(summary))
