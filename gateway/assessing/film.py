"""What of the film's reading counts for one person: the network is believed where it was shown to know."""

from shared.contracts.findings import ClassifyAnswer, ImagingFinding

BONE_READ_FROM_AGE = 50
TOO_YOUNG = f"Indeterminate: the network was not shown to read bone density below {BONE_READ_FROM_AGE} years of age."


def read_at_age(finding: ImagingFinding, age: float | None) -> ImagingFinding:
    """The finding as it may be used at this age; an age that nobody gave changes nothing."""
    if age is None or age >= BONE_READ_FROM_AGE:
        return finding
    return finding.model_copy(update={"indeterminate": True, "summary": TOO_YOUNG})


def as_it_counts(seen: ClassifyAnswer, age: float | None) -> ClassifyAnswer:
    """The answer of imaging for a person of this age; an indeterminate reading has no heat map to believe in."""
    finding = read_at_age(seen.finding, age)
    return seen.model_copy(update={"finding": finding, "heatmap": None if finding.indeterminate else seen.heatmap})
