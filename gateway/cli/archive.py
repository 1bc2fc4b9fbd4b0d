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
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from gateway.cli.terminal import Json, read_settings, show
from shared.contracts.policy import ClinicPolicy
from shared.problems import ServiceUnavailable

if TYPE_CHECKING:
    from gateway.assessing.archive import Film, Row

app = typer.Typer()
Engine = Literal["processes", "ray"]
PARQUET = ".parquet"
# Films asked for ahead of each process, so that none waits for the next one.
AHEAD = 3


@app.command("run")
def assess_archive(
    source: Annotated[Path, typer.Argument(help="Folder of films, or a CSV with a column `file` and record fields")],
    out: Annotated[
        Path, typer.Option(help="CSV to write, or to go on with; a .parquet is made of the CSV beside it at the end")
    ] = Path("results.csv"),
    processes: Annotated[
        int, typer.Option(min=0, max=10_000, help="At the same time; 0: as many as there are cores")
    ] = 0,
    engine: Annotated[
        Engine, typer.Option(help="processes of this machine, or a Ray cluster, which RAY_ADDRESS names")
    ] = "processes",
    as_json: Json = False,
) -> None:
    """Assess a whole archive: one row a film, with the reason where one is refused. Nothing is stored beside the table.

    Broken off, the same command goes on where it ended.
    """
    from gateway.assessing.archive import COLUMNS, Results, films_in
    from gateway.assessing.model_use import versions_in_use
    from gateway.cli.parquet import as_parquet, require_parquet
    from gateway.embedded import model_versions

    if out.suffix == PARQUET:
        require_parquet()
    settings = read_settings()
    serving = asyncio.run(versions_in_use(settings))
    films, versions = films_in(source), model_versions(serving)
    table = out.with_suffix(".csv") if out.suffix == PARQUET else out
    results = Results(table, versions)
    left, counts = results.left(films), {"read": 0, "refused": 0}
    with typer.progressbar(
        length=len(left), label=f"{len(left)} of {len(films)} films", show_pos=True, file=sys.stderr
    ) as bar:
        for row in rows_of(left, versions, serving, settings.clinic_policy(), processes, engine):
            results.add(row)
            counts["refused" if row["status"] == "refused" else "read"] += 1
            bar.update(1)
    if out.suffix == PARQUET:
        as_parquet(table, out, COLUMNS)
    made = {"out": str(out), "skipped": len(films) - len(left), **counts}
    show(made, as_json, f"{counts['read']} read, {counts['refused']} refused, {made['skipped']} done before: {out}")


def rows_of(
    films: Sequence["Film"],
    versions: str,
    serving: dict[str, str],
    policy: ClinicPolicy,
    processes: int,
    engine: Engine = "processes",
) -> Iterator["Row"]:
    """The rows as they come, by processes that each hold the networks; films are handed out a few at a time.

    Raises:
        ServiceUnavailable: a service is out of order, or a process ended.
        NotInstalled: the engine is not there.
    """
    if not films:
        return
    if engine == "ray":
        from gateway.cli.archive_on_ray import rows_on_ray

        yield from rows_on_ray(films, versions, serving, policy, processes)
        return
    count, spawned = processes or os.cpu_count() or 1, multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(min(count, len(films)), spawned, begin, (policy, versions, serving)) as pool:
        try:
            yield from _as_they_come(pool, iter(films), count * AHEAD)
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

    def __init__(self, policy: ClinicPolicy, versions: str, serving: dict[str, str]) -> None:
        from gateway.assessing.model_use import answering_as
        from gateway.assessing.workflow import Workflow
        from gateway.embedded import in_process
        from shared.logs import configure_logging
        from shared.memory import use_few_arenas

        use_few_arenas()
        configure_logging("WARNING")
        self._runner, self._versions, self._open = asyncio.Runner(), versions, AsyncExitStack()
        source = in_process(secrets.token_urlsafe(48))()
        services = answering_as(self._runner.run(self._open.enter_async_context(source)), serving)
        self._workflow = Workflow(services, 1, policy=policy)

    def assess(self, film: "Film") -> "Row":
        """The row of one film."""
        from gateway.assessing.archive import assess_film

        return self._runner.run(assess_film(film, self._workflow, self._versions))

    def end(self) -> None:
        """Stop the services and their processes."""
        self._runner.run(self._open.aclose())
        self._runner.close()


_workers: list[Worker] = []


def begin(policy: ClinicPolicy, versions: str, serving: dict[str, str]) -> None:
    """Start this process's services; they stop when it ends."""
    from multiprocessing.util import Finalize

    worker = Worker(policy, versions, serving)
    _workers.append(worker)
    Finalize(worker, worker.end, exitpriority=10)


def assess(film: "Film") -> "Row":
    """One film by the services of this process."""
    return _workers[0].assess(film)
