"""The report as one HTML file that loads nothing: drawings and small pictures are within it."""

import base64
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from gateway.evaluation import wording
from gateway.evaluation.charts import bone_charts, knee_charts
from gateway.evaluation.evaluate import Evaluated

HERE = Path(__file__).parent


def html_of(evaluated: Evaluated) -> str:
    """The page."""
    environment = Environment(
        loader=FileSystemLoader(HERE), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    pictures = {line: base64.b64encode(jpeg).decode() for line, jpeg in evaluated.thumbnails.items()}
    return environment.get_template("report.html").render(
        evaluation=evaluated.evaluation,
        pictures=pictures,
        words=wording,
        knee_charts=knee_charts,
        bone_charts=bone_charts,
    )
