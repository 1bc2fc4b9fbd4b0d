"""The DICOM objects of a result, judged by the programs of others, and what may never be in them or in a log."""

import io
import logging
from functools import cache

import pydicom
import pytest

from gateway.interop.dicom import installed
from gateway.interop.dicom.codes import OWN
from gateway.interop.dicom.objects import RESULT_KINDS, objects_of
from gateway.interop.dicom.revisions import person_name
from shared.problems import NotInstalled
from shared.radiograph.phantom import knee
from tests.dicom import ACTOR, AMENDED, EXAMPLE, PATIENT, SIGNED, WITHDRAWN, content_of, program, said, source_file

SOURCE = source_file()
ALL = (*RESULT_KINDS, "ko")
STATES = {"preliminary": (), "signed": (SIGNED,), "amended": (SIGNED, AMENDED)}


def made(content, *kinds):
    return {item.kind: item for item in objects_of(content, kinds or ALL)}


def read(item):
    return pydicom.dcmread(io.BytesIO(item.file))


def written(folder, items):
    files = []
    for number, item in enumerate(items):
        file = folder / f"{number}-{item.kind}.dcm"
        file.write_bytes(item.file)
        files.append(file)
    return files


def texts(dataset):
    """Every text of an object, however deep."""
    return " ".join(str(element.value) for element in dataset.iterall() if element.VR not in ("OB", "OW", "SQ"))


def items_named(dataset, meaning):
    return [
        item
        for item in everything(dataset)
        if "ConceptNameCodeSequence" in item and item.ConceptNameCodeSequence[0].CodeMeaning == meaning
    ]


def everything(item):
    for child in item.get("ContentSequence", []):
        yield child
        yield from everything(child)


@cache
def of_state(state):
    """The objects of a state, by kind."""
    return {item.kind: item for item in objects_of(content_of(SOURCE, *STATES[state]), RESULT_KINDS)}


@cache
def all_objects():
    """The objects of every state, with the rejection note for all of them."""
    items = [item for state in STATES for item in of_state(state).values()]
    references = [item.reference for item in items]
    return items + objects_of(content_of(SOURCE, SIGNED, AMENDED, WITHDRAWN, sent=references), ["ko"])


def test_each_object_is_what_the_standard_says(tmp_path):
    judge = program("dciodvfy")
    items = all_objects() + objects_of(content_of(SOURCE, report_class="comprehensive"), ["sr"])
    assert {item.kind for item in items} == set(ALL)
    for file in written(tmp_path, items):
        verdict = said(judge, "-new", file)
        odd = [line for line in verdict.splitlines() if "Error" in line or "Warning" in line]
        # The project's own coding scheme is no term of the standard.
        assert [line for line in odd if "99TRABECULA" not in line] == [], (file.name, odd)


def test_the_objects_and_their_source_are_one_study(tmp_path):
    judge = program("dcentvfy")
    (tmp_path / "source.dcm").write_bytes(SOURCE)
    verdict = said(judge, tmp_path / "source.dcm", *written(tmp_path, all_objects()))
    # It takes the accession number for the study's in some objects, and for the series' in others.
    assert [line for line in verdict.splitlines() if "Error" in line or "AccessionNumber" not in line] == []


def test_another_program_reads_the_report_and_how_it_stands(tmp_path):
    reader, words = program("dsrdump"), {}
    for state in STATES:
        [file] = written(tmp_path, [of_state(state)["sr"]])
        words[state] = said(reader, "-Ei", "+Pl", file)
    assert "PRELIMINARY" in words["preliminary"]
    assert "UNVERIFIED" in words["preliminary"]
    assert f"kl-{EXAMPLE.staging.stage}" in words["preliminary"]
    for state in ("signed", "amended"):
        assert "PRELIMINARY" not in words[state]
        assert "doctor@clinic.example" in words[state]
        assert "Predecessor Docs    : 1" in words[state]
    assert f"kl-{EXAMPLE.staging.stage}" in words["amended"]
    assert "kl-3" in words["amended"]
    assert "Osteophyte at the medial tibia" in words["amended"]


