"""What an operator does to a running installation: try a backup, restore a lost one, take a new version and go back."""

import io
import json
import os
import subprocess
import tarfile
import time
from pathlib import Path

import httpx
import numpy as np
import pydicom
import pytest
from PIL import Image

from gateway.platform.database.engine import MIGRATIONS
from tests.dicom import source_file
from tests.e2e.containers.conftest import ROOT, copy_sources, free_ports, installed, until

pytestmark = [pytest.mark.containers, pytest.mark.slow]
RECORD = '{"age": 67, "gender": "female", "weight_kg": 58}'
BACKUP = "/state/backup.zip"


@pytest.fixture
def assess(knee_jpeg):
    def assess(client):
        made = client.post(
            "/v1/assessments",
            files={"image": ("knee.jpg", knee_jpeg)},
            data={"clinical": RECORD, "patient_number": "MRN-1"},
        )
        assert made.status_code == 201, made.text
        assert made.json()["status"] == "complete", made.json()["warnings"]
        return made.json()["id"]

    return assess


@pytest.fixture
def knee_film(knee_jpeg):
    """The drawn knee as a modality's DX file."""
    pixels = np.asarray(Image.open(io.BytesIO(knee_jpeg)).convert("L"))
    return pydicom.dcmread(io.BytesIO(source_file(pixels, PatientID="MRN-PACS")))


def readable(client, *assessments):
    return all(client.get(f"/v1/assessments/{one}").status_code == 200 for one in assessments)


def serves(client):
    try:
        return client.get("/health/ready").status_code == 200
    except httpx.HTTPError:
        return False


def test_a_backup_is_tried_beside_the_running_installation(stack, client, assess):
    made = assess(client)
    backup = f"/state/drill-{made}.zip"
    stack.gateway("backup", backup)
    drill = json.loads(stack.gateway("restore-drill", backup, "--json"))
    print(f"\nrestore drill: {sum(drill['rows'].values())} rows in {drill['seconds']:.1f} s")
    assert drill["rows"]["assessments"] >= 1
    assert readable(client, made), "the installation was not touched"


def test_a_lost_installation_comes_back_from_its_backup(tmp_path, assess):
    """By the commands of docs/operations.md; the time to be back, and what is lost: nothing up to the backup."""
    with installed(tmp_path / "installation", "trabecula-restore", 79) as stack:
        stack.up()
        with stack.ward() as client:
            made, key = assess(client), client.headers["X-API-Key"]
        stack.gateway("backup", BACKUP)
        stack.compose("cp", f"gateway:{BACKUP}", str(tmp_path / "backup.zip"))
        stack.compose("down", "--volumes", "--timeout", "5")
        (tmp_path / "backup.zip").chmod(0o644)
        began = time.monotonic()
        stack.up("database")
        volume = f"{tmp_path / 'backup.zip'}:/backup.zip:ro"
        stack.compose("run", "--rm", "--no-deps", "--volume", volume, "migrate", "trabecula", "restore", "/backup.zip")
        stack.up()
        with httpx.Client(base_url=stack.url, headers={"X-API-Key": key}, verify=stack.trusted(), timeout=60) as client:
            until(lambda: serves(client), 60, "the restored installation answers")
            print(f"\nlost to restored: {time.monotonic() - began:.1f} s")
            assert readable(client, made), "the key of before and the assessment of before are there"
            assess(client)
        assert json.loads(stack.gateway("audit", "verify", "--json"))["ok"]


def test_a_film_that_a_modality_sends_is_assessed(stack, client, knee_film):
    """The profile `pacs`: C-STORE to the published port, and the assessment is there."""
    from pynetdicom import AE

    sent_to = {"TRABECULA_DICOM_PEERS": '{"CR1": ["0.0.0.0/0"]}', "TRABECULA_DICOM_PORT": str(free_ports(1)[0])}
    stack.compose("--profile", "pacs", "up", "--detach", "--wait", "--wait-timeout", "120", "router", **sent_to)
    modality = AE("CR1")
    modality.add_requested_context(knee_film.SOPClassUID, knee_film.file_meta.TransferSyntaxUID)
    association = modality.associate("127.0.0.1", int(sent_to["TRABECULA_DICOM_PORT"]), ae_title="TRABECULA")
    assert association.is_established
    assert association.send_c_store(knee_film).Status == 0
    association.release()

    def assessed():
        listed = client.get("/v1/assessments", params={"patient_number": knee_film.PatientID}).json()["items"]
        return [item["status"] for item in listed] == ["complete"]

    took = until(assessed, 60, "the film is assessed")
    print(f"\nfrom 0x0000 to the assessment: {took:.1f} s")
    stack.compose("--profile", "pacs", "rm", "--stop", "--force", "router", **sent_to)


def git(*arguments):
    return subprocess.run(["git", "-C", str(ROOT), *arguments], capture_output=True, text=True, check=False)


def before_the_newest_migration(folder: Path) -> Path:
    """The sources of TRABECULA_UPGRADE_FROM, else of the last commit that lacks the newest migration.

    From there going back works without the backup only if the migrations since add and change nothing else: the
    changelog says so of each.
    """
    newest = max((MIGRATIONS / "versions").glob("0*.py")).relative_to(ROOT)
    commits = git("rev-list", "--first-parent", "HEAD").stdout.split()
    lacking = (one for one in commits if git("cat-file", "-e", f"{one}:{newest}").returncode)
    reference = os.environ.get("TRABECULA_UPGRADE_FROM") or next(lacking, "nothing")
    archive = folder / "before.tar"
    done = git("archive", "--output", str(archive), reference)
    if done.returncode:
        pytest.skip(f"the sources of the version before are not in this checkout: {done.stderr[:200]}")
    with tarfile.open(archive) as sources:
        sources.extractall(folder / "before", filter="data")
    return folder / "before"


def test_a_new_version_and_back_and_again(tmp_path, assess):
    """Nothing is lost on the way to this version, back to the one before, and here again."""
    before = before_the_newest_migration(tmp_path)
    folder = tmp_path / "installation"
    with installed(folder, "trabecula-upgrade", 80, before) as stack:
        stack.up()
        with stack.ward() as client:
            kept = [assess(client)]
            for name, sources in (("to this version", ROOT), ("back", before), ("here again", ROOT)):
                copy_sources(sources, folder)
                stack.make_secrets()
                stack.build()
                took = stack.up()
                until(lambda: serves(client), 60, f"answers after going {name}")
                print(f"\n{name}: {took:.1f} s from the command to healthy")
                assert readable(client, *kept), name
                kept.append(assess(client))
        assert json.loads(stack.gateway("audit", "verify", "--json"))["ok"]
