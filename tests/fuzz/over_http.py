"""Fuzz a running installation: `python -m tests.fuzz.over_http URL KEY --count 5000 --seed 0`.

Every second case is a mutated file in a sound form, every other one a form that is mutated itself. A finding is an
answer of 500 and more, none at all, or a server that is not alive afterwards. Set TRABECULA_ASSESSMENTS_PER_MINUTE and
TRABECULA_REQUESTS_PER_MINUTE of the installation high enough.
"""

import argparse
import random
import sys

import httpx

from tests.fuzz.inputs import files, lossless_files
from tests.fuzz.intake import case, mutated

RECORD = b'{"age": 67, "gender": "female", "weight_kg": 58}'
BOUNDARY = b"fuzz-boundary-1"


def form(image: bytes) -> bytes:
    """A sound form of an image and a record."""
    return (
        b"--" + BOUNDARY + b'\r\nContent-Disposition: form-data; name="image"; filename="film"\r\n\r\n' + image
        + b"\r\n--" + BOUNDARY + b'\r\nContent-Disposition: form-data; name="clinical"\r\n\r\n' + RECORD
        + b"\r\n--" + BOUNDARY + b"--\r\n"
    )  # fmt: skip


def main() -> int:
    """Send the cases and print what was found; 1 where anything was."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("url")
    parser.add_argument("key")
    parser.add_argument("--count", type=int, default=5000)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    corpus, found, answers = {**files(), **lossless_files()}, 0, dict[int, int]()
    headers = {"X-API-Key": options.key, "Content-Type": f"multipart/form-data; boundary={BOUNDARY.decode()}"}
    with httpx.Client(base_url=options.url, headers=headers, timeout=60) as client:
        for number in range(options.seed, options.seed + options.count):
            name, data = case(number, corpus)
            body = form(data)
            if number % 2:
                rng = random.Random(number)
                body = mutated(form(corpus[name][:2000]), body, rng)
            try:
                status = client.post("/v1/assessments", content=body).status_code
            except httpx.HTTPError as error:
                status = 599
                print(f"{number} {name}: {type(error).__name__}", flush=True)
            answers[status] = answers.get(status, 0) + 1
            if status >= 500:
                found += 1
                print(f"{number} {name}: {status}", flush=True)
        alive = client.get("/health/ready").is_success
    print(f"{options.count} cases from {options.seed}, {found} findings, alive: {alive}, answers: {answers}")
    return 0 if alive and not found else 1


if __name__ == "__main__":
    sys.exit(main())
