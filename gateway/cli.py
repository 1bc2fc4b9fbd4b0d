"""The `trabecula` command."""

import asyncio
import json
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Annotated, Any, NoReturn, TypeVar

import typer
from pydantic import ValidationError

from gateway.settings import SERVICES, GatewaySettings
from shared.problems import TrabeculaError
from shared.settings import wrong_settings

Result = TypeVar("Result")
# What some commands reach and the gateway's own packages do without.
NOT_IN_A_GATEWAY = ("services", "cv2", "numpy")
app = typer.Typer(
    help="Osteoporosis from knee and spine radiographs and clinical data. Research software, not a medical device.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)
rules = typer.Typer(help="The recommender's rules.", no_args_is_help=True)
app.add_typer(rules, name="rules")
Json = Annotated[bool, typer.Option("--json", help="Print JSON")]
StateDir = Annotated[Path | None, typer.Option(help="Database and keys [TRABECULA_STATE_DIR, or ./state]")]


def main() -> None:
    """Run the command; what went wrong is one line that says how to mend it."""
    try:
        app()
    except TrabeculaError as error:
        stop(error.detail)
    except ValidationError as error:
        stop(wrong_settings(error))
    except ModuleNotFoundError as error:
        if (error.name or "").split(".")[0] not in NOT_IN_A_GATEWAY:
            raise
        stop("This needs the services, which a gateway's own container does not carry: run it in a whole installation.")


def stop(line: str) -> NoReturn:
    """Print one line to standard error and end with status 1."""
    typer.echo(line, err=True)
    sys.exit(1)


def read_settings(state_dir: Path | None = None, **given: Any) -> GatewaySettings:
    """The settings from the environment, options coming first."""
    options = {"state_dir": state_dir, **given}
    return GatewaySettings(**{name: value for name, value in options.items() if value is not None})


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
    from gateway.serve import serve as run

    urls = dict(pair.split("=", 1) for pair in services.split(",") if "=" in pair) if services else None
    run(read_settings(state_dir, port=port, host=host, services=urls))


@app.command()
def migrate(state_dir: StateDir = None) -> None:
    """Bring the database to this version's schema and make the first administrator, then end.

    For installations whose gateway runs with TRABECULA_MIGRATE=false, such as containers.
    """
    from gateway.serve import set_up

    set_up(read_settings(state_dir, migrate=True))


@app.command()
def service(
    name: Annotated[str, typer.Argument(help=", ".join(SERVICES))],
    port: Annotated[int, typer.Option(help="Port")],
    host: Annotated[str, typer.Option(help="Address to listen on")] = "127.0.0.1",
    state_dir: StateDir = None,
) -> None:
    """Run one service alone; it answers a gateway that shares its state folder or TRABECULA_INTERNAL_SECRET."""
    if name not in SERVICES:
        stop(f"There is no service '{name}'; there are {', '.join(SERVICES)}.")
    from gateway.serve import serve_service

    serve_service(name, host, port, read_settings(state_dir))


@app.command()
def create_admin(
    email: Annotated[str, typer.Option(help="E-mail address to sign in with")],
    password: Annotated[str | None, typer.Option(envvar="TRABECULA_ADMIN_PASSWORD", help="Made if left out")] = None,
    state_dir: StateDir = None,
    as_json: Json = False,
) -> None:
    """Make an administrator of the first organisation."""
    from gateway.administration import administrator

    made = with_database(state_dir, lambda settings: administrator(settings, email, password))
    show(made, as_json, f"Administrator {made['email']}, password (shown once): {made['password']}")


@app.command()
def create_key(
    name: Annotated[str, typer.Option(help="What the key is for")],
    scopes: Annotated[str, typer.Option(help='For example "assessments:write assessments:read models:read"')],
    days: Annotated[int | None, typer.Option(min=1, help="Days until it expires; never if left out")] = None,
    state_dir: StateDir = None,
    as_json: Json = False,
) -> None:
    """Make an API key for a hospital system of the first organisation."""
    from gateway.administration import key

    made = with_database(state_dir, lambda settings: key(settings, name, scopes, days))
    show(made, as_json, f"API key (shown once): {made['key']}")


@app.command()
def assess(
    image: Annotated[Path | None, typer.Argument(help="Radiograph: JPEG, PNG or DICOM")] = None,
    clinical: Annotated[Path | None, typer.Option(help="Clinical record, a JSON file")] = None,
    clinical_model: Annotated[str, typer.Option(help="bone_density or lifestyle")] = "bone_density",
    as_json: Json = False,
) -> None:
    """Make one assessment without a server; nothing is stored."""
    from gateway.offline import assess_files

    assessment, summary = asyncio.run(assess_files(image, clinical, clinical_model))
    typer.echo(assessment.model_dump_json(indent=2) if as_json else "\n".join(summary))


@rules.command("check")
def check_rules(
    directory: Annotated[Path | None, typer.Argument(help="A rules folder; the site's own if left out")] = None,
    as_json: Json = False,
) -> None:
    """Check a rules folder; says what is broken, unsigned, switched off or untranslated."""
    from gateway.embedded import rules_report

    report = rules_report(directory)
    if as_json:
        typer.echo(report.model_dump_json(indent=2))
    else:
        lines = [f"fault         {fault}" for fault in report.faults]
        lines += [f"unsigned      {rule}  {digest}" for rule, digest in report.unsigned.items()]
        lines += [f"disabled      {rule}" for rule in report.disabled]
        lines += [f"untranslated  {rule}" for rule in report.untranslated]
        lines += [f"version {report.version}: " + ", ".join(f"{count} {name}" for name, count in report.counts.items())]
        typer.echo("\n".join(lines))
    if not report.usable:
        raise typer.Exit(1)


@rules.command("explain")
def explain_rules(
    case: Annotated[
        Path, typer.Argument(help='JSON: {"record": {...}, "imaging": ..., "staging": ..., "clinical": ...}')
    ],
    as_json: Json = False,
) -> None:
    """Show why each rule did or did not fire for one case."""
    from gateway.offline import explain_file

    explanations = explain_file(case)
    if as_json:
        typer.echo(json.dumps([one.model_dump() for one in explanations], indent=2))
        return
    for one in explanations:
        missing = f"  (missing: {', '.join(one.missing)})" if one.missing else ""
        typer.echo(f"{one.outcome:12} {one.sort:8} {one.id}{missing}")
        for reason in one.because:
            typer.echo(f"             {reason}")


def with_database(state_dir: Path | None, work: Callable[[GatewaySettings], Awaitable[Result]]) -> Result:
    """Migrate, then run some work on the installation's database."""
    from gateway.administration import prepare

    settings = read_settings(state_dir)
    prepare(settings)

    async def run() -> Result:
        return await work(settings)

    return asyncio.run(run())


def show(made: dict[str, Any], as_json: bool, line: str) -> None:
    """Print what was made, for people or for programs."""
    typer.echo(json.dumps(made) if as_json else line)


if __name__ == "__main__":
    main()
