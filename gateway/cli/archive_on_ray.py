"""Films spread over a Ray cluster: one actor on each processor, each with services of its own."""

import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import redirect_stdout
from typing import TYPE_CHECKING

from gateway.cli.archive import Worker
from shared.contracts.policy import ClinicPolicy
from shared.problems import NotInstalled, ServiceUnavailable

if TYPE_CHECKING:
    from gateway.assessing.archive import Film, Row

# A film is tried so often again when its actor, or the whole node, is gone.
TRIES = 3


def rows_on_ray(
    films: Sequence["Film"], versions: str, serving: dict[str, str], policy: ClinicPolicy, actors: int
) -> Iterator["Row"]:
    """The rows as they come, in any order. Every node has this software, and finds the films under the same paths.

    Args:
        actors: at most so many; 0 for one on each processor of the cluster, which RAY_ADDRESS names.

    Raises:
        NotInstalled: Ray is not there.
        ServiceUnavailable: no cluster answers, or a film was lost with its node more than three times.
    """
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")  # nobody is told that a hospital computes here
    try:
        import ray
        from ray.util import ActorPool
    except ModuleNotFoundError as error:
        raise NotInstalled("Ray is not installed: pip install 'trabecula[cluster]'.") from error
    # It tells of lost processes on standard output, which is the command's own.
    with redirect_stdout(sys.stderr):
        try:
            ray.init(log_to_driver=False, logging_level="ERROR")
        except ConnectionError as error:
            raise ServiceUnavailable(f"No Ray cluster answers at RAY_ADDRESS: {error}") from error
        try:
            there = int(ray.cluster_resources().get("CPU", 1))
            remote = ray.remote(num_cpus=1, max_restarts=-1, max_task_retries=TRIES)(Worker)
            pool = ActorPool(
                [remote.remote(policy, versions, serving) for _ in range(min(actors or there, there, len(films)))]
            )
            yield from pool.map_unordered(lambda actor, film: actor.assess.remote(film), films)
        except ray.exceptions.RayActorError as error:
            raise ServiceUnavailable(
                f"A node is gone, or its process ended: the same command goes on. {error}"
            ) from error
        finally:
            ray.shutdown()
