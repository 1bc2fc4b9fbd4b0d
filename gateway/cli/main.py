"""All commands under one name."""

import typer
from pydantic import ValidationError

from gateway.cli import (
    access,
    archive,
    cds,
    drift,
    evaluate,
    feedback,
    fhir,
    model,
    recall,
    route,
    rules,
    running,
    site_settings,
    trail,
    upkeep,
)
from gateway.cli.terminal import stop
from shared.problems import TrabeculaError
from shared.settings import wrong_settings

# What some commands reach and the gateway's own packages do without.
NOT_IN_A_GATEWAY = ("services", "cv2", "numpy")
app = typer.Typer(
    help="Osteoporosis from knee and spine radiographs and clinical data. Research software, not a medical device.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)
for group in (running.app, archive.app, evaluate.app, drift.app, recall.app, access.app, upkeep.app):
    app.add_typer(group)
app.add_typer(rules.app, name="rules")
app.add_typer(feedback.app, name="feedback")
app.add_typer(site_settings.app, name="site-settings")
app.add_typer(model.app, name="model")
app.add_typer(fhir.app, name="fhir")
app.add_typer(cds.app, name="cds")
app.add_typer(trail.app, name="audit")
app.add_typer(route.app, name="route")


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
