"""Started in a network of its own: films go in by C-STORE while Orthanc, gateway and router are killed at random.

Prints what is there in the end: assessments, structured reports in Orthanc, and how the queue of films stands.
"""

import json
import os
import random
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pydicom
from pynetdicom import AE

from gateway.interop.dicom.received import FILM_CLASSES
from tests.films import film
from tests.integration.orthanc_archive import DICOM_PORT, ROOT, settings, wait

GATEWAY_PORT, FILMS_PORT = 18080, 18112
GATEWAY = f"http://127.0.0.1:{GATEWAY_PORT}"
HASTY = (sys.executable, "-m", "tests.integration.hasty_command")
LONGEST_S = 1500


class Site:
    """The three programs, each of which may be killed and is started again."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        (folder / "orthanc").mkdir()
        configuration = folder / "orthanc.json"
        configuration.write_text(json.dumps({**settings(folder / "orthanc"), "Name": "trial"}))
        self.commands: dict[str, tuple[str, ...]] = {
            "orthanc": ("Orthanc", str(configuration)),
            "gateway": (*HASTY, "serve", "--port", str(GATEWAY_PORT)),
            "router": (*HASTY, "route", "serve"),
        }
        self.environment = {
            **os.environ,
            "TRABECULA_STATE_DIR": str(folder / "state"),
            "TRABECULA_DICOM_PORT": str(FILMS_PORT),
            "TRABECULA_DICOM_PEERS": '{"CR1": ["127.0.0.1"]}',
        }
        self.running: dict[str, subprocess.Popen[bytes]] = {}
        self.log = (folder / "log").open("wb")

    def start(self, name: str) -> None:
        self.running[name] = subprocess.Popen(
            self.commands[name], env=self.environment, stdout=self.log, stderr=self.log
        )

    def kill(self, name: str) -> None:
        self.running[name].kill()
        self.running[name].wait()

    def call(self, *arguments: str) -> str:
        done = subprocess.run([*HASTY, *arguments], env=self.environment, capture_output=True, text=True, check=True)
        return done.stdout

    def status(self) -> dict[str, Any]:
        return dict(json.loads(self.call("route", "status", "--json")))


def until(ready: Callable[[], object], seconds: float = LONGEST_S, pause: float = 1) -> None:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        try:
            if ready():
                return
        except (httpx.HTTPError, subprocess.CalledProcessError):
            pass
        time.sleep(pause)
    raise SystemExit("it did not come about in time")


def send(dataset: pydicom.FileDataset) -> bool:
    """One film by C-STORE; whether it was taken."""
    entity = AE(ae_title="CR1")
    entity.connection_timeout = entity.acse_timeout = entity.dimse_timeout = 20
    entity.add_requested_context(FILM_CLASSES[1], ["1.2.840.10008.1.2.1"])
    association = entity.associate("127.0.0.1", FILMS_PORT, ae_title="TRABECULA")
    if not association.is_established:
        return False
    try:
        return association.send_c_store(dataset).get("Status") == 0
    except (RuntimeError, ValueError):
        return False
    finally:
        association.release()


def reports() -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = httpx.post(
        f"{ROOT}/tools/find", json={"Level": "Instance", "Expand": True, "Query": {"Modality": "SR"}}, timeout=60
    ).json()
    return found


def killing(site: Site, every_s: float, kills: list[str], stop: threading.Event) -> None:
    """Each program once in any order, and then any, until it is enough."""
    names = ["orthanc", "gateway", "router"]
    random.shuffle(names)
    while not stop.wait(every_s * random.uniform(0.3, 1.7)):
        name = names.pop() if names else random.choice(("orthanc", "gateway", "router"))
        site.kill(name)
        kills.append(name)
        site.start(name)


def measured(site: Site) -> float:
    """Seconds from a film's arrival to its result in the archive, with nobody killed."""
    before, began = len(reports()), time.monotonic()
    until(lambda: send(film("MRN-0")), pause=0.1)
    until(lambda: len(reports()) > before, pause=0.1)
    return time.monotonic() - began


def main(total: int, every_s: float, least: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        site, kills, stop = Site(Path(folder)), [], threading.Event()
        try:
            site.start("orthanc")
            wait()
            site.call("route", "add-dicom", "house", "--host", "127.0.0.1", "--port", str(DICOM_PORT),
                      "--called-aet", "ARCHIVE", "--objects", "sr")  # fmt: skip
            site.start("gateway")
            until(lambda: httpx.get(f"{GATEWAY}/health/ready").status_code == 200)
            site.start("router")
            first_s = [round(measured(site), 2) for _ in range(3)]
            killer = threading.Thread(target=killing, args=(site, every_s, kills, stop))
            killer.start()
            for number in range(total - 3):
                dataset = film(f"MRN-{number}")
                until(lambda dataset=dataset: send(dataset), pause=0.2)
            until(lambda: len(kills) >= least)
            stop.set()
            killer.join()
            until(lambda: site.status()["films"]["counts"].get("done", 0) >= total)
            until(lambda: len(reports()) >= total)
            time.sleep(3)
            status = site.status()
            of_study = Counter(report["ParentSeries"] for report in reports())
            print(json.dumps({
                "first_s": first_s, "kills": Counter(kills), "films": status["films"]["counts"],
                "dead results": status["results"]["dead"], "reports": len(reports()), "most": max(of_study.values()),
            }))  # fmt: skip
        except SystemExit:
            print((Path(folder) / "log").read_text(errors="replace")[-5000:], file=sys.stderr)
            raise
        finally:
            stop.set()
            for name in site.running:
                site.kill(name)


if __name__ == "__main__":
    main(int(sys.argv[1]), float(sys.argv[2]), int(sys.argv[3]))
