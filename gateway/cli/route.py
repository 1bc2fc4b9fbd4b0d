"""How films come in, and where results are sent to: archives that take DICOM objects."""

from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any
from uuid import UUID

import typer
from pydantic import ValidationError

from gateway.cli.terminal import Json, Organisation, StateDir, read_settings, show, stop, with_database

app = typer.Typer(help="How films come in, and where results are sent to", no_args_is_help=True)

Name = Annotated[str, typer.Argument(help="What the destination is called here")]
Events = Annotated[
    str,
    typer.Option(help="What is sent by itself: 'results' as they are made, signed, amended, withdrawn; 'none'; types"),
]
Objects = Annotated[str, typer.Option(help="Of sr, sc, heatmap, pr, pdf")]
Authorities = Annotated[Path | None, typer.Option(help="PEM file of who may vouch for it; the system's if left out")]
Certificate = Annotated[Path | None, typer.Option(help="PEM file of our certificate, where it asks for one")]
Key = Annotated[Path | None, typer.Option(help="PEM file of its key")]


@app.command()
def add_dicom(
    name: Name,
    host: Annotated[str, typer.Option(help="Address")],
    port: Annotated[int, typer.Option(help="Port, such as 104 or 11112")],
    called_aet: Annotated[str, typer.Option(help="The archive's AE title")],
    calling_aet: Annotated[str, typer.Option(help="Ours, which the archive has to know")] = "TRABECULA",
    tls: Annotated[bool, typer.Option("--tls", help="Encrypted; the certificate is checked")] = False,
    ca: Authorities = None,
    certificate: Certificate = None,
    key: Key = None,
    objects: Objects = "sr sc pr pdf",
    commitment: Annotated[
        bool, typer.Option("--commitment", help="Storage commitment: it has to confirm that it keeps what it took")
    ] = False,
    events: Events = "results",
    organisation: Organisation = None,
    state_dir: StateDir = None,
    as_json: Json = False,
) -> None:
    """Add an archive that takes objects by C-STORE."""
    from gateway.assessing.dicom_results import DIMSE
    from gateway.interop.dicom.destinations import DimseDestination

    protection = _files(ca, certificate, key) if tls or ca or certificate else None
    given = {"host": host, "port": port, "called_aet": called_aet, "calling_aet": calling_aet, "tls": protection}
    given |= {"commitment": commitment}
    told_by = _checked(DimseDestination.model_validate, {**given, "objects": objects.replace(",", " ").split()})
    _add(DIMSE, name, events, told_by, organisation, state_dir, as_json)


@app.command()
def add_dicomweb(
    name: Name,
    url: Annotated[str, typer.Option(help="Of the DICOMweb service, such as https://archive.example/dicom-web")],
    authorization: Annotated[
        str | None,
        typer.Option(envvar="TRABECULA_ROUTE_AUTHORIZATION", help="Value of the header, such as 'Bearer ...'"),
    ] = None,
    ca: Authorities = None,
    certificate: Certificate = None,
    key: Key = None,
    objects: Objects = "sr sc pr pdf",
    events: Events = "results",
    organisation: Organisation = None,
    state_dir: StateDir = None,
    as_json: Json = False,
) -> None:
    """Add an archive that takes objects by STOW-RS."""
    from gateway.assessing.dicom_results import DICOMWEB
    from gateway.interop.dicom.destinations import DicomWebDestination

    given = {"url": url, "authorization": authorization, "tls": _files(ca, certificate, key)}
    told_by = _checked(DicomWebDestination.model_validate, {**given, "objects": objects.replace(",", " ").split()})
    _add(DICOMWEB, name, events, told_by, organisation, state_dir, as_json)


