"""`model`: packages of networks come in signed, run in the shadow, are compared, promoted, and taken back."""

import asyncio
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from gateway.cli.terminal import Json, StateDir, read_settings, show, with_database
from gateway.settings import GatewaySettings
from shared.problems import Conflict, InvalidInput

if TYPE_CHECKING:  # NumPy, which other commands do without
    from gateway.evaluation.evaluate import CheckedTable
    from gateway.evaluation.versions import TruthComparison, VersionComparison
    from gateway.records.model_use import ModelUse, Signer

app = typer.Typer(help="Versions of the networks: signed, in the shadow, in use, and back.", no_args_is_help=True)
LONGEST, LONGEST_REASON = 100, 500
Folder = Annotated[Path, typer.Argument(help="The package's folder, with its manifest")]
Version = Annotated[str, typer.Argument(help="Service and version, such as staging:2026.12")]
Service = Annotated[str, typer.Argument(help="staging or imaging")]
Name = Annotated[str, typer.Option(help="Who stands by it")]
Role = Annotated[str, typer.Option(help="What that person is, such as medical physicist")]
Table = Annotated[Path | None, typer.Option(help="CSV as for `trabecula evaluate`; both versions read its films")]


@app.command("make-key")
def make_key(
    file: Annotated[Path, typer.Argument(help="A new file for the private key")], as_json: Json = False
) -> None:
    """Make a key to sign packages with. Keep the file away from the servers, and give them the public key."""
    from shared.signatures import make_key as make
    from shared.signers import SETTING

    public = make(file)
    made = {"file": str(file), "public_key": public}
    show(
        made,
        as_json,
        f"The private key is in {file}. What trusts it, where packages are loaded:\n{SETTING}=NAME:{public}",
    )


@app.command("sign")
def sign(
    folder: Folder, key: Annotated[Path, typer.Option(help="File of `trabecula model make-key`")], as_json: Json = False
) -> None:
    """Sign a package: whoever trusts the key trusts every file of it, as it is now."""
    from shared.signatures import sign_package

    public = sign_package(folder, key)
    show({"folder": str(folder), "key": public}, as_json, f"{folder} is signed with {public}.")


@app.command("add")
def add(folder: Folder, as_json: Json = False) -> None:
    """Copy a signed package to where the services look for it. Nothing reads with it before it is told to."""
    from gateway.assessing.model_packages import add_package

    added = add_package(folder)
    show(asdict(added), as_json, f"{added.service} {added.version}, signed by {added.signer}, is in {added.folder}.")


@app.command("show")
def show_versions(state_dir: StateDir = None, as_json: Json = False) -> None:
    """Show which versions lie here, which read films, and who decided that when."""
    from gateway.assessing.model_packages import packages
    from gateway.assessing.model_versions import changes_of

    there, changes = packages(), with_database(state_dir, changes_of)
    lines = []
    for service, known in changes.items():
        lines.append(f"{service}: {stands(known[0]) if known else 'that of the settings serves'}")
        lines.append(f"  packages here: {', '.join(there[service]) or 'none'}")
        lines += [f"  {change.at:%Y-%m-%d %H:%M} {stands(change)}, {signed(change)}" for change in known]
    found = {
        service: {"packages": there[service], "changes": [_as_json(change) for change in known]}
        for service, known in changes.items()
    }
    show(found, as_json, "\n".join(lines))


@app.command("shadow")
def shadow(
    version: Version,
    name: Name,
    role: Role,
    share: Annotated[float, typer.Option(min=0, max=1, help="Of the cases that it reads; 0 ends it")] = 0.2,
    state_dir: StateDir = None,
    as_json: Json = False,
) -> None:
    """Let a second version read a share of the cases once they are answered. Nobody waits for it or sees it."""
    from gateway.assessing.model_packages import read_version
    from gateway.assessing.model_versions import put_into_shadow
    from gateway.cli.check import services_source
    from shared.logs import configure_logging

    configure_logging("WARNING")
    service, number = read_version(version)
    by = _signer(name, role)

    async def put(settings: GatewaySettings) -> "ModelUse":
        return await put_into_shadow(settings, services_source(settings, (service,)), service, number, share, by)

    made = with_database(state_dir, put)
    show(_as_json(made), as_json, f"{service}: {stands(made)}.")


@app.command("report")
def report(service: Service, table: Table = None, state_dir: StateDir = None, as_json: Json = False) -> None:
    """Compare the version in the shadow with the serving one: on its cases, by feedback, and by your own table."""
    compared = _compared(read_settings(state_dir), service, table)
    show(compared.model_dump(mode="json"), as_json, "\n".join(lines_of(compared)))


