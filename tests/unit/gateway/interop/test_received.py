"""What comes in by itself: what is a film, what is ignored and why, what is refused."""

import io

import pydicom
import pytest

from gateway.interop.dicom.received import received_film
from shared.problems import InvalidInput
from tests.films import file_of, film


def test_a_knee_is_a_film_and_its_pixels_have_one_hash_whatever_the_header_says():
    first = film()
    received = received_film(file_of(first))
    assert received.ignored is None
    assert received.header["patient_id"] == "MRN-1"
    assert received.sop_uid == first.SOPInstanceUID
    assert received.encoding == "native"
    first.PatientName, first.PatientID = "ROE^JANE", "MRN-2"
    assert received_film(file_of(first)).pixels_sha256 == received.pixels_sha256
    first.file_meta.TransferSyntaxUID = pydicom.uid.ImplicitVRLittleEndian
    assert received_film(file_of(first)).pixels_sha256 == received.pixels_sha256
    assert received_film(file_of(film(seed=2))).pixels_sha256 != received.pixels_sha256


@pytest.mark.parametrize(
    ("elements", "why"),
    [
        ({"Manufacturer": "Trabecula"}, "own_result"),
        ({"SOPClassUID": "1.2.840.10008.5.1.4.1.1.2"}, "sop_class"),
        ({"Modality": "CT"}, "modality"), ({"Modality": ""}, "modality"),
        ({"ImageType": ["DERIVED", "SECONDARY", "OTHER"]}, "derived"),
        ({"BodyPartExamined": "CHEST"}, "body_part"),
        ({"BodyPartExamined": ""}, None), ({"BodyPartExamined": None}, None), ({"BodyPartExamined": "LSPINE"}, None),
        ({"ImageType": ["ORIGINAL", "PRIMARY"]}, None), ({"Manufacturer": None}, None),
    ],
)  # fmt: skip
def test_only_knees_and_spines_are_assessed_and_never_our_own_results(elements, why):
    assert received_film(file_of(film(**elements))).ignored == why


@pytest.mark.parametrize("name", ["SOPInstanceUID", "StudyInstanceUID", "SeriesInstanceUID", "SOPClassUID"])
def test_what_has_no_identity_is_refused_by_name(name):
    dataset = film()
    delattr(dataset, name)
    file = io.BytesIO()
    dataset.save_as(file)
    with pytest.raises(InvalidInput, match=name) as failure:
        received_film(file.getvalue())
    assert failure.value.members["reason"] == "missing_uid"


def test_what_is_no_dicom_or_compressed_in_an_unknown_way_is_refused():
    for data in (b"", b"\xff\xd8\xff", b"\0" * 128 + b"DICM", b"\0" * 128 + b"DICM" + b"\x02\x00" * 40):
        with pytest.raises(InvalidInput):
            received_film(data)
    dataset = film()
    dataset.file_meta.TransferSyntaxUID = "1.2.840.10008.1.2.4.100"  # MPEG2
    dataset.PixelData = pydicom.encaps.encapsulate([b"\0\0"])
    file = io.BytesIO()
    dataset.save_as(file)
    with pytest.raises(InvalidInput, match="transfer syntax") as failure:
        received_film(file.getvalue())
    assert failure.value.members["reason"] == "transfer_syntax"
