"""`rules`: is a rules folder sound, and why did a rule fire or not."""

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from gateway.cli.terminal import Json, Organisation, StateDir, read_settings, show, with_database

app = typer.Typer(help="The recommender's rules.", no_args_is_help=True)


@app.command("check")
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


@app.command("sign")
def sign_rules(
    name: Annotated[str, typer.Option(help="The clinician's name, as it is shown on every answer")],
    role: Annotated[str, typer.Option(help="What the clinician is, such as rheumatologist")],
    organisation: Organisation = None,
    state_dir: StateDir = None,
    as_json: Json = False,
) -> None:
    """Note that a clinician read the rules that the site uses now, and stands by them; every answer says so.

    Another version of the rules is unsigned until somebody signs that.
    """
    from gateway.assessing.rule_sign_offs import sign_rules as sign
    from gateway.server import services_of

    done = with_database(state_dir, lambda settings: sign(settings, services_of(settings), name, role, organisation))
    show(done, as_json, f"{done['name']} ({done['role']}) signed version {done['version']} of the rules off.")


@app.command("unsign")
def unsign_rules(
    version: Annotated[str, typer.Argument(help="As `trabecula rules sign-offs` lists it")],
    organisation: Organisation = None,
    state_dir: StateDir = None,
    as_json: Json = False,
) -> None:
    """Take the sign-off of a version back; answers from now on say that nobody signed it."""
    from gateway.assessing.rule_sign_offs import revoke_sign_off

    done = with_database(state_dir, lambda settings: revoke_sign_off(settings, version, organisation))
    show(done, as_json, f"Nobody stands by version {version} of the rules any more.")


@app.command("sign-offs")
def sign_offs(organisation: Organisation = None, state_dir: StateDir = None, as_json: Json = False) -> None:
    """List who signed which version of the rules off."""
    from gateway.assessing.rule_sign_offs import list_sign_offs

    found = with_database(state_dir, lambda settings: list_sign_offs(settings, organisation))
    lines = [f"{one['version']:24} {one['at'][:10]}  {_signed_by(one)}" for one in found]
    show(found, as_json, "\n".join(lines) or "Nobody has signed the rules off.")


def _signed_by(one: dict[str, Any]) -> str:
    return f"{one['name']} ({one['role']})" + ("  taken back" if one["revoked_at"] else "")


@app.command("facts")
def list_facts(as_json: Json = False) -> None:
    """List everything that a rule may ask for: name, kind, and the words that it can be."""
    from gateway.embedded import rule_facts

    facts = rule_facts()
    if as_json:
        typer.echo(
            json.dumps([{"name": fact.name, "kind": fact.kind, "values": fact.values} for fact in facts], indent=2)
        )
        return
    for fact in facts:
        typer.echo(f"{fact.name:45} {fact.kind:7} {', '.join(fact.values)}".rstrip())


@app.command("explain")
def explain_rules(
    case: Annotated[
        Path, typer.Argument(help='JSON: {"record": {...}, "imaging": ..., "staging": ..., "clinical": ...}')
    ],
    as_json: Json = False,
) -> None:
    """Show why each rule did or did not fire for one case."""
    from gateway.cli.assess_files import explain_file

    explanations = explain_file(case, read_settings().clinic_policy())
    if as_json:
        typer.echo(json.dumps([explanation.model_dump() for explanation in explanations], indent=2))
        return
    for explanation in explanations:
        missing = f"  (missing: {', '.join(explanation.missing)})" if explanation.missing else ""
        typer.echo(f"{explanation.outcome:12} {explanation.sort:8} {explanation.id}{missing}")
        for reason in explanation.because:
            typer.echo(f"             {reason}")
