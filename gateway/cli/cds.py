"""`cds`: which record systems may ask for cards (CDS Hooks)."""

from typing import Annotated

import typer

from gateway.cli.key_files import JwksFile, JwksUrl, read_key_set
from gateway.cli.terminal import Json, Organisation, StateDir, show, with_database

app = typer.Typer(help="Record systems that ask for cards (CDS Hooks).", no_args_is_help=True)
Name = Annotated[str, typer.Argument(help="What the record system is called here")]


@app.command()
def add(
    name: Name,
    issuer: Annotated[str, typer.Option(help="The `iss` of its tokens, such as https://ehr.hospital.example")],
    jwks: JwksFile = None,
    jwks_url: JwksUrl = None,
    fhir_server: Annotated[
        list[str] | None,
        typer.Option(help="Base address where missing data may be asked for; repeat it for more"),
    ] = None,
    organisation: Organisation = None,
    state_dir: StateDir = None,
    as_json: Json = False,
) -> None:
    """Let a record system ask for cards; give its public keys by --jwks or --jwks-url."""
    from gateway.assessing.cds_clients import add_cds_client

    keys, servers = read_key_set(jwks, jwks_url), fhir_server or []
    added = with_database(
        state_dir, lambda settings: add_cds_client(settings, name, issuer, keys, servers, organisation)
    )
    show(added, as_json, f"{added['name']} may ask for cards as {added['issuer']}.")


@app.command("list")
def list_all(organisation: Organisation = None, state_dir: StateDir = None, as_json: Json = False) -> None:
    """List an organisation's record systems."""
    from gateway.assessing.cds_clients import list_cds_clients

    found = with_database(state_dir, lambda settings: list_cds_clients(settings, organisation))
    lines = [f"{client['name']}  {client['issuer']}  {' '.join(client['fhir_servers'])}".rstrip() for client in found]
    show(found, as_json, "\n".join(lines) or "There is no CDS client.")


@app.command()
def remove(name: Name, organisation: Organisation = None, state_dir: StateDir = None, as_json: Json = False) -> None:
    """Answer a record system no more."""
    from gateway.assessing.cds_clients import remove_cds_client

    gone = with_database(state_dir, lambda settings: remove_cds_client(settings, name, organisation))
    show(gone, as_json, f"{gone['name']} is answered no more.")
