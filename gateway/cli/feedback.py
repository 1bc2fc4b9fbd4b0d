"""`feedback`: what clinicians and DXA said of the answers, as tables."""

import asyncio
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gateway.cli.terminal import Json, Organisation, StateDir, read_settings, show
from gateway.settings import GatewaySettings

if TYPE_CHECKING:
    from shared.contracts.models import ModelCard

app = typer.Typer(help="What clinicians and DXA said of the answers.", no_args_is_help=True)


@app.callback()
def feedback() -> None:
    """What clinicians and DXA said of the answers."""


@app.command("export")
def export(
    folder: Annotated[Path, typer.Argument(help="A new folder, which only you can read")],
    blind_only: Annotated[
        bool, typer.Option("--blind-only", help="Leave out grades that were given beside the software's")
    ] = False,
    radiographs: Annotated[
        bool, typer.Option("--radiographs", help="Write kept previews of knees with a DXA result, to train on")
    ] = False,
    organisation: Organisation = None,
    state_dir: StateDir = None,
    as_json: Json = False,
) -> None:
    """Write feedback as a table that `trabecula evaluate` reads, and one with pictures that training reads."""
    from gateway.assessing.administration import prepare
    from gateway.assessing.feedback_table import Exported, export_feedback
    from shared.logs import configure_logging

    configure_logging("WARNING")
    settings = read_settings(state_dir)
    prepare(settings)

    async def run() -> Exported:
        versions = {card.name: card.version for card in await _cards(settings)}
        return await export_feedback(settings, folder, versions, blind_only, radiographs, organisation)

    done = asyncio.run(run())
    counts = f"{done.lines} lines, {done.radiographs} radiographs; left out: {done.without_truth} assessments without "
    show(
        asdict(done),
        as_json,
        f"{', '.join(done.files)}: {counts}a grade or a DXA result, {done.of_other_versions} of other model versions.",
    )


async def _cards(settings: GatewaySettings) -> "list[ModelCard]":
    """The cards of the models in use, from the services or, where they are in this process, from their files."""
    from gateway.assessing.model_cards import model_cards
    from gateway.assessing.model_use import as_in_use, versions_in_use

    if settings.services is None:
        from gateway.embedded import installed_cards

        return installed_cards(await versions_in_use(settings))
    from gateway.server import services_of

    async with services_of(settings)() as services:
        return (await model_cards(await as_in_use(services, settings))).models
