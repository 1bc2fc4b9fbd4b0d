"""Keeping an installation well: is everything in order, its API on paper, backup and restore."""

import asyncio
import json
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from gateway.cli.terminal import Json, StateDir, read_settings, show, with_database
from gateway.settings import GatewaySettings
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
def rewrap(
    new_secret: Annotated[bool, typer.Option(help="First make a new secret in the state folder, and end")] = False,
    state_dir: StateDir = None,
    as_json: Json = False,
) -> None:
    """After the data secret was renewed: wrap every key with the new one. The gateway may run, if it knows both.

    It can be stopped and run again. What the keys encrypt stays as it is, so this helps against a secret that leaked
    alone, not against one that leaked with a copy of the database.
    """
    from gateway.assessing.data_secret import renew_data_secret
    from gateway.assessing.data_secret import rewrap as run

    if new_secret:
        renewed = renew_data_secret(read_settings(state_dir))
        line = "There is a new data secret, and the one before beside it: keep a copy apart from the backups.\n"
        show(renewed, as_json, line + "Now restart the gateway, then run 'trabecula rewrap'.")
        return
    done = with_database(state_dir, run)
    line = f"{done['rewrapped']} keys wrapped anew, {done['left']} left."
    end = " The secret before opens nothing here any more, but older backups: keep it with them, and nowhere else."
    show(done, as_json, line + ("" if done["left"] else end))
    if done["left"]:
        raise typer.Exit(1)


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
def restore_drill(
    file: Annotated[Path, typer.Argument(help="A backup")], state_dir: StateDir = None, as_json: Json = False
) -> None:
    """Try a backup: restore it beside the running installation, check it, delete it again, and say how long it took."""
    from gateway.cli.backup import drill

    done = asyncio.run(drill(read_settings(state_dir), file))
    rows, seconds = sum(done["rows"].values()), done["seconds"]
    show(done, as_json, f"{rows} rows restored and checked in {seconds} s; nothing of them is left")


@app.command()
def preflight(
    time_server: Annotated[str | None, typer.Option(help="A time server, to compare the clock with")] = None,
    state_dir: StateDir = None,
    as_json: Json = False,
) -> None:
    """Say what a hospital still has to do before it begins; changes nothing."""
    from gateway.assessing.administration import open_database
    from gateway.assessing.model_use import as_in_use
    from gateway.assessing.preflight import PreflightStep
    from gateway.assessing.preflight import preflight as run
    from gateway.server import services_of

    async def look(settings: GatewaySettings) -> list[PreflightStep]:
        async with open_database(settings) as database, services_of(settings)() as services:
            return await run(settings, database, await as_in_use(services, settings), time_server)

    configure_logging("WARNING")
    steps = with_database(state_dir, look)
    lines = [f"{step.state:6}  {step.name:24}  {step.detail}" for step in steps]
    show([asdict(step) for step in steps], as_json, "\n".join(lines))
    if any(step.state == "to do" for step in steps):
        raise typer.Exit(1)


@app.command()
def restore(
    file: Annotated[Path, typer.Argument(help="A backup")], state_dir: StateDir = None, as_json: Json = False
) -> None:
    """Fill a new state folder or an empty database from a backup, and check what came of it."""
    from gateway.cli.backup import restore as run

    done = asyncio.run(run(read_settings(state_dir), file))
    rows = sum(done["rows"].values())
    show(done, as_json, f"{rows} rows restored; the audit trail's {done['audit_length']} lines are whole")
