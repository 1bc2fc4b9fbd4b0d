"""What an upload leaves on the disk while it is read: nothing that anybody could read there."""

import os
import sys
from pathlib import Path
from tempfile import gettempdir

import httpx
import pytest

from gateway.settings import GatewaySettings
from services.imaging.app import create_app
from services.imaging.settings import Settings
from shared.encrypted_spool import EncryptedFile, EncryptedSpool, encrypt_spooled_uploads
from tests.integration.people import PASSWORD, administrator_of, client

MARK = b"PATIENT-DOE-JANE-1957"
START = b'--b\r\nContent-Disposition: form-data; name="image"; filename="knee.jpg"\r\n\r\n'
PICTURE, MORE = MARK * 100_000, 40  # 2.1 MB, and a few pieces that come later
FORM = {"content-type": "multipart/form-data; boundary=b"}


@pytest.fixture(scope="module")
def settings(tmp_path_factory):
    return GatewaySettings(state_dir=tmp_path_factory.mktemp("spool"), _env_file=None)


def temporary_files():
    """The files without a name that this process has open, whole."""
    for link in Path("/proc/self/fd").iterdir():
        try:
            target = str(link.readlink())
            if target.endswith("(deleted)") and gettempdir() in target:
                yield link.read_bytes()
        except OSError:
            continue


class Upload:
    """A body that looks at the disk when half of it has been read."""

    seen: list[bytes]

    async def __aiter__(self):
        whole = START + PICTURE + b"\r\n--b--\r\n"
        for start in range(0, len(whole), len(whole) // MORE):
            yield whole[start : start + len(whole) // MORE]
            self.seen = list(temporary_files())


async def looked(caller, path):
    upload = Upload()
    await caller.post(path, content=upload, headers=FORM)
    return upload.seen


@pytest.mark.skipif(sys.platform != "linux", reason="another system does not show the files that a process has open")
@pytest.mark.parametrize("way", ["assessment", "batch", "page", "service"])
async def test_a_large_upload_is_not_on_the_disk_in_the_clear(settings, api, way):
    if way == "service":
        app = create_app(Settings(internal_secret="0" * 48, _env_file=None))
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://imaging") as caller:
            seen = await looked(caller, "/v1/classify")
    elif way == "page":
        async with await administrator_of(settings, api, "root@spool.example"), client(api) as caller:
            csrf = (await caller.get("/session")).json()["form_token"]
            form = {"csrf": csrf, "email": "root@spool.example", "password": PASSWORD}
            assert (await caller.post("/sign-in", data=form)).status_code == 303
            seen = await looked(caller, "/new")
    else:
        seen = await looked(api, {"assessment": "/v1/assessments", "batch": "/v1/batches"}[way])
    assert max(map(len, seen)) > len(PICTURE) // 2, "it was on the disk"
    assert not any(MARK in content for content in seen)


@pytest.mark.parametrize("size", [0, 10, 4_000, 3_000_001])
def test_what_was_written_is_read_again_as_often_as_need_be(size):
    data = os.urandom(size)
    with EncryptedSpool(max_size=1_000) as spool:
        for start in range(0, size, 700):
            spool.write(data[start : start + 700])
        for _ in range(2):
            spool.seek(0)
            assert spool.read(5) + spool.read() == data
            assert spool.read() == b""


def test_no_place_of_an_encrypted_file_is_written_twice():
    file = EncryptedFile()
    file.write(b"once")
    file.seek(0)
    with pytest.raises(ValueError, match="written once"):
        file.write(b"twice")
    with pytest.raises(ValueError, match="from its start"):
        file.seek(2)
    file.close()
    assert file.closed


def test_starlette_still_makes_its_files_where_it_is_told():
    from starlette import formparsers

    encrypt_spooled_uploads()
    assert formparsers.SpooledTemporaryFile is EncryptedSpool
