"""`bentoml serve bench.peers.with_bentoml:Reader --port N`: the image is a form's file."""

from pathlib import Path
from typing import Any

import bentoml

from bench.peers.task import WORKERS, Task


@bentoml.service(workers=WORKERS)
class Reader:
    """One process that reads."""

    def __init__(self) -> None:
        self._task = Task()

    @bentoml.api
    def read(self, image: Path) -> dict[str, Any]:
        """The finding."""
        return self._task.answer(image.read_bytes())
