"""What a case looked like, in coarse bins and without whose it was: what drift is told by."""

from collections.abc import Mapping, Sequence

from gateway.assessing.workflow import Findings
from gateway.records.stored_risk import AnyRisk
from shared.contracts.findings import FilmFigures
from shared.contracts.risk import RiskRequest

Observation = dict[str, str]
# Fields of a record whose absence is counted: those that the risk model asks for first.
ASKED = (
    "weight_kg",
    "height_cm",
    "menopausal_status",
    "smoking",
    "prior_fractures",
    "parent_hip_fracture",
    "medications",
)
LONG_SIDES, MEANS, SPREADS = (700, 1200, 2000, 3000), (40, 60, 80, 100, 120, 140), (25, 40, 55, 70, 85)
SHARES, DISTANCES = (0.1, 0.25, 0.5, 0.75, 0.9), (0.25, 0.5, 0.75, 1.0)
LONGEST_DEVICE = 40


def refused(reason: str) -> Observation:
    """A film that was turned away; nothing else is known of it."""
    return {"sent": "film", "outcome": f"refused: {reason}"}


def observed(findings: Findings, risk: AnyRisk | None) -> Observation:
    """Everything that is told by the answers of the services and by the record."""
    outputs = _outputs(findings)
    sent = [part for part, there in (("film", "outcome" in outputs), ("record", risk is not None)) if there]
    return {"sent": " and ".join(sent) or "nothing read", **_film(findings), **outputs, **_record(risk)}


def _film(findings: Findings) -> Observation:
    figures = findings.classified.film if findings.classified else None
    return {} if figures is None else _figures(figures, findings)


def _figures(figures: FilmFigures, findings: Findings) -> Observation:
    assert findings.imaging is not None  # noqa: S101 -- figures come with a finding
    return {
        "device": (figures.device or "not stated")[:LONGEST_DEVICE],
        "format": figures.format,
        "size": _bin(max(figures.width, figures.height), LONG_SIDES),
        "brightness": _bin(figures.mean, MEANS),
        "contrast": _bin(figures.spread, SPREADS),
        "turned": str(findings.imaging.turned_degrees),
        "inverted": str(findings.imaging.inverted).lower(),
    }


def _outputs(findings: Findings) -> Observation:
    found: Observation = {}
    if (imaging := findings.imaging) is not None:
        found |= {"outcome": "read", "anatomy": imaging.anatomy, "appearance": imaging.appearance}
        found["film_warnings"] = str(min(3, sum(not w.part_is_missing for w in findings.warnings)))
        if not imaging.indeterminate:
            found["bone_probability"] = _bin(imaging.bone.osteoporosis, SHARES)
    if (staged := findings.staged) is not None:
        worse = max(staged.finding.knees, key=lambda knee: knee.stage)
        found |= {"grade": str(staged.finding.kl_grade), "grade_quality": worse.quality}
        found["grade_probability"] = _bin(max(worse.probabilities), SHARES)
        if staged.distances:
            found["distance"] = _bin(max(staged.distances), DISTANCES)
    if (clinical := findings.clinical) is not None:
        found["risk_category"] = clinical.category or "none"
        if clinical.probability is not None:
            found["risk_probability"] = _bin(clinical.probability, SHARES)
    reasons = (warning.reason for warning in findings.warnings if warning.component == "imaging")
    if reason := next(filter(None, reasons), None):
        found["outcome"] = f"refused: {reason}"
    return found


def _record(risk: AnyRisk | None) -> Observation:
    if not isinstance(risk, RiskRequest):
        return {}
    record: Mapping[str, object] = vars(risk.record)
    missing = sum(record.get(name) is None for name in ASKED)
    age = risk.record.age
    found = {"sex": str(risk.record.gender), "missing_fields": str(missing)}
    return found if age is None else {**found, "age": f"{int(age) // 10 * 10}s"}


def _bin(value: float, edges: Sequence[float]) -> str:
    """The bin that a value lies in, as its lower edge."""
    below = [edge for edge in edges if value >= edge]
    return f"from {below[-1]:g}" if below else f"below {edges[0]:g}"