def test_the_same_state_is_the_same_object_and_another_state_another():
    first, again = of_state("preliminary"), made(content_of(SOURCE))
    assert {kind: item.file for kind, item in first.items()} == {kind: item.file for kind, item in again.items()}
    signed, amended = of_state("signed"), of_state("amended")
    for kind in RESULT_KINDS:
        of_states = [objects[kind].reference for objects in (first, signed, amended)]
        assert len({reference.sop_uid for reference in of_states}) == 3
        assert len({reference.series_uid for reference in of_states}) == 1
    assert (
        read(signed["sr"])
        .PredecessorDocumentsSequence[0]
        .ReferencedSeriesSequence[0]
        .ReferencedSOPSequence[0]
        .ReferencedSOPInstanceUID
        == read(first["sr"]).SOPInstanceUID
    )
    # Two kinds of report are two objects.
    [other] = objects_of(content_of(SOURCE, report_class="comprehensive"), ["sr"])
    assert other.reference.sop_uid != first["sr"].reference.sop_uid


def test_each_object_names_the_patient_and_the_study_as_the_source_does():
    source = pydicom.dcmread(io.BytesIO(SOURCE))
    for item in all_objects():
        dataset = read(item)
        for name in (*PATIENT, "StudyInstanceUID"):
            assert dataset[name].value == source[name].value, (item.kind, name)
        assert dataset.SeriesDescription == "AI result, research, not for diagnosis"
        assert dataset.SeriesInstanceUID != source.SeriesInstanceUID


def test_a_knees_region_is_in_the_sources_pixels():
    content = content_of(SOURCE)
    report, state = (read(of_state("preliminary")[kind]) for kind in ("sr", "pr"))
    x, y, width, height = content.assessment.staging.knees[0].box
    scale = 550 / content.identity.read_width
    corners = [x * scale, y * scale, min((x + width) * scale, 550), min((y + height) * scale, 700)]
    [region] = items_named(report, "Image Region")
    drawn = state.GraphicAnnotationSequence[0].GraphicObjectSequence[0].GraphicData
    for data in (region.GraphicData, drawn):
        assert [min(data[::2]), min(data[1::2]), max(data[::2]), max(data[1::2])] == pytest.approx(corners, abs=0.01)
    image = region.ContentSequence[0].ReferencedSOPSequence[0]
    assert image.ReferencedSOPInstanceUID == pydicom.dcmread(io.BytesIO(SOURCE)).SOPInstanceUID


def test_an_indeterminate_reading_gives_no_percentages():
    unclear = EXAMPLE.imaging.model_copy(update={"indeterminate": True})
    report = read(made(content_of(SOURCE, imaging=unclear), "sr")["sr"])
    assert not items_named(report, OWN["p-bone-normal"])
    [looks] = items_named(report, OWN["bone-appearance"])
    assert looks.ConceptCodeSequence[0].CodeValue == "indeterminate"


def test_the_film_alone_speaks():
    """Nothing of the clinical record is in the objects, but in the report that people read."""
    for kind, item in of_state("preliminary").items():
        assert "osteoporosis by DXA" not in texts(read(item)), kind


def test_what_is_withdrawn_goes_out_no_more_and_its_note_says_no_reason():
    content = content_of(SOURCE, SIGNED, WITHDRAWN)
    [only] = objects_of(content, ALL)
    assert only.kind == "ko"
    note = read(only)
    assert note.ConceptNameCodeSequence[0].CodeValue == "113037"
    # Where nothing is known to be sent it names the reports that could have been fetched.
    references = [item.ReferencedSOPSequence[0] for item in everything(note) if "ReferencedSOPSequence" in item]
    rejected = [reference.ReferencedSOPInstanceUID for reference in references]
    reports = [of_state(state)["sr"].reference.sop_uid for state in ("preliminary", "signed")]
    assert rejected == reports
    assert "MRN-2" not in texts(note)
    assert objects_of(content_of(SOURCE), ["ko"]) == []


def test_without_kept_pictures_there_are_none():
    assert set(made(content_of(SOURCE, pictures=False))) == {"sr", "pr", "pdf"}


