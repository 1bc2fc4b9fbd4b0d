"""Keeping an installation well: is everything in order, its API on paper, backup and restore."""

import asyncio
import json
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from gateway.cli.terminal import Json, StateDir, read_settings, show
from shared.logs import configure_logging
from shared.problems import InvalidInput

app = typer.Typer()


@app.command()
def check(state_dir: StateDir = None, as_json: Json = False) -> None:
    """Check settings, state folder, database, secrets, services and models; changes nothing."""
    from gateway.cli.check import check as run

    configure_logging("WARNING")
    results = asyncio.run(run(read_settings(state_dir)))
    lines = [f"{'ok    ' if result.ok else 'FAILED'}  {result.name:14}  {result.detail}" for result in results]
    show([asdict(result) for result in results], as_json, "\n".join(lines))
    if not all(result.ok for result in results):
        raise typer.Exit(1)


@app.command()
def export_openapi(
    output: Annotated[Path | None, typer.Option(help="File to write; standard output if left out")] = None,
    as_json: Json = False,
) -> None:
    """Write the API's OpenAPI document, for generators of clients. It is JSON anyway, so --json changes nothing."""
    from gateway.app import create_app
    from gateway.assessing.services import over_network

    app_without_services = create_app(read_settings(), over_network({}, ""))  # never started, so none is called
    text = json.dumps(app_without_services.openapi(), indent=2, ensure_ascii=False)
    if output is None:
        typer.echo(text)
        return
    try:
        output.write_text(text + "\n", encoding="utf-8")
    except OSError as error:
        raise InvalidInput(f"{output} cannot be written: {error.strerror}.") from error


@app.command()
def backup(
    file: Annotated[Path, typer.Argument(help="File to write")],
    with_secrets: Annotated[bool, typer.Option(help="Put the secrets in too, which open everything")] = False,
    state_dir: StateDir = None,
    as_json: Json = False,
) -> None:
    """Write the whole database to one file, while the installation runs."""
    from gateway.cli.backup import back_up

    done = back_up(read_settings(state_dir), file, with_secrets)
    show(done, as_json, f"{done['file']}: {sum(done['rows'].values())} rows, {done['bytes']} bytes\n{done['warning']}")


@app.command()
def restore(
    file: Annotated[Path, typer.Argument(help="A backup")], state_dir: StateDir = None, as_json: Json = False
) -> None:
    """Fill a new state folder or an empty database from a backup, and check what came of it."""
    from gateway.cli.backup import restore as run

    done = asyncio.run(run(read_settings(state_dir), file))
    rows = sum(done["rows"].values())
    show(done, as_json, f"{rows} rows restored; the audit trail's {done['audit_length']} lines are whole")
