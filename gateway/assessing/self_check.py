"""One assessment of the QA phantom through every service, so that an installation shows that it works.

The phantom is drawn, no patient's picture. The gate's verdict on it is printed and not forced; nothing is stored.
"""

import time

import anyio

from gateway.assessing.case import Case
from gateway.assessing.services import Services
from gateway.assessing.workflow import Findings, Workflow
from shared.contracts.policy import ClinicPolicy
from shared.contracts.record import ClinicalRecord
from shared.contracts.risk import RiskRequest
from shared.problems import TrabeculaError
from shared.radiograph.phantom import as_jpeg, knee

RECORD = ClinicalRecord(age=67, gender="female", menopausal_status="postmenopausal", weight_kg=58, height_cm=158)
SIZE = (1200, 1000)


async def self_check(services: Services, policy: ClinicPolicy) -> list[str]:
    """Assess the phantom with a made-up record; lines for the person who started the installation."""
    phantom = await anyio.to_thread.run_sync(lambda: as_jpeg(knee(bone_density=0.7, size=SIZE)))
    began = time.perf_counter()
    try:
        findings = await Workflow(services, 1, policy=policy).assess(Case(phantom, RiskRequest(record=RECORD), None))
    except TrabeculaError as error:
        return [f"Self-check FAILED: {error.detail}"]
    milliseconds = (time.perf_counter() - began) * 1000
    return [f"Self-check on the drawn knee phantom ({milliseconds:.0f} ms, not stored): {findings.status}"] + [
        f"  {line}" for line in lines(findings)
    ]


def lines(findings: Findings) -> list[str]:
    """An assessment in a few lines."""
    text = []
    if imaging := findings.imaging:
        text.append(f"imaging      {imaging.anatomy}: {imaging.summary}")
    if staging := findings.staging:
        text.append(
            f"staging      Kellgren-Lawrence {staging.kl_grade} ({staging.kl_name}), {len(staging.knees)} knee(s)"
        )
    if diagnosis := findings.combined.diagnosis:
        text.append(f"diagnosis    {diagnosis.who_class.replace('_', ' ')}: {diagnosis.basis}")
    elif clinical := findings.clinical:
        chance = "none" if clinical.probability is None else f"{clinical.probability:.0%}"
        text.append(f"clinical     probability of osteoporosis {chance}, category {clinical.category}")
    if recommendation := findings.recommendation:
        text.append(f"recommender  {len(recommendation.items)} things to consider")
    return text + [f"warning      {warning.component}: {warning.detail}" for warning in findings.warnings]