@pytest.mark.parametrize(
    ("photometric", "shape", "wanted"),
    [("MONOCHROME1", None, "INVERSE"), ("MONOCHROME2", None, "IDENTITY"), ("MONOCHROME2", "INVERSE", "INVERSE")],
)
def test_the_presentation_state_shows_the_source_as_its_file_does(photometric, shape, wanted):
    elements = {"PresentationLUTShape": shape} if shape else {}
    source = source_file(photometric=photometric, **elements)
    state = read(made(content_of(source), "pr")["pr"])
    assert state.PresentationLUTShape == wanted
    window = state.SoftcopyVOILUTSequence[0]
    assert (float(window.WindowCenter), float(window.WindowWidth)) == (2048, 4096)


def test_a_source_that_is_shown_by_a_table_gets_no_presentation_state():
    table = pydicom.Dataset()
    table.LUTDescriptor, table.LUTData = [4096, 0, 12], list(range(4096))
    table["LUTDescriptor"].VR = table["LUTData"].VR = "US"
    source = source_file(VOILUTSequence=[table], WindowCenter=None, WindowWidth=None)
    assert "pr" not in made(content_of(source))


ODD = {
    "nothing known": dict.fromkeys(("PatientBirthDate", "PatientSex", "StudyDate", "StudyTime", "StudyID"), ""),
    "no legal values": {
        "PatientBirthDate": "1950.1.2", "PatientSex": "female", "StudyDate": "20261399", "StudyTime": "quarter past",
    },
    "long names": {
        "PatientName": "AB^" * 12 + "=山^山", "PatientID": "x" * 64,
        "ReferringPhysicianName": "no^" * 12, "SpecificCharacterSet": "ISO_IR 192",
    },
    "another alphabet": {"PatientName": "Müller^Jürgen", "SpecificCharacterSet": "ISO_IR 100"},
}  # fmt: skip


@pytest.mark.parametrize("elements", ODD.values(), ids=ODD)
def test_an_odd_source_gives_legal_objects_and_no_word_in_a_log(tmp_path, elements, caplog, capfd):
    judge = program("dciodvfy")
    pydicom.config.settings.reading_validation_mode = pydicom.config.IGNORE
    before = pydicom.config.settings.writing_validation_mode
    pydicom.config.settings.writing_validation_mode = pydicom.config.IGNORE
    try:
        content = content_of(source_file(**elements))
    finally:
        pydicom.config.settings.writing_validation_mode = before
    caplog.set_level(logging.DEBUG)
    for file in written(tmp_path, objects_of(content, ("sr", "sc", "pr", "pdf"))):
        assert "Error" not in said(judge, "-new", file), file.name
    spoken = caplog.text + "".join(capfd.readouterr())
    assert not [value for value in elements.values() if value and value in spoken]


def test_a_person_is_named_by_what_fits():
    assert person_name("doctor@clinic.example", ACTOR) == "doctor@clinic.example^"
    for address in (None, "a^b@clinic.example", f"{'long' * 20}@clinic.example", "a=b@clinic.example"):
        assert person_name(address, ACTOR) == f"{ACTOR.removeprefix('account:')}^"


def test_own_codes_are_short_enough_for_every_viewer():
    assert [code for code, meaning in OWN.items() if len(code) > 16 or len(meaning) > 64] == []


def test_without_the_packages_the_extra_is_named(monkeypatch):
    monkeypatch.setattr(installed, "PACKAGES", ("highdicom", "no_such_package"))
    with pytest.raises(NotInstalled, match=r"no_such_package.*trabecula\[interop\]"):
        objects_of(content_of(SOURCE), ["sr"])


def test_a_spine_has_its_place_and_no_knee():
    spine = EXAMPLE.imaging.model_copy(update={"anatomy": "spine"})
    content = content_of(source_file(knee(bone_density=0.5, size=(600, 500))), imaging=spine, staging=None)
    assert set(made(content)) == {"sr", "sc", "heatmap", "pdf"}
    [site] = items_named(read(made(content)["sr"]), "Finding Site")
    assert site.ConceptCodeSequence[0].CodeMeaning == "Lumbar spine"
