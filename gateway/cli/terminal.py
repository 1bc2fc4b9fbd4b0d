"""What the commands have in common: their options, the settings, and how they answer people and programs."""

import asyncio
import json
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Annotated, Any, NoReturn, TypeVar

import typer

from gateway.settings import GatewaySettings

Result = TypeVar("Result")
Json = Annotated[bool, typer.Option("--json", help="Print JSON")]
StateDir = Annotated[Path | None, typer.Option(help="Database and keys [TRABECULA_STATE_DIR, or ./state]")]
Organisation = Annotated[str | None, typer.Option(help="Name of the organisation, made if new; the first if left out")]


def stop(line: str) -> NoReturn:
    """Print one line to standard error and end with status 1."""
    typer.echo(line, err=True)
    sys.exit(1)


def read_settings(state_dir: Path | None = None, **given: Any) -> GatewaySettings:
    """The settings from the environment, options coming first."""
    options = {"state_dir": state_dir, **given}
    return GatewaySettings(**{name: value for name, value in options.items() if value is not None})


def with_database(state_dir: Path | None, work: Callable[[GatewaySettings], Awaitable[Result]]) -> Result:
    """Migrate, then run some work on the installation's database."""
    from gateway.assessing.administration import prepare

    settings = read_settings(state_dir)
    prepare(settings)

    async def run() -> Result:
        return await work(settings)

    return asyncio.run(run())


def show(made: Any, as_json: bool, line: str) -> None:
    """Print what was made, for people or for programs."""
    typer.echo(json.dumps(made, indent=2) if as_json else line)
