"""Turns the compose file into what `docker stack deploy` takes: `docker compose config` in, a stack file out.

    docker compose -f deploy/docker-compose.yml -f deploy/swarm/docker-compose.swarm.yml config --format json |
      python deploy/swarm/stack.py | docker stack deploy --compose-file - trabecula

Swarm knows neither an order of starting, nor builds, nor profiles, nor tmpfs options, and restarts by rules of its own.
Standard library only: the output is JSON, which is YAML too.
"""

import json
import sys
from pathlib import PurePosixPath
from typing import Any

# What Compose has and Swarm has not, or does in another way.
LEFT_OUT = ("build", "depends_on", "restart", "profiles", "security_opt", "container_name", "pull_policy")


def stack(compose: dict[str, Any]) -> dict[str, Any]:
    """The stack of a whole compose configuration."""
    services = {name: service(about) for name, about in compose["services"].items()}
    networks = {name: network(about or {}) for name, about in compose["networks"].items()}
    volumes: dict[str, Any] = {name: {} for name in compose.get("volumes", {})}
    secrets = {name: {"file": about["file"]} for name, about in compose["secrets"].items()}
    return {"version": "3.9", "services": services, "networks": networks, "volumes": volumes, "secrets": secrets}


def service(compose: dict[str, Any]) -> dict[str, Any]:
    """One service: Swarm starts it again whatever it ended with, but for a job, which says so itself."""
    about = {name: value for name, value in compose.items() if name not in LEFT_OUT and value is not None}
    about["networks"] = list(about["networks"])
    # Swarm reads over `tmpfs` without a word.
    in_memory = [{"type": "tmpfs", "target": mount.split(":")[0]} for mount in about.pop("tmpfs", [])]
    about["volumes"] = [*about.get("volumes", []), *in_memory]
    about["ports"] = [
        {"target": port["target"], "published": int(port["published"]), "protocol": "tcp", "mode": "host"}
        for port in about.get("ports", [])
    ]
    about["secrets"] = [
        {"source": secret["source"], "target": PurePosixPath(secret.get("target", secret["source"])).name}
        for secret in about.get("secrets", [])
    ]
    deploy = about.setdefault("deploy", {})
    deploy.setdefault("endpoint_mode", "dnsrr")
    limits = deploy.get("resources", {}).get("limits", {})
    if "cpus" in limits:
        limits["cpus"] = str(limits["cpus"])
    if "memory" in limits:
        limits["memory"] = str(limits["memory"])
    return about


def network(compose: dict[str, Any]) -> dict[str, Any]:
    """A network that reaches across the engines: what the rooms say to each other is encrypted on the way (IPsec)."""
    about: dict[str, Any] = {
        "driver": "overlay",
        "driver_opts": {"encrypted": ""},
        "internal": bool(compose.get("internal")),
    }
    if subnets := [{"subnet": pool["subnet"]} for pool in compose.get("ipam", {}).get("config", [])]:
        about["ipam"] = {"config": subnets}
    return about


if __name__ == "__main__":
    json.dump(stack(json.load(sys.stdin)), sys.stdout, indent=2)
