"""`python -m bench.peers.with_litserve N`: LitServe on port N; the image is a form's file."""

import sys
from typing import Any

import litserve
from fastapi import UploadFile

from bench.peers.task import WORKERS, Task


class Reader(litserve.LitAPI):
    """One process that reads."""

    def setup(self, device: str) -> None:
        """Load the networks."""
        self._task = Task()

    def decode_request(self, request: UploadFile) -> bytes:
        """The image of the form, whose field has this argument's name."""
        return request.file.read()

    def predict(self, image: bytes) -> dict[str, Any]:
        """The finding."""
        return self._task.answer(image)

    def encode_response(self, output: dict[str, Any]) -> dict[str, Any]:
        """The finding, which is JSON already."""
        return output


if __name__ == "__main__":
    server = litserve.LitServer(Reader(), accelerator="cpu", workers_per_device=WORKERS)
    server.run(host="127.0.0.1", port=int(sys.argv[1]), generate_client_file=False, log_level="warning")
