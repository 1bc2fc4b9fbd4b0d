"""The Kubernetes manifests: valid by the API's own schemas, and nothing that the `restricted` standard forbids."""

import json
import re
from collections import defaultdict
from pathlib import Path

import kubernetes_validate
import pytest
import yaml

from gateway.settings import GatewaySettings
from shared.components import SERVICES
from shared.signers import SETTING

KUBERNETES = Path(__file__).parents[3] / "deploy" / "kubernetes"
VERSION = "1.34"
FILES = sorted(file for file in KUBERNETES.rglob("*.yaml") if file.name != "kustomization.yaml")
KUSTOMIZATIONS = sorted(KUBERNETES.rglob("kustomization.yaml"))


def documents(file):
    return [document for document in yaml.safe_load_all(file.read_text()) if document]


EVERY = [document for file in FILES for document in documents(file)]
WORKLOADS = [entry for entry in EVERY if entry["kind"] in ("Deployment", "StatefulSet", "Job")]
SERVING = [entry for entry in WORKLOADS if entry["kind"] == "Deployment"]
ROUTER = [entry for entry in WORKLOADS if entry["metadata"]["name"] == "router"]


def named(only):
    return f"{only['kind']}/{only['metadata']['name']}"


def pod(workload):
    return workload["spec"]["template"]["spec"]


@pytest.mark.parametrize("document", EVERY, ids=named)
def test_a_manifest_is_what_the_api_takes(document):
    kubernetes_validate.validate(document, VERSION, strict=True)


def test_a_wrong_manifest_is_noticed():
    wrong = {**WORKLOADS[0], "spec": {**WORKLOADS[0]["spec"], "replica": 2}}
    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate(wrong, VERSION, strict=True)


@pytest.mark.parametrize("file", KUSTOMIZATIONS, ids=lambda file: file.parent.name)
def test_a_kustomization_names_what_is_there_and_all_of_it(file):
    about = yaml.safe_load(file.read_text())
    assert about["kind"] == ("Component" if file.parent.parent.name == "components" else "Kustomization")
    assert all((file.parent / resource).exists() for resource in about["resources"])
    beside = {item.name for item in file.parent.glob("*.yaml")} - {"kustomization.yaml"}
    assert beside <= set(about["resources"])


@pytest.mark.parametrize("overlay", ["one-node", "group"])
def test_an_overlay_says_whom_the_gateway_believes(overlay):
    about = yaml.safe_load((KUBERNETES / "overlays" / overlay / "kustomization.yaml").read_text())
    patches = [yaml.safe_load(patch["patch"]) for patch in about["patches"] if patch["target"].get("name") == "gateway"]
    [container] = pod(patches[0])["containers"]
    [variable] = container["env"]
    [base] = pod(next(item for item in SERVING if item["metadata"]["name"] == "gateway"))["containers"]
    assert container["name"] == base["name"]
    assert variable["name"] == "TRABECULA_TRUSTED_PROXIES"
    assert json.loads(variable["value"])


