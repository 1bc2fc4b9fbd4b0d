"""The form as rough clients send it: read where it is clear what is meant, and otherwise refused by its own name."""

import base64
import gzip

RECORD = '{"age": 67, "gender": "female"}'
EDGE = "edge"
KIND = f"multipart/form-data; boundary={EDGE}"


def part(content, *, name="image", disposition='; filename="knee.jpg"', headers=""):
    content = content.encode() if isinstance(content, str) else content
    head = f'--{EDGE}\r\nContent-Disposition: form-data; name="{name}"{disposition}\r\n{headers}\r\n'
    return head.encode() + content + b"\r\n"


def clinical(content=RECORD, **options):
    return part(content, name="clinical", disposition="", **options)


END = f"--{EDGE}--\r\n".encode()


async def send(shared_api, body, **headers):
    headers = {name.replace("_", "-"): value for name, value in headers.items()}
    return await shared_api.post("/v1/assessments", content=body, headers={"Content-Type": KIND, **headers})


async def test_media_types_have_no_case(shared_api):
    answer = await send(shared_api, clinical() + END, Content_Type=f"Multipart/Form-Data; boundary={EDGE}")
    assert answer.status_code == 201, answer.text


async def test_a_name_in_filename_star_alone_makes_a_file(shared_api, knee_jpeg):
    body = part(knee_jpeg, disposition="; filename*=UTF-8''knee%20left.jpg") + END
    answer = await send(shared_api, body)
    assert answer.status_code == 201, answer.text
    assert answer.json()["imaging"]


async def test_a_cut_off_body_is_called_that(shared_api, knee_jpeg):
    whole = part(knee_jpeg) + clinical() + END
    for length in (len(whole) - 6, len(whole) - 60, 5000, 90):
        answer = await send(shared_api, whole[:length])
        assert answer.status_code == 400, (length, answer.text)
        assert answer.json()["type"] == "urn:trabecula:problem:bad-request"
        assert "cut off" in answer.json()["detail"]


async def test_what_follows_the_final_boundary_is_ignored(shared_api):
    answer = await send(shared_api, clinical() + END + b"epilogue" * 100)
    assert answer.status_code == 201, answer.text


async def test_a_compressed_body_is_refused_by_its_header(shared_api):
    answer = await send(shared_api, gzip.compress(clinical() + END), Content_Encoding="gzip")
    assert answer.status_code == 415
    assert answer.json()["type"] == "urn:trabecula:problem:unsupported-media-type"
    assert "Content-Encoding gzip" in answer.json()["detail"]
    assert (await send(shared_api, clinical() + END, Content_Encoding="identity")).status_code == 201


async def test_an_empty_file_input_leaves_the_record(shared_api):
    nothing = part("", disposition='; filename=""', headers="Content-Type: application/octet-stream\r\n")
    answer = await send(shared_api, nothing + clinical() + END)
    assert answer.status_code == 201, answer.text
    assert answer.json()["imaging"] is None
    alone = await send(shared_api, nothing + END)
    assert alone.status_code == 422
    assert "file input 'image' was empty" in alone.json()["detail"]


async def test_parts_in_base64_are_decoded(shared_api, knee_jpeg):
    encoded = "Content-Transfer-Encoding: base64\r\n"
    body = part(base64.encodebytes(knee_jpeg), headers=encoded)
    answer = await send(shared_api, body + clinical(base64.b64encode(RECORD.encode()), headers=encoded) + END)
    assert answer.status_code == 201, answer.text
    assert answer.json()["imaging"]
    assert answer.json()["clinical"]


async def test_other_transfer_encodings_are_refused_by_name(shared_api, knee_jpeg):
    for encoding, name in (("base64", "base64"), ("Quoted-Printable", "quoted-printable")):
        body = part(knee_jpeg, headers=f"Content-Transfer-Encoding: {encoding}\r\n")
        answer = await send(shared_api, body + END)
        assert answer.status_code == 422
        assert name in answer.json()["detail"]
    assert (await send(shared_api, clinical(headers="Content-Transfer-Encoding: 8bit\r\n") + END)).status_code == 201


async def test_a_byte_order_mark_before_the_record_is_passed_over(shared_api):
    as_file = part("\ufeff" + RECORD, name="clinical", disposition='; filename="record.json"')
    for body in (clinical("\ufeff" + RECORD), as_file):
        answer = await send(shared_api, body + END)
        assert answer.status_code == 201, answer.text