@app.command()
def add_hl7(
    name: Name,
    host: Annotated[str, typer.Option(help="Address")],
    port: Annotated[int, typer.Option(help="Port, such as 2575")],
    application: Annotated[str, typer.Option(help="Receiving application (MSH-5)")] = "",
    facility: Annotated[str, typer.Option(help="Receiving facility (MSH-6)")] = "",
    sending_application: Annotated[str, typer.Option(help="Ours (MSH-3)")] = "TRABECULA",
    sending_facility: Annotated[str, typer.Option(help="Ours (MSH-4)")] = "",
    authority: Annotated[str, typer.Option(help="Who assigns the patient numbers (PID-3.4)")] = "",
    character_set: Annotated[str, typer.Option(help="UNICODE UTF-8, 8859/1 or ASCII (MSH-18)")] = "UNICODE UTF-8",
    pdf: Annotated[bool, typer.Option("--pdf", help="The clinician's report goes along")] = False,
    pdf_most_bytes: Annotated[int, typer.Option(help="A larger report is left out")] = 1_000_000,
    tls: Annotated[bool, typer.Option("--tls", help="Encrypted; the certificate is checked")] = False,
    ca: Authorities = None,
    certificate: Certificate = None,
    key: Key = None,
    events: Events = "results",
    organisation: Organisation = None,
    state_dir: StateDir = None,
    as_json: Json = False,
) -> None:
    """Add a system that takes results as HL7 v2 messages (ORU^R01 over MLLP)."""
    from gateway.assessing.results import HL7
    from gateway.interop.hl7.destinations import Hl7Destination

    given = {
        "host": host,
        "port": port,
        "application": application,
        "facility": facility,
        "sending_application": sending_application,
        "sending_facility": sending_facility,
        "authority": authority,
        "character_set": character_set,
        "pdf": pdf,
        "pdf_most_bytes": pdf_most_bytes,
        "tls": _files(ca, certificate, key) if tls or ca or certificate else None,
    }
    _add(HL7, name, events, _checked(Hl7Destination.model_validate, given), organisation, state_dir, as_json)


@app.command()
def add_mail(
    name: Name,
    to: Annotated[str, typer.Option(help="One address, such as that of whoever is on duty")],
    events: Annotated[
        str, typer.Option(help="'alert.urgent' for the first alarm, 'alert.unacknowledged' for the second; other types")
    ] = "alert.urgent",
    organisation: Organisation = None,
    state_dir: StateDir = None,
    as_json: Json = False,
) -> None:
    """Write to somebody by the site's mail server (TRABECULA_SMTP_HOST), without a word about any patient."""
    from gateway.assessing.escalation import MAIL
    from gateway.interop.mail.deliver import MailDestination

    if read_settings(state_dir).smtp_host is None:
        stop("No mail server is set: TRABECULA_SMTP_HOST and TRABECULA_SMTP_FROM, for the gateway as well.")
    told_by = _checked(MailDestination.model_validate, {"to": to})
    _add(MAIL, name, events, told_by, organisation, state_dir, as_json)


@app.command("list")
def list_all(organisation: Organisation = None, state_dir: StateDir = None, as_json: Json = False) -> None:
    """List an organisation's destinations, without their secrets."""
    from gateway.assessing.routing import list_destinations

    found = with_database(state_dir, lambda settings: list_destinations(settings, organisation))
    lines = [f"{there['kind']:10}  {there['name']}  ({' '.join(there['events']) or 'on demand'})" for there in found]
    show(found, as_json, "\n".join(lines) or "There is no destination.")


@app.command()
def remove(name: Name, organisation: Organisation = None, state_dir: StateDir = None, as_json: Json = False) -> None:
    """Send nothing more to a destination; what waits for it is dead."""
    from gateway.assessing.routing import remove_destination

    gone = with_database(state_dir, lambda settings: remove_destination(settings, name, organisation))
    show(gone, as_json, f"Nothing goes to {gone['name']} any more.")


@app.command()
def echo(name: Name, organisation: Organisation = None, state_dir: StateDir = None) -> None:
    """Ask an archive that takes C-STORE whether it hears us (C-ECHO); or see that an HL7 or mail server listens."""
    import asyncio

    from gateway.assessing.dicom_results import DIMSE
    from gateway.assessing.escalation import MAIL
    from gateway.assessing.results import HL7
    from gateway.assessing.routing import destination_named
    from gateway.interop.dicom.destinations import DimseDestination
    from gateway.interop.dicom.installed import require_installed
    from gateway.interop.dicom.store import echo as ask

    there = with_database(state_dir, lambda settings: destination_named(settings, name, organisation))
    if there.kind == MAIL:
        from gateway.interop.mail.server import connected

        with connected(read_settings(state_dir)):
            typer.echo("The mail server answers.")
        return
    require_installed()
    if there.kind == HL7:
        from gateway.interop.hl7.destinations import Hl7Destination
        from gateway.interop.hl7.transmit import reach

        asyncio.run(reach(Hl7Destination.model_validate(there.settings)))
        typer.echo(f"{there.name} listens.")
        return
    if there.kind != DIMSE:
        stop(f"{there.name} is a {there.kind}, which has nothing like a C-ECHO.")
    ask(DimseDestination.model_validate(there.settings))
    typer.echo(f"{there.name} answers.")


