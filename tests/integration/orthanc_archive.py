"""Started in a network of its own: sends files to Orthanc by STOW-RS and C-STORE, and to dcmtk's storescp.

Prints what they then have, as JSON. Both listen on every address of the machine, which is nobody's in such a network.
"""

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
from pydicom import dcmread

from gateway.assessing.outbox_worker import NotDelivered
from gateway.interop.dicom.destinations import DicomWebDestination, DimseDestination
from gateway.interop.dicom.installed import require_installed
from gateway.interop.dicom.objects import DicomObject
from gateway.interop.dicom.store import echo, store
from gateway.interop.dicom.stow import stow

PORT, DICOM_PORT, OTHER_PORT = 18042, 14242, 14243
ROOT = f"http://127.0.0.1:{PORT}"


def settings(folder: Path) -> dict[str, Any]:
    return {
        "StorageDirectory": str(folder),
        "IndexDirectory": str(folder),
        "HttpPort": PORT,
        "DicomPort": DICOM_PORT,
        "DicomAet": "ARCHIVE",
        "AuthenticationEnabled": False,
        "Plugins": ["/usr/share/orthanc/plugins/libOrthancDicomWeb.so"],
        "DicomWeb": {"Enable": True, "Root": "/dicom-web/"},
    }


def wait() -> None:
    for _ in range(300):
        try:
            httpx.get(f"{ROOT}/system")
        except httpx.HTTPError:
            time.sleep(0.1)
        else:
            return
    raise SystemExit("Orthanc did not start")


def main(files: list[str]) -> None:
    require_installed()
    items = [DicomObject("sr", dcmread(file)) for file in files]
    web = DicomWebDestination(url=f"{ROOT}/dicom-web")
    dimse = DimseDestination(host="127.0.0.1", port=DICOM_PORT, called_aet="ARCHIVE")
    told: dict[str, Any] = {}
    try:
        stow(items, web)
    except NotDelivered as error:
        told["before it runs"] = type(error).__name__
    with tempfile.TemporaryDirectory() as folder:
        configuration = Path(folder) / "orthanc.json"
        configuration.write_text(json.dumps(settings(Path(folder))))
        with started("Orthanc", configuration):
            wait()
            stow(items, web)
            stow(items, web)
            echo(dimse)
            store(items, dimse)
            told["instances"] = httpx.get(f"{ROOT}/dicom-web/instances").json()
            told["studies"] = httpx.get(f"{ROOT}/studies").json()
    with tempfile.TemporaryDirectory() as folder:
        with started("storescp", "--aetitle", "OTHER", "--output-directory", folder, str(OTHER_PORT)):
            other = DimseDestination(host="127.0.0.1", port=OTHER_PORT, called_aet="OTHER")
            patiently(lambda: echo(other))
            store(items, other)
        told["kept by storescp"] = [str(dcmread(file).SOPInstanceUID) for file in Path(folder).iterdir()]
    print(json.dumps(told))


@contextmanager
def started(*command: str | Path) -> Iterator[None]:
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        yield
    finally:
        process.terminate()
        process.wait(timeout=30)


def patiently(ask: Callable[[], None]) -> None:
    for _ in range(100):
        try:
            ask()
        except NotDelivered:
            time.sleep(0.1)
        else:
            return
    raise SystemExit("the other archive did not start")


if __name__ == "__main__":
    main(sys.argv[1:])
