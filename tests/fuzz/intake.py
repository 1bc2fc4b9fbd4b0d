"""Fuzz the intake: `python -m tests.fuzz.intake --count 20000 --seed 0 [--apart]`.

With `--apart` the cases are decoded as uploads are, in processes of their own; one that is lost is counted, as gdcm
loses some, and is no finding as long as the next case is decoded.
Each case is made from its own number, so a run goes on where another ended (`--seed`), and one case can be repeated
(`--count 1`). A finding is an exception that is no `TrabeculaError`, a decode of more than `SLOWEST_S`, or memory of
more than `MOST_MEMORY_MB` above the start. A crash of the process shows the case in the last line of the output.
"""

import argparse
import faulthandler
import random
import re
import resource
import struct
import sys
import time
import warnings
import zlib
from collections.abc import Callable
from pathlib import Path

from shared.problems import TrabeculaError
from shared.radiograph.decoder import DecoderPool
from shared.radiograph.intake import decode
from shared.radiograph.radiograph import Radiograph
from tests.fuzz.inputs import files, lossless_files

SLOWEST_S = 10.0
MOST_MEMORY_MB = 200
NUMBERS = (0, 1, 2, 7, 8, 127, 128, 255, 256, 32767, 32768, 65535, 65536, 2**24, 2**31 - 1, 2**31, 2**32 - 1)
ELEMENT = re.compile(rb"[\x02-\x88]\x00..(?:AE|CS|DS|IS|LO|OB|OW|PN|SH|SQ|UI|US|SS|UL)", re.DOTALL)
SEGMENT = re.compile(rb"\xff[\xc0-\xfe]")


def parts(data: bytes) -> list[int]:
    """Where chunks, segments and elements begin, in whichever of these a file consists of."""
    if data.startswith(b"\x89PNG"):
        places, at = [], 8
        while at + 8 <= len(data):
            places.append(at)
            at += 12 + struct.unpack_from(">I", data, at)[0]
        return [*places, len(data)]
    pattern = SEGMENT if data.startswith(b"\xff\xd8") else ELEMENT
    return [0, *(found.start() for found in pattern.finditer(data)), len(data)]


def mutated(data: bytes, other: bytes, rng: random.Random) -> bytes:
    """One to six changes of a file."""
    result = bytearray(data)
    for _ in range(rng.randint(1, 6)):
        if not result:
            break
        # The headers are where decoders differ; the pixels are most of a file.
        last = rng.choice([min(64, len(result)), min(600, len(result)), len(result)])
        at = rng.randrange(last)
        kind = rng.randrange(9)
        if kind == 0:
            result[at] ^= 1 << rng.randrange(8)
        elif kind == 1:
            result[at] = rng.choice([0, 1, 127, 128, 255, rng.randrange(256)])
        elif kind == 2:
            form, number = rng.choice(["<H", ">H", "<I", ">I"]), rng.choice(NUMBERS)
            packed = struct.pack(form, number % 2 ** (8 * struct.calcsize(form)))
            result[at : at + len(packed)] = packed
        elif kind == 3 and rng.random() < 0.5:
            del result[rng.randrange(len(result)) :]
        elif kind == 4:
            start = rng.randrange(len(other))
            result[at : at + rng.randrange(64)] = other[start : start + rng.randrange(200)]
        elif kind == 5:
            del result[at : at + rng.choice([1, 2, 4, 16, 300])]
        else:
            structural(result, rng)
    return bytes(result)


def structural(result: bytearray, rng: random.Random) -> None:
    """Repeat, move or drop a chunk, a segment or an element."""
    places = parts(bytes(result))
    if len(places) < 3:
        return
    at = rng.randrange(len(places) - 1)
    piece = bytes(result[places[at] : places[at + 1]])
    kind = rng.randrange(3)
    if kind:
        del result[places[at] : places[at + 1]]
    if kind < 2:
        target = rng.choice(places)
        result[target:target] = piece * rng.choice([1, 2, 30] if len(piece) < 2000 else [1, 2])


def with_checksums(data: bytes) -> bytes:
    """A PNG whose chunks have the right checksums again, so that damage reaches the decoder."""
    result = bytearray(data)
    for at in parts(data)[:-1]:
        length = struct.unpack_from(">I", result, at)[0]
        if at + 12 + length <= len(result):
            body = result[at + 4 : at + 8 + length]
            result[at + 8 + length : at + 12 + length] = struct.pack(">I", zlib.crc32(body))
    return bytes(result)


def case(number: int, corpus: dict[str, bytes]) -> tuple[str, bytes]:
    """(the kind, the bytes) of one case, always the same ones for a number."""
    rng = random.Random(number)
    names = sorted(corpus)
    name = rng.choice(names)
    data = mutated(corpus[name], corpus[rng.choice(names)], rng)
    if data.startswith(b"\x89PNG\r\n\x1a\n") and rng.random() < 0.8:
        data = with_checksums(data)
    return name, data


def finding(data: bytes, most_kilobytes: int, read: Callable[[bytes], Radiograph] = decode) -> str:
    """What is wrong with how a case ends; empty where nothing is."""
    start = time.monotonic()
    try:
        if read(data).pixels.size == 0:
            return "no pixels"
    except TrabeculaError as error:
        if not error.detail.endswith("."):
            return f"no sentence: {error.detail}"
    except BaseException as error:
        return f"{type(error).__name__}: {error}"
    if time.monotonic() - start > SLOWEST_S:
        return f"{time.monotonic() - start:.0f} s"
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return f"{peak / 1024:.0f} MB of memory" if peak > most_kilobytes else ""


def main() -> int:
    """Run the cases and print what was found; 1 where anything was."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=20_000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--keep", type=Path, help="folder for the files of the findings")
    parser.add_argument("--apart", action="store_true", help="in processes of their own, as uploads are")
    options = parser.parse_args()
    faulthandler.enable()
    warnings.simplefilter("ignore")
    corpus = {**files(), **(lossless_files() if options.apart else {})}
    pool = DecoderPool(1) if options.apart else None
    if pool:
        pool.start()
    read = pool.decode if pool else decode
    for data in corpus.values():  # libraries and caches are loaded before memory is measured
        finding(data, 2**40, read)
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss + MOST_MEMORY_MB * 1024
    found = lost = 0
    for number in range(options.seed, options.seed + options.count):
        print(f"\rcase {number}", end="", file=sys.stderr, flush=True)
        name, data = case(number, corpus)
        before = pool.lost if pool else 0
        fault = finding(data, most, read)
        if pool and pool.lost > before:
            lost += 1
            print(f"\n{number} {name}: a process was lost", flush=True)
            fault = fault or finding(corpus["jpeg"], most, read)
        if fault:
            found += 1
            most = max(most, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
            print(f"\n{number} {name}: {fault}", flush=True)
            if options.keep:
                options.keep.mkdir(parents=True, exist_ok=True)
                (options.keep / f"{number}.bin").write_bytes(data)
    if pool:
        pool.close()
    print(f"\n{options.count} cases from {options.seed}, {found} findings, {lost} processes lost")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
