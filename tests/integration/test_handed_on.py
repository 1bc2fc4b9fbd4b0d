"""A radiograph is decoded once: what imaging hands on gives what the upload gives, and nothing else gets in."""

import io

import httpx
import numpy as np
import pytest
from PIL import Image, ImageOps

from services.imaging import app as imaging
from services.imaging.settings import Settings as ImagingSettings
from services.staging import app as staging
from services.staging.settings import Settings as StagingSettings
from shared import internal_token
from shared.contracts.findings import StageAnswer
from shared.contracts.handover import LENGTH, RADIOGRAPH_TYPE, read_reading
from shared.radiograph.handover import packed, unpacked
from shared.radiograph.joints import KneeJoint
from shared.radiograph.radiograph import Radiograph
from tests.dicom import source_file

SECRET = "0" * 48


@pytest.fixture(scope="module")
async def services():
    """Both services, with their start and stop."""
    found = {}
    for name, module, settings in (("imaging", imaging, ImagingSettings), ("staging", staging, StagingSettings)):
        app = module.create_app(settings(internal_secret=SECRET, _env_file=None))
        lifespan = app.router.lifespan_context(app)
        await lifespan.__aenter__()
        headers = {internal_token.HEADER: internal_token.issue(SECRET, name)}
        client = httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url=f"http://{name}", headers=headers)
        found[name] = client, lifespan
    yield {name: client for name, (client, _) in found.items()}
    for client, lifespan in found.values():
        await client.aclose()
        await lifespan.__aexit__(None, None, None)


def inverted(jpeg):
    file = io.BytesIO()
    ImageOps.invert(Image.open(io.BytesIO(jpeg)).convert("L")).save(file, "JPEG", quality=92)
    return file.getvalue()


@pytest.mark.parametrize("pictures", ["false", "true"])
@pytest.mark.parametrize("lies", ["as it is", "inverted"])
async def test_what_is_handed_on_gives_what_the_upload_gives(services, knee_jpeg, lies, pictures):
    film = knee_jpeg if lies == "as it is" else inverted(knee_jpeg)
    read = await services["imaging"].post("/v1/readings", content=film, params={"pictures": pictures})
    assert read.status_code == 200, read.text
    seen, handed_on = read_reading(read.content)
    assert seen.finding.inverted == (lies == "inverted")
    classified = await services["imaging"].post(
        "/v1/classify", files={"image": ("film", film)}, data={"pictures": pictures}
    )
    assert seen.model_dump() == type(seen).model_validate(classified.json()).model_dump()
    graded = await services["staging"].post(
        "/v1/stage/handed-on",
        content=handed_on,
        params={"pictures": pictures},
        headers={"content-type": RADIOGRAPH_TYPE},
    )
    lies_so = {"turned_degrees": seen.finding.turned_degrees, "inverted": seen.finding.inverted, "pictures": pictures}
    uploaded = await services["staging"].post("/v1/stage", files={"image": ("film", film)}, data=lies_so)
    assert StageAnswer.model_validate(graded.json()) == StageAnswer.model_validate(uploaded.json())


async def test_staging_does_not_learn_whose_film_it_is(services, knee_jpeg):
    pixels = np.asarray(Image.open(io.BytesIO(knee_jpeg)).convert("L"))
    read = await services["imaging"].post("/v1/readings", content=source_file(pixels, PatientID="MRN-SECRET"))
    assert read.status_code == 200, read.text
    seen, handed_on = read_reading(read.content)
    assert seen.source.patient_id == "MRN-SECRET"
    assert handed_on
    assert b"MRN-SECRET" not in handed_on


SPACING = {"pixel_spacing_mm": (0.3, 0.3), "spacing_plane": "patient"}


def a_radiograph():
    pixels = np.arange(60, dtype=np.uint8).reshape(6, 10)
    joint = KneeJoint((1, 2, 3, 4), 0.9, 1.0, (2.5, 3.5, 2.0))
    facts = {"laterality": "left", "patient_orientation": ("L", "F"), **SPACING}
    return Radiograph(pixels, "jpeg", (100, 60), **facts), [joint]


def test_what_is_packed_is_unpacked():
    radiograph, joints = a_radiograph()
    back, found = unpacked(packed(radiograph, joints))
    assert (back.pixels == radiograph.pixels).all()
    assert (back.laterality, back.patient_orientation, found) == ("left", ("L", "F"), joints)
    assert (back.pixel_spacing_mm, back.spacing_plane) == ((0.3, 0.3), "patient")


WHOLE = packed(*a_radiograph())


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"film",
        WHOLE[:20],
        WHOLE[:-1],
        LENGTH.pack(2**60) + WHOLE[8:],
        LENGTH.pack(2) + b"{}" + WHOLE,
        WHOLE.replace(b'"height":6', b'"height":9'),
        WHOLE.replace(b'"jpeg"', b'"exe_"'),
    ],
)
async def test_what_nobody_handed_on_is_refused(services, data):
    answer = await services["staging"].post("/v1/stage/handed-on", content=data)
    assert answer.status_code == 422, answer.text
    assert answer.json()["type"].endswith("unreadable-image")
