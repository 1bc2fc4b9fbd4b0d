"""Started in a network of its own: has films taken in from Orthanc, by its changes and by DICOMweb; prints how many.

Orthanc listens on every address of the machine, which is nobody's in such a network.
"""

import asyncio
import datetime as dt
import json
import sys
import tempfile
from collections import Counter
from pathlib import Path

import httpx
from sqlalchemy import select

from gateway.assessing.administration import prepare
from gateway.interop.dicom.destinations import DicomWebDestination
from gateway.interop.dicom.installed import require_installed
from gateway.interop.dicom.pull import DicomWeb, orthanc
from gateway.interop.dicom.router import OVERLAP, QIDO, RECONCILED, Router, opened
from gateway.platform.clock import now
from gateway.platform.database.tables import FilmRow
from gateway.settings import GatewaySettings
from tests.films import file_of, film
from tests.integration.orthanc_archive import ROOT, settings, started, wait


def put(**elements: object) -> str:
    """Give Orthanc a film of today; its id there."""
    today = f"{now():%Y%m%d}"
    answer = httpx.post(f"{ROOT}/instances", content=file_of(film(**{"StudyDate": today, **elements})), timeout=30)
    return str(answer.raise_for_status().json()["ID"])


async def counts(router: Router) -> dict[str, int]:
    async with router.films._sessions() as session:
        rows = (await session.execute(select(FilmRow.state, FilmRow.source))).all()
    return dict(Counter(f"{source}: {state}" for state, source in rows))


async def main(folder: str) -> None:
    require_installed()
    site = GatewaySettings(state_dir=Path(folder), _env_file=None)
    await asyncio.to_thread(prepare, site)
    there, web = orthanc(ROOT, None, 40_000_000), DicomWeb(DicomWebDestination(url=f"{ROOT}/dicom-web"))
    told = {}
    async with opened(site) as router:
        lost = put()
        put(), put(BodyPartExamined="CHEST"), put(Modality="CT")
        await asyncio.to_thread(httpx.delete, f"{ROOT}/instances/{lost}")
        await router.follow(there)
        told["followed"] = await counts(router)
        put()
        await router.follow(there)
        await router.follow(there)
        told["followed on"] = await counts(router)
        put(StudyDate="20200101")
        put()
        told["asked"] = await router.reconcile(web, QIDO, OVERLAP)
        told["asked again"] = await router.reconcile(web, QIDO, OVERLAP)
        told["reconciled"] = await router.reconcile(there, QIDO, RECONCILED)
        put()
        told["found at night"] = await router.reconcile(there, "orthanc", dt.timedelta(hours=48))
        told["all"] = await counts(router)
    print(json.dumps(told))


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as state, tempfile.TemporaryDirectory() as storage:
        configuration = Path(storage) / "orthanc.json"
        configuration.write_text(json.dumps(settings(Path(storage))))
        with started("Orthanc", configuration):
            wait()
            asyncio.run(main(state))
    sys.exit(0)