@pytest.mark.parametrize("workload", WORKLOADS, ids=named)
def test_a_pod_passes_the_restricted_standard(workload):
    spec = pod(workload)
    assert not spec.keys() & {"hostNetwork", "hostPID", "hostIPC"}
    assert spec["automountServiceAccountToken"] is False
    assert spec["securityContext"]["runAsNonRoot"] is True
    assert spec["securityContext"]["runAsUser"] > 0
    assert spec["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    for container in spec["containers"]:
        context = container["securityContext"]
        assert context["allowPrivilegeEscalation"] is False
        assert context["readOnlyRootFilesystem"] is True
        assert context["capabilities"] == {"drop": ["ALL"]}
        assert container["resources"]["limits"].keys() >= {"cpu", "memory"}
        assert not any("hostPort" in port for port in container.get("ports", []))
    assert all(volume.keys() <= {"name", "emptyDir", "projected"} for volume in spec["volumes"])


@pytest.mark.parametrize("workload", SERVING, ids=named)
def test_what_serves_is_probed_scaled_spread_and_kept(workload):
    (container,) = pod(workload)["containers"]
    assert {"startupProbe", "readinessProbe", "livenessProbe"} <= container.keys()
    assert workload["spec"]["strategy"]["rollingUpdate"]["maxUnavailable"] == 0
    name = workload["metadata"]["name"]
    assert {"Service", "PodDisruptionBudget", "HorizontalPodAutoscaler"} <= {
        item["kind"] for item in EVERY if item["metadata"]["name"] == name
    }


def test_the_router_is_one_probed_with_a_disk_of_its_own_and_heard_under_its_senders_addresses():
    [router] = [item for item in WORKLOADS if item["metadata"]["name"] == "router"]
    (container,) = pod(router)["containers"]
    assert (router["kind"], router["spec"]["replicas"]) == ("StatefulSet", 1)
    assert {"startupProbe", "readinessProbe", "livenessProbe"} <= container.keys()
    assert [claim["metadata"]["name"] for claim in router["spec"]["volumeClaimTemplates"]] == ["state"]
    [service] = [item for item in EVERY if (item["kind"], item["metadata"]["name"]) == ("Service", "router")]
    assert service["spec"]["externalTrafficPolicy"] == "Local"
    variables = {one["name"]: one["value"] for one in container["env"]}
    assert (variables["TRABECULA_DICOM_PEERS"], variables["TRABECULA_HL7_PEERS"]) == ("{}", "{}")  # nobody, until named
    names = {name.removeprefix("TRABECULA_").lower() for name in variables}
    assert names <= set(GatewaySettings.model_fields)


@pytest.mark.parametrize("workload", [*SERVING, *ROUTER], ids=named)
def test_a_pod_gets_the_secrets_it_needs_and_no_other(workload):
    compose = yaml.safe_load((KUBERNETES.parent / "docker-compose.yml").read_text())
    (projected,) = [volume["projected"] for volume in pod(workload)["volumes"] if "projected" in volume]
    given = {item["key"] for source in projected["sources"] for item in source["secret"]["items"]}
    assert given == set(compose["services"][workload["metadata"]["name"]]["secrets"])


def test_own_models_are_mounted_read_only_where_each_service_looks_and_by_whom_they_are_signed():
    component = KUBERNETES / "components" / "models"
    [patch] = yaml.safe_load((component / "kustomization.yaml").read_text())["patches"]
    reading = {service.name for service in SERVICES if service.finding}
    assert set(patch["target"]["name"].split("|")) == reading
    operations = yaml.safe_load(patch["patch"])
    added = defaultdict(list)
    for operation in operations:
        added[operation["path"]].append(operation["value"])
    for workload in SERVING:  # each path ends a list that is there in every base
        if workload["metadata"]["name"] in reading:
            (container,) = pod(workload)["containers"]
            assert {"env", "volumeMounts"} <= container.keys()
    template, container = "/spec/template/spec", "/spec/template/spec/containers/0"
    [volume], [mount] = added[f"{template}/volumes/-"], added[f"{container}/volumeMounts/-"]
    [claim] = documents(component / "models.yaml")
    assert volume["persistentVolumeClaim"] == {"claimName": claim["metadata"]["name"], "readOnly": True}
    assert (mount["name"], mount["readOnly"]) == (volume["name"], True)
    variables = {one["name"]: one for one in added[f"{container}/env/-"]}
    assert variables["TRABECULA_MODELS"]["value"] == mount["mountPath"]
    assert variables[SETTING]["valueFrom"]["configMapKeyRef"] == {"name": "models", "key": "signers", "optional": True}


def test_nobody_is_reached_but_by_a_rule_of_its_own():
    policies = {item["metadata"]["name"]: item["spec"] for item in EVERY if item["kind"] == "NetworkPolicy"}
    assert policies["nobody"] == {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}


def test_no_secret_is_written_down():
    assert not [named(item) for item in EVERY if item["kind"] == "Secret"]
    text = "".join(file.read_text() for file in FILES)
    assert not re.search(r"(password|secret): *['\"][^'\"]{8,}", text)
