"""`run`: a folder of films, or a manifest of them, assessed at the machine's full speed into one table."""

import asyncio
import multiprocessing
import os
import secrets
import sys
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import AsyncExitStack
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gateway.cli.terminal import Json, read_settings, show
from gateway.settings import GatewaySettings
from shared.problems import ServiceUnavailable

if TYPE_CHECKING:
    from gateway.assessing.archive import Film, Row

app = typer.Typer()
# Films asked for ahead of each process, so that none waits for the next one.
AHEAD = 3


@app.command("run")
def assess_archive(
    source: Annotated[Path, typer.Argument(help="Folder of films, or a CSV with a column `file` and record fields")],
    out: Annotated[Path, typer.Option(help="CSV to write, or to go on with")] = Path("results.csv"),
    processes: Annotated[int, typer.Option(min=0, max=512, help="At the same time; 0: as many as there are cores")] = 0,
    as_json: Json = False,
) -> None:
    """Assess a whole archive: one row a film, with the reason where one is refused. Nothing is stored beside the table.

    Broken off, the same command goes on where it ended.
    """
    from gateway.assessing.archive import Results, films_in
    from gateway.assessing.model_use import versions_in_use
    from gateway.embedded import model_versions

    settings = read_settings()
    serving = asyncio.run(versions_in_use(settings))
    films, versions = films_in(source), model_versions(serving)
    results = Results(out, versions)
    left, counts = results.left(films), {"read": 0, "refused": 0}
    with typer.progressbar(
        length=len(left), label=f"{len(left)} of {len(films)} films", show_pos=True, file=sys.stderr
    ) as bar:
        for row in rows_of(left, versions, serving, processes or os.cpu_count() or 1):
            results.add(row)
            counts["refused" if row["status"] == "refused" else "read"] += 1
            bar.update(1)
    made = {"out": str(out), "skipped": len(films) - len(left), **counts}
    show(made, as_json, f"{counts['read']} read, {counts['refused']} refused, {made['skipped']} done before: {out}")


def rows_of(films: Sequence["Film"], versions: str, serving: dict[str, str], processes: int) -> Iterator["Row"]:
    """The rows as they come, by processes that each hold the networks; films are handed out a few at a time.

    Raises:
        ServiceUnavailable: a service is out of order, or a process ended.
    """
    if not films:
        return
    spawned = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(min(processes, len(films)), spawned, begin, (versions, serving)) as pool:
        try:
            yield from _as_they_come(pool, iter(films), processes * AHEAD)
        except BrokenProcessPool as error:
            raise ServiceUnavailable(
                "A process ended in the middle of its work, perhaps for lack of memory: give the same command again to "
                "go on, with fewer --processes."
            ) from error
        finally:
            pool.shutdown(cancel_futures=True)


def _as_they_come(pool: ProcessPoolExecutor, films: Iterable["Film"], ahead: int) -> Iterator["Row"]:
    films = iter(films)
    waiting: set[Future[Row]] = {pool.submit(assess, film) for film in islice(films, ahead)}
    while waiting:
        done, waiting = wait(waiting, return_when=FIRST_COMPLETED)
        waiting |= {pool.submit(assess, film) for film in islice(films, len(done))}
        for future in done:
            yield future.result()


class Worker:
    """What one process holds: an event loop, the services, and how many of them answer as which versions."""

    def __init__(self, settings: GatewaySettings, versions: str, serving: dict[str, str]) -> None:
        from gateway.assessing.model_use import answering_as
        from gateway.assessing.workflow import Workflow
        from gateway.embedded import in_process

        self._runner, self._versions, self._open = asyncio.Runner(), versions, AsyncExitStack()
        source = in_process(secrets.token_urlsafe(48))()
        services = answering_as(self._runner.run(self._open.enter_async_context(source)), serving)
        self._workflow = Workflow(services, 1, policy=settings.clinic_policy())

    def assess(self, film: "Film") -> "Row":
        """The row of one film."""
        from gateway.assessing.archive import assess_film

        return self._runner.run(assess_film(film, self._workflow, self._versions))

    def end(self) -> None:
        """Stop the services and their processes."""
        self._runner.run(self._open.aclose())
        self._runner.close()


_workers: list[Worker] = []


def begin(versions: str, serving: dict[str, str]) -> None:
    """Start this process's services; they stop when it ends."""
    from multiprocessing.util import Finalize

    from shared.logs import configure_logging
    from shared.memory import use_few_arenas

    use_few_arenas()
    configure_logging("WARNING")
    worker = Worker(read_settings(), versions, serving)
    _workers.append(worker)
    Finalize(worker, worker.end, exitpriority=10)


def assess(film: "Film") -> "Row":
    """One film by the services of this process."""
    return _workers[0].assess(film)
