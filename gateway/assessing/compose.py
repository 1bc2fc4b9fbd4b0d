"""The assessment from its findings."""

from gateway.assessing.workflow import Findings
from gateway.platform.clock import now
from gateway.platform.database.ids import uuid7
from shared.contracts.assessment import Assessment


def compose(findings: Findings, patient_id: str | None) -> Assessment:
    """One assessment with a new id."""
    return Assessment(
        id=uuid7(),
        created_at=now(),
        status=findings.status,
        patient_id=patient_id,
        imaging=findings.imaging,
        staging=findings.staging,
        clinical=findings.clinical,
        combined=findings.combined,
        recommendation=findings.recommendation,
        warnings=findings.warnings,
    )
