"""FRAX by country: from which ten-year risk a guideline or the site treats. FRAX itself is never computed here.

- UK: NOGG 2024 by age, with the intervention threshold and the very high one (1.6 times it), with or without DXA.
  Between two ages the younger row is used, which treats rather than misses.
- US: BHOF 2022, hip 3 % or major 20 %, sourced for T between -1.0 and -2.5 only; without DXA it is a house rule.
- Everywhere else no line is sourced. A site may set its own; otherwise a value that reaches the UK's assessment
  threshold for the age is a reason to measure and to see a clinician (a house rule), and the answer says why.
"""

from dataclasses import dataclass
from typing import Literal

from shared.clinic.density import NORMAL_FROM
from shared.contracts.policy import ClinicPolicy
from shared.contracts.record import ClinicalRecord

# `very_high` and `over`: a line says treat. `over_outside`: over a line that is not made for this T-score.
# `intermediate`: measure bone density. `no_line`: nobody has drawn a line, and the value is high enough to act on.
FraxStanding = Literal["very_high", "over", "over_outside", "intermediate", "under", "no_line", "no_line_low"]
FraxSource = Literal["nogg", "bhof", "site", "house"]


@dataclass(frozen=True)
class NoggRow:
    """From one age on: assessment, intervention and very high thresholds, per cent over ten years."""

    from_age: float
    major: tuple[float, float, float]
    hip: tuple[float, float, float]


# NOGG 2024 (doi 10.1007/s11657-025-01588-3), table of intervention thresholds, read in a secondary source.
NOGG = (
    NoggRow(70, (11.1, 20.3, 32.5), (2.6, 5.4, 8.6)),
    NoggRow(65, (8.6, 16.5, 26.4), (1.4, 3.5, 5.6)),
    NoggRow(60, (6.0, 12.2, 19.5), (0.80, 2.3, 3.7)),
    NoggRow(55, (4.5, 9.5, 15.2), (0.43, 1.5, 2.4)),
    NoggRow(50, (3.4, 7.3, 11.7), (0.23, 0.91, 1.5)),
)
US_MAJOR, US_HIP = 20.0, 3.0


@dataclass(frozen=True)
class Frax:
    """How the FRAX values of a record stand.

    Attributes:
        standing: against the line that holds here.
        summary: which line that is, or that there is none.
        source: who drew it.
    """

    standing: FraxStanding
    summary: str
    source: FraxSource

    @property
    def treats(self) -> bool:
        """Whether a line that holds here says treat."""
        return self.standing in ("very_high", "over")

    @property
    def concerns(self) -> bool:
        """Whether it calls for a measurement of bone density and a clinician."""
        return self.standing not in ("under", "no_line_low")


def frax(record: ClinicalRecord, policy: ClinicPolicy, lowest_t: float | None) -> Frax | None:
    """The standing of the record's FRAX values; None where it holds none.

    Args:
        lowest_t: the lowest current T-score, or None where there is none.
    """
    if record.frax_major is None and record.frax_hip is None:
        return None
    country = record.frax_country or "unknown"
    site_line = policy.frax_thresholds.get(country)
    if site_line is not None:
        over = _reaches(record, site_line.major, site_line.hip)
        return Frax("over" if over else "under", f"the site's own threshold for {_place(country)}", "site")
    if country == "uk" and record.age >= NOGG[-1].from_age:
        return _uk(record)
    if country == "us":
        return _us(record, lowest_t)
    return _nowhere(record, country)


def _uk(record: ClinicalRecord) -> Frax:
    row = _row(record.age)
    summary = f"NOGG 2024 at {row.from_age:g} and over: treatment from {row.major[1]:g} % major or {row.hip[1]:g} % hip"
    for standing, place in (("very_high", 2), ("over", 1), ("intermediate", 0)):
        if _reaches(record, row.major[place], row.hip[place]):
            return Frax(standing, summary, "nogg")  # type: ignore[arg-type]
    return Frax("under", summary, "nogg")


def _us(record: ClinicalRecord, lowest_t: float | None) -> Frax:
    summary = f"BHOF 2022, United States: {US_MAJOR:g} % major or {US_HIP:g} % hip with a T-score between -1.0 and -2.5"
    if not _reaches(record, US_MAJOR, US_HIP):
        return Frax("under", summary, "bhof")
    if lowest_t is None:
        return Frax("over_outside", f"{summary}; without DXA that line is a house rule: DXA soon", "house")
    if lowest_t >= NORMAL_FROM:
        return Frax("over_outside", f"{summary}; it does not hold for the T-score on record", "house")
    return Frax("over", summary, "bhof")


def _nowhere(record: ClinicalRecord, country: str) -> Frax:
    row = _row(record.age)
    high = _reaches(record, row.major[0], row.hip[0])
    summary = f"no sourced FRAX threshold for {_place(country)}; the site may set one"
    return Frax("no_line" if high else "no_line_low", summary, "house")


def _row(age: float) -> NoggRow:
    return next((row for row in NOGG if age >= row.from_age), NOGG[-1])


def _reaches(record: ClinicalRecord, major: float | None, hip: float | None) -> bool:
    pairs = ((record.frax_major, major), (record.frax_hip, hip))
    return any(value is not None and line is not None and value >= line for value, line in pairs)


def _place(country: str) -> str:
    places = {"us": "the United States", "uk": "the UK at this age", "india": "India", "other": "this country"}
    return places.get(country, "FRAX without a country")
