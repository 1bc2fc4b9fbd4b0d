"""The code map: every code has a source, every target exists, and no code stands anywhere else."""

import re
from collections import Counter
from pathlib import Path

import gateway.interop
from gateway.interop.fhir.code_map import code_map
from gateway.interop.fhir.reading.conditions import by_prefix, longest_match
from gateway.interop.fhir.reading.medications import by_atc
from gateway.interop.fhir.reading.observations import known
from shared.contracts.record import ClinicalRecord

SOURCES = Path(gateway.interop.__file__).parent
# A DICOM tag begins with a zero, which no id of SNOMED CT does.
LOINC, SNOMED = re.compile(r"\b\d{3,6}-\d\b"), re.compile(r"\b[1-9]\d{6,17}\b")


def test_every_code_has_a_source_that_was_read_on_a_day():
    found = code_map()
    written = [*found.written.codes.values(), *found.written.units.values()]
    read = [*known().values(), *found.observations.sites, *found.conditions.sct, *found.conditions.not_used_sct]
    read += found.orders.dxa
    read += [answer for question in found.observations.answers for answer in question.values]
    used = (
        {row.source for row in [*written, *read]} | {found.conditions.source} | set(found.medications.source.values())
    )
    assert used == set(found.sources)
    assert all(source.url and source.title for source in found.sources.values())
    assert {row.system for row in [*written, *read]} <= set(found.systems)


def test_no_code_of_loinc_or_snomed_stands_in_the_code():
    for file in SOURCES.rglob("*.py"):
        text = file.read_text(encoding="utf-8")
        assert not LOINC.findall(text), file
        assert not SNOMED.findall(text), file


def test_every_field_is_one_of_the_record_and_every_unit_has_a_factor():
    observations = code_map().observations
    fields = {row.field for row in [*observations.quantities, *observations.answers]}
    assert fields <= set(ClinicalRecord.model_fields)
    assert {row.units for row in observations.quantities} == set(observations.unit_sets)
    for row in observations.quantities:
        is_density = row.field in ("t_scores", "z_scores", "bmd")
        assert is_density == (row.site is not None or row.needs_site), row.code


def test_no_code_stands_twice():
    found = code_map()
    rows = [*found.observations.quantities, *found.observations.answers, *found.observations.not_used]
    groups = [*found.conditions.icd10, *found.conditions.fractures, *found.conditions.not_used]
    medicines = [*found.medications.atc, *found.medications.not_used]
    for codes in (
        [row.code for row in rows],
        [prefix for group in groups for prefix in group.prefixes],
        [prefix for group in medicines for prefix in group.prefixes],
    ):
        assert [code for code, times in Counter(codes).items() if times > 1] == []


def test_the_longest_beginning_decides():
    assert longest_match("E21.0", by_prefix()).condition == "primary_hyperparathyroidism"
    assert longest_match("K90.0", by_prefix()).condition == "coeliac_disease"
    assert longest_match("K90.4", by_prefix()).condition == "malabsorption"
    assert longest_match("I25.2", by_prefix()).condition == "myocardial_infarction"
    assert longest_match("S72.04XA", by_prefix()).fracture == "hip"
    assert longest_match("E2", by_prefix()) is None
    assert longest_match("M05BA04", by_atc()) == ("oral_bisphosphonate", None)
    assert longest_match("M05BA06", by_atc())[0] is None
