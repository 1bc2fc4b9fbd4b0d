"""`audit`: is the audit trail whole."""

from typing import Annotated

import typer

from gateway.cli.terminal import Json, StateDir, show, with_database

app = typer.Typer(help="The audit trail.", no_args_is_help=True)


@app.callback()
def audit() -> None:
    """The audit trail."""


@app.command()
def verify(
    head: Annotated[str | None, typer.Option(help="A head noted earlier, which must still be in the chain")] = None,
    state_dir: StateDir = None,
    as_json: Json = False,
) -> None:
    """Walk the whole chain, and compare it with the head that the gateway notes every hour; names the first fault."""
    from gateway.assessing.administration import verify_audit_trail

    chain = with_database(state_dir, lambda settings: verify_audit_trail(settings, head))
    line = f"The trail is whole: {chain['length']} lines.\nHead, to be noted elsewhere: {chain['head']}"
    if not chain["ok"]:
        line = f"The trail is NOT whole: {chain['fault']}. The {chain['length']} lines before are."
    show(chain, as_json, line)
    if not chain["ok"]:
        raise typer.Exit(1)
