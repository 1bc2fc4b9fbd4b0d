"""`python -m bench.peers.with_mosec --port N`: the body is the image."""

import json
from typing import Any

from mosec import Server, Worker

from bench.peers.task import WORKERS, Task


class Reader(Worker):
    """One process that reads."""

    def __init__(self) -> None:
        self._task = Task()

    def deserialize(self, data: bytes) -> bytes:
        """The image as it came."""
        return data

    def forward(self, data: bytes) -> dict[str, Any]:
        """The finding."""
        return self._task.answer(data)

    def serialize(self, data: dict[str, Any]) -> bytes:
        """The finding as JSON."""
        return json.dumps(data).encode()


if __name__ == "__main__":
    server = Server()
    server.append_worker(Reader, num=WORKERS)
    server.run()
