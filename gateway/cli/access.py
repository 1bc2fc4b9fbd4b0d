"""Who may come in: administrators, and the keys of hospital systems."""

from typing import Annotated

import typer

from gateway.cli.key_files import JwksFile, JwksUrl, read_key_set
from gateway.cli.terminal import Json, Organisation, StateDir, read_settings, show, with_database
from shared.problems import InvalidInput

app = typer.Typer()
KeyId = Annotated[str, typer.Argument(help="The key's id, or the whole key")]


@app.command()
def create_admin(
    email: Annotated[str, typer.Option(help="E-mail address to sign in with")],
    password: Annotated[
        str | None,
        typer.Option(envvar="TRABECULA_ADMIN_PASSWORD", help="Made if left out"),
    ] = None,
    organisation: Organisation = None,
    state_dir: StateDir = None,
    as_json: Json = False,
) -> None:
    """Make an administrator of an organisation."""
    from gateway.assessing.administration import create_administrator

    account = with_database(state_dir, lambda settings: create_administrator(settings, email, password, organisation))
    show(account, as_json, f"Administrator {account['email']}, password (shown once): {account['password']}")


@app.command()
def registration_code(
    site: Annotated[
        str | None, typer.Option(help="Address of the pages, such as https://clinic.example: its link, and a QR code")
    ] = None,
    state_dir: StateDir = None,
    as_json: Json = False,
) -> None:
    """Show the code that patients register with."""
    from gateway.platform.qr_code import qr_text

    settings = read_settings(state_dir)
    if not settings.is_registration_open():
        raise InvalidInput("Registration is switched off here: TRABECULA_REGISTRATION=true lets patients register.")
    code = settings.registration_secret()
    link = f"{site.rstrip('/')}/register#{code}" if site else None
    text = f"Registration code: {code}" + (f"\n{link}\n\n{qr_text(link)}" if link else "")
    show({"registration_code": code, "link": link}, as_json, text)


@app.command()
def reset_password(
    email: Annotated[str, typer.Option(help="Whose password was forgotten")],
    state_dir: StateDir = None,
    as_json: Json = False,
) -> None:
    """Give an account a new password, which is changed in the browser; its sessions end."""
    from gateway.assessing import administration

    account = with_database(state_dir, lambda settings: administration.reset_password(settings, email))
    show(account, as_json, f"{account['email']}, new password (shown once): {account['password']}")


@app.command()
def reset_second_factor(
    email: Annotated[str, typer.Option(help="Whose authenticator app is lost")],
    state_dir: StateDir = None,
    as_json: Json = False,
) -> None:
    """Take the second factor from an account; its person sets up another at the next sign-in."""
    from gateway.assessing import administration

    account = with_database(state_dir, lambda settings: administration.reset_second_factor(settings, email))
    show(account, as_json, f"{account['email']} has no second factor now; the sessions have ended.")


@app.command()
def create_key(
    name: Annotated[str, typer.Option(help="What the key is for")],
    scopes: Annotated[str, typer.Option(help='For example "assessments:write assessments:read models:read"')],
    days: Annotated[int | None, typer.Option(min=1, help="Days until it expires; never if left out")] = None,
    test: Annotated[
        bool, typer.Option("--test", help="Its assessments stay apart from patients and are deleted after 7 days")
    ] = False,
    jwks: JwksFile = None,
    jwks_url: JwksUrl = None,
    organisation: Organisation = None,
    state_dir: StateDir = None,
    as_json: Json = False,
) -> None:
    """Make an API key for a hospital system; with --jwks or --jwks-url it signs with keys of its own instead."""
    from gateway.assessing.administration import create_api_key

    own = read_key_set(jwks, jwks_url) if jwks or jwks_url else None
    key = with_database(
        state_dir, lambda settings: create_api_key(settings, name, scopes, days, organisation, own, test)
    )
    show(key, as_json, f"client_id: {key['id']}" if own else f"API key (shown once): {key['key']}")


@app.command()
def list_keys(state_dir: StateDir = None, as_json: Json = False) -> None:
    """List the keys of every organisation, without their secrets."""
    from gateway.assessing.administration import list_api_keys

    keys = with_database(state_dir, list_api_keys)
    lines = [
        f"{key['id']}  {key['status']:8}  {key['name']}  ({' '.join(key['scopes'])})  of {key['parent'] or 'unknown'}"
        + ("  test" if key["test"] else "")
        for key in keys
    ]
    show(keys, as_json, "\n".join(lines) or "There is no key.")


@app.command()
def rotate_key(
    key: KeyId,
    overlap_hours: Annotated[int, typer.Option(min=0, max=720, help="How long the old secret goes on working")] = 24,
    state_dir: StateDir = None,
    as_json: Json = False,
) -> None:
    """Give a key a new secret; it stays the same client."""
    from gateway.assessing.administration import rotate_api_key

    new = with_database(state_dir, lambda settings: rotate_api_key(settings, key, overlap_hours))
    show(new, as_json, f"API key (shown once): {new['key']}\nThe old one works until {new['previous_valid_until']}")


@app.command()
def revoke_key(key: KeyId, state_dir: StateDir = None, as_json: Json = False) -> None:
    """Revoke a key at once, with every access token that came of it and all that was made with it."""
    from gateway.assessing.administration import revoke_api_key

    revoked = with_database(state_dir, lambda settings: revoke_api_key(settings, key))
    show(revoked, as_json, f"Key {revoked['id']} is revoked.")
