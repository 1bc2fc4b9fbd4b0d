"""Makes the installation's secrets, a file each in deploy/secrets, where Compose gives them to who needs them.

`make deploy-secrets` makes what is missing and never touches what is there. `--renew NAME` makes that one anew: see
"Renewing a secret" in docs/operations.md for what has to be started again after it. Standard library only.
"""

import argparse
import secrets
import sys
from pathlib import Path

FOLDER = Path(__file__).resolve().parent / "secrets"
RANDOM = (
    "postgres_password",
    "database_owner_password",
    "database_gateway_password",
    "trabecula_internal_secret",
    "trabecula_token_secret",
    "trabecula_data_secret",
    "trabecula_metrics_token",
    "trabecula_first_admin_password",
    "grafana_password",
)
# What is stored about patients can be read with it alone: keep it apart from the backups. A renewed one leaves the one
# before as the other, until `trabecula rewrap` is done.
DATA, OTHER, NONE = "trabecula_data_secret", "trabecula_other_data_secret", "none"
# Each role's address of the database, with the file of its password.
URLS = {
    "trabecula_database_url": ("trabecula_gateway", "database_gateway_password"),
    "trabecula_owner_database_url": ("trabecula_owner", "database_owner_password"),
}
# What patients type when they register, where the site lets them.
CODE = "trabecula_registration_code"
SERVER = "@database:5432/trabecula"


def write(file: Path, secret: str) -> None:
    """Replace a secret at once. Any user of a container may read it there; here the folder keeps others out."""
    fresh = file.with_name(f".{file.name}.new")
    fresh.write_text(secret, encoding="utf-8")
    fresh.chmod(0o444)
    fresh.replace(file)


def new_code() -> str:
    """A code of 48 bits that people can type: 3F9A-07C1-B2E8."""
    return "-".join(secrets.token_hex(2).upper() for _ in range(3))


def make(folder: Path, renew: str | None = None) -> list[str]:
    """Make the missing secrets, and one anew; the names of those made."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    folder.chmod(0o700)
    made = [name for name in (*RANDOM, CODE) if name == renew or not (folder / name).exists()]
    other = folder / OTHER
    if renew == DATA and (folder / DATA).exists():
        if other.exists() and other.read_text(encoding="utf-8") != NONE:
            raise SystemExit(f"The renewal before is not done: run `trabecula rewrap`, then write {NONE!r} to {other}.")
        write(other, (folder / DATA).read_text(encoding="utf-8"))
        made.append(OTHER)
    elif not other.exists():
        write(other, NONE)
        made.append(OTHER)
    for name in made:
        if name != OTHER:
            write(folder / name, new_code() if name == CODE else secrets.token_urlsafe(32))
    return made + [name for name in URLS if _update_url(folder, name)]


def _update_url(folder: Path, name: str) -> bool:
    """Write a role's address of this installation's own server; one of another server is the site's affair."""
    role, password = URLS[name]
    file = folder / name
    url = f"postgresql+psycopg://{role}:{(folder / password).read_text(encoding='utf-8')}{SERVER}"
    there = file.read_text(encoding="utf-8") if file.exists() else SERVER
    if there == url or not there.endswith(SERVER):
        return False
    write(file, url)
    return True


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    renewable = [*RANDOM, CODE]
    parser.add_argument("--renew", choices=renewable, metavar="NAME", help=", ".join(renewable))
    made = make(FOLDER, parser.parse_args().renew)
    sys.stdout.write(f"Made in {FOLDER}: {', '.join(made)}\n" if made else f"Nothing is missing in {FOLDER}\n")
    sys.stdout.write(
        "The first administrator is admin@localhost; the password is in deploy/secrets/trabecula_first_admin_password\n"
    )


if __name__ == "__main__":
    main()
