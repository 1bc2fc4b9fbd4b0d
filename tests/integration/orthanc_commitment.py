"""Started in a network of its own: stores files in Orthanc, asks it for storage commitment, and hears its answers.

Prints, as JSON, what was answered of what it keeps, and of what it never got.
"""

import json
import queue
import sys
import tempfile
from pathlib import Path
from typing import Any

from pydicom import dcmread

from gateway.interop.dicom.destinations import DimseDestination
from gateway.interop.dicom.installed import require_installed
from gateway.interop.dicom.objects import DicomObject
from gateway.interop.dicom.receive import Door, open_door
from gateway.interop.dicom.store import ask_commitment, store
from tests.integration.orthanc_archive import DICOM_PORT, settings, started, wait

OUR_PORT = 14244
KEPT, LOST, FOREIGN = "2.25.1001", "2.25.1002", "2.25.1003"


def main(file: str) -> None:
    require_installed()
    [item] = [DicomObject("sr", dcmread(file))]
    never_sent = dcmread(file)
    never_sent.SOPInstanceUID = never_sent.file_meta.MediaStorageSOPInstanceUID = "2.25.4711"
    to = DimseDestination(host="127.0.0.1", port=DICOM_PORT, called_aet="ARCHIVE")
    heard: queue.Queue[tuple[str, int]] = queue.Queue()
    reasons: queue.Queue[str] = queue.Queue()
    told: dict[str, Any] = {}

    def confirm(uid: str, not_kept: int) -> bool:
        heard.put((uid, not_kept))
        return uid != FOREIGN

    with tempfile.TemporaryDirectory() as folder:
        configuration = Path(folder) / "orthanc.json"
        ours = {"DicomModalities": {"us": ["TRABECULA", "127.0.0.1", OUR_PORT]}}
        configuration.write_text(json.dumps({**settings(Path(folder)), **ours}))
        door = Door("TRABECULA", "127.0.0.1", OUR_PORT, {"ARCHIVE": ("127.0.0.1",)}, None, Path(folder), 10**6)
        with (
            started("Orthanc", configuration),
            open_door(door, lambda *_: sys.exit("no film was sent"), reasons.put, confirm),
        ):
            wait()
            store([item], to)
            for uid, objects in ((KEPT, [item]), (LOST, [item, DicomObject("sr", never_sent)]), (FOREIGN, [item])):
                ask_commitment(objects, uid, to)
                answered, not_kept = heard.get(timeout=20)
                told[answered] = not_kept
            told["counted"] = reasons.get(timeout=5)
    print(json.dumps(told))


if __name__ == "__main__":
    main(sys.argv[1])