@app.command("promote")
def promote(
    version: Version,
    name: Name,
    role: Role,
    table: Table = None,
    reason: Annotated[
        str | None, typer.Option(help="Why, although too little is known of it, or it is worse by the comparison")
    ] = None,
    state_dir: StateDir = None,
    as_json: Json = False,
) -> None:
    """Let the version in the shadow serve from now on; refused where the comparison speaks against it."""
    from gateway.assessing.model_packages import read_version
    from gateway.assessing.model_versions import promote as run
    from gateway.cli.check import services_source

    service, number = read_version(version)
    by = _signer(name, role, reason)
    settings = read_settings(state_dir)
    compared = _compared(settings, service, table, number)
    if compared.objections and not by.reason:
        raise Conflict(
            f"{service} {number} is not promoted: {'; '.join(compared.objections)}. 'trabecula model report {service}' "
            "shows the figures. Wait for more, or give a --reason, which is kept."
        )
    made = asyncio.run(run(settings, services_source(settings, (service,)), service, number, by))
    show(_as_json(made), as_json, f"{service}: {stands(made)}, {signed(made)}.")


@app.command("back")
def back(service: Service, name: Name, role: Role, state_dir: StateDir = None, as_json: Json = False) -> None:
    """Let the version serve again that served before the present one."""
    from gateway.assessing.model_packages import check_service
    from gateway.assessing.model_versions import back as run
    from gateway.cli.check import services_source
    from shared.logs import configure_logging

    configure_logging("WARNING")
    check_service(service)
    by = _signer(name, role)

    async def go(settings: GatewaySettings) -> "ModelUse":
        return await run(settings, services_source(settings, (service,)), service, by)

    made = with_database(state_dir, go)
    show(_as_json(made), as_json, f"{service}: {stands(made)}.")


def _compared(
    settings: GatewaySettings, service: str, table: Path | None, version: str | None = None
) -> "VersionComparison":
    """The comparison; of this version where one is named, which has to be the one in the shadow."""
    from gateway.assessing.administration import prepare
    from gateway.assessing.model_packages import check_service
    from gateway.assessing.model_versions import shadowed
    from gateway.evaluation.evaluate import checked_table
    from gateway.evaluation.shadow_report import compared
    from shared.logs import configure_logging

    configure_logging("WARNING")
    check_service(service)
    checked = checked_table(table) if table else None
    prepare(settings)

    async def run() -> "VersionComparison":
        use = await shadowed(settings, service, version)
        read = await _by_table(settings, use, checked) if checked else None
        return await compared(settings, use, read)

    return asyncio.run(run())


async def _by_table(settings: GatewaySettings, use: "ModelUse", table: "CheckedTable") -> "TruthComparison | None":
    from gateway.cli.check import services_source
    from gateway.cli.evaluate import read_line
    from gateway.evaluation.shadow_report import compared_by_table

    async with services_source(settings)() as services:
        versions = use.serving, str(use.shadow)
        return await compared_by_table(table, services, settings.clinic_policy(), use.service, versions, read_line)


def lines_of(compared: "VersionComparison") -> list[str]:
    """A comparison for people."""
    from gateway.evaluation.wording import shown

    left_out = f", {compared.left_out} of another serving version left out" if compared.left_out else ""
    lines = [
        f"{compared.service} {compared.shadow} in the shadow of {compared.serving}: {compared.cases} cases of "
        f"{compared.patients} patients{left_out}"
    ]
    lines += [f"  {one.title}: {shown(one.estimate)}" for one in compared.agreement]
    for truth in compared.truths:
        lines.append(f"By the {truth.source}: {truth.cases} cases of {truth.patients} patients")
        for figure in truth.figures:
            if figure.difference.value is None:
                lines.append(f"  {figure.title}: not defined on these cases")
                continue
            verdict = {"worse": "WORSE", "better": "better", "not_told_apart": "not told apart"}[figure.verdict]
            lines.append(
                f"  {figure.title}: {figure.serving} serving, {figure.shadow} in the shadow, difference "
                f"{shown(figure.difference)}: {verdict}"
            )
    if compared.objections:
        return [*lines, f"Against promoting it: {'; '.join(compared.objections)}."]
    return [*lines, "Nothing here speaks against promoting it."]


def stands(use: "ModelUse") -> str:
    """What serves, and what is in the shadow."""
    serves = f"{use.serving} serves" if use.serving else "that of the settings serves"
    return f"{serves}, {use.shadow} in the shadow of {use.share:.0%} of the cases" if use.shadow else serves


def signed(use: "ModelUse") -> str:
    """Who stands by it, and why."""
    return f"by {use.name} ({use.role})" + (f": {use.reason}" if use.reason else "")


def _signer(name: str, role: str, reason: str | None = None) -> "Signer":
    from gateway.records.model_use import Signer

    for option, text, longest in (
        ("--name", name, LONGEST),
        ("--role", role, LONGEST),
        ("--reason", reason, LONGEST_REASON),
    ):
        if text is not None and (not 1 <= len(text.strip()) <= longest or not text.isprintable()):
            raise InvalidInput(f"{option}: 1 to {longest} printable characters.")
    return Signer(name.strip(), role.strip(), reason and reason.strip())


def _as_json(use: "ModelUse") -> dict[str, Any]:
    return {**asdict(use), "at": use.at and use.at.isoformat()}
