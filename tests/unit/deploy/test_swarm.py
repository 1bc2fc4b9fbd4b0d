"""The stack that a swarm gets is the compose file's, without what a swarm does not know."""

import importlib.util
from pathlib import Path

import pytest

SWARM = Path(__file__).parents[3] / "deploy" / "swarm"
COMPOSE = {
    "services": {
        "edge": {
            "build": {"context": ".."}, "depends_on": {"gateway": {}}, "restart": "unless-stopped", "read_only": True,
            "networks": {"front": None}, "ports": [{"target": 8443, "published": "443", "mode": "ingress"}],
            "tmpfs": ["/config:uid=10001"],
            "secrets": [{"source": "a", "target": "/run/secrets/a"}, {"source": "b", "target": "c"}],
            "deploy": {"replicas": 1, "resources": {"limits": {"cpus": 0.5, "memory": "100663296"}}},
        }
    },
    "networks": {"front": {"internal": True, "ipam": {"config": [{"subnet": "10.231.77.0/24"}]}}, "outside": None},
    "volumes": {"records": {}},
    "secrets": {name: {"file": f"/there/{name}", "name": f"x_{name}"} for name in "ab"},
}  # fmt: skip


@pytest.fixture(scope="module")
def stack():
    spec = importlib.util.spec_from_file_location("stack", SWARM / "stack.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.stack(COMPOSE)


def test_what_a_swarm_does_not_know_is_left_out(stack):
    edge = stack["services"]["edge"]
    assert not edge.keys() & {"build", "depends_on", "restart"}
    assert "tmpfs" not in edge  # Swarm would read over it
    assert {"type": "tmpfs", "target": "/config"} in edge["volumes"]
    assert edge["deploy"]["resources"]["limits"] == {"cpus": "0.5", "memory": "100663296"}


def test_what_keeps_it_closed_stays(stack):
    edge = stack["services"]["edge"]
    assert edge["read_only"] is True
    assert edge["secrets"] == [{"source": "a", "target": "a"}, {"source": "b", "target": "c"}]
    assert edge["ports"] == [{"target": 8443, "published": 443, "protocol": "tcp", "mode": "host"}]
    assert stack["networks"]["front"] == {
        "driver": "overlay", "driver_opts": {"encrypted": ""}, "internal": True,
        "ipam": {"config": [{"subnet": "10.231.77.0/24"}]},
    }  # fmt: skip
    assert stack["networks"]["outside"]["internal"] is False
    assert all("encrypted" in network["driver_opts"] for network in stack["networks"].values())