@app.command()
def serve(state_dir: StateDir = None) -> None:
    """Take in films from modalities and archives (C-STORE, Orthanc, QIDO), which the gateway then assesses. One a site.

    TRABECULA_DICOM_AET, _PORT, _HOST and _PEERS say who may send, _ORTHANC and _QIDO who is asked. With
    TRABECULA_HL7_PORT and _PEERS it takes HL7 v2 as well: orders (ORM^O01, OMG^O19), merged patients (ADT^A40).
    """
    import asyncio

    from gateway.assessing.administration import prepare
    from gateway.interop.dicom.router import serve as run
    from shared.logs import configure_logging

    settings = read_settings(state_dir)
    configure_logging(settings.log_level)
    prepare(settings)
    try:
        asyncio.run(run(settings))
    except KeyboardInterrupt:
        typer.echo("No more films are taken in.")


@app.command()
def status(organisation: Organisation = None, state_dir: StateDir = None, as_json: Json = False) -> None:
    """How many films wait to be assessed and results to be sent, since when, and what was given up."""
    from gateway.assessing.routing_state import routing_status

    told = with_database(state_dir, lambda settings: routing_status(settings, organisation))
    films, results = told["films"], told["results"]
    counts = ", ".join(f"{count} {state}" for state, count in sorted(films["counts"].items())) or "none came"
    away = ", ".join(f"{count} {reason}" for reason, count in sorted(told["turned_away"].items())) or "nothing"
    show(
        told,
        as_json,
        f"Films that wait: {films['waiting']}, the oldest since {films['oldest_at'] or '-'} ({counts})\n"
        f"Results that wait: {results['waiting']}, the oldest since {results['oldest_at'] or '-'}; "
        f"not yet confirmed: {results['committing']}, dead: {results['dead']}\n"
        f"Orders that wait for their film: {told['orders']['waiting']}, "
        f"the last message at {told['orders']['last_message_at'] or '-'}\n"
        f"Turned away at the door: {away}",
    )


@app.command()
def dead(organisation: Organisation = None, state_dir: StateDir = None, as_json: Json = False) -> None:
    """List what was given up, with the reason: films that were not assessed, results that were not sent."""
    from gateway.assessing.routing_state import routing_dead

    found = with_database(state_dir, lambda settings: routing_dead(settings, organisation))
    lines = [f"{film['id']}  film from {film['source']}: {film['reason']}, {film['why']}" for film in found["films"]]
    lines += [f"{item['id']}  result for a {item['kind']}: {item['why']}" for item in found["results"]]
    show(found, as_json, "\n".join(lines) or "Nothing was given up.")


@app.command()
def retry(
    item: Annotated[UUID, typer.Argument(help="Of a film or a result: trabecula route dead", metavar="ID")],
    organisation: Organisation = None,
    state_dir: StateDir = None,
) -> None:
    """Have a film assessed again, or a result sent again, that was given up."""
    from gateway.assessing.routing_state import routing_retry

    with_database(state_dir, lambda settings: routing_retry(settings, item, organisation))
    typer.echo("It is tried again.")


def _add(
    kind: str,
    name: str,
    events: str,
    told_by: dict[str, Any],
    organisation: str | None,
    state_dir: Path | None,
    as_json: bool,
) -> None:
    from gateway.assessing.escalation import MAIL
    from gateway.assessing.results import HL7
    from gateway.assessing.routing import OF_ORDERED_RESULTS, OF_RESULTS, add_destination, events_named
    from gateway.interop.dicom.installed import require_installed

    if kind != MAIL:  # which needs none of the extra's packages
        require_installed()
    named = events_named(events, OF_ORDERED_RESULTS if kind == HL7 else OF_RESULTS)
    added = with_database(
        state_dir, lambda settings: add_destination(settings, kind, name, named, told_by, organisation)
    )
    show(added, as_json, f"Results go to {added['name']}: {' '.join(added['events']) or 'on demand'}.")


def _files(ca: Path | None, certificate: Path | None, key: Path | None) -> dict[str, Path]:
    given = {"ca": ca, "certificate": certificate, "key": key}
    return {name: file.resolve() for name, file in given.items() if file is not None}


def _checked(model: Callable[[dict[str, Any]], Any], given: dict[str, Any]) -> dict[str, Any]:
    """The settings of a destination as they are stored; what is wrong is one line."""
    try:
        told_by: dict[str, Any] = model(given).model_dump(mode="json")
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        stop(f"--{'-'.join(map(str, first['loc'])).replace('_', '-')}: {first['msg'].removeprefix('Value error, ')}.")
    return told_by
