"""From findings to an assessment that is stored, with its pictures where the site keeps them."""

import datetime as dt

from gateway.accounts.scopes import Principal
from gateway.assessments.case import Case
from gateway.assessments.compose import compose
from gateway.assessments.repository import Pictures, Repeatable
from gateway.assessments.workflow import Findings
from gateway.patients.repository import Owner
from gateway.pictures.pictures import png_bytes
from gateway.rooms import Rooms
from shared.contracts.assessment import Assessment


async def keep(
    house: Rooms, case: Case, findings: Findings, who: Principal, owner: Owner, repeatable: Repeatable | None
) -> Assessment:
    """Compose and store one assessment; raises as `Assessments.add` does."""
    assessment = compose(findings, case.patient_id)
    record = case.risk.model_dump(mode="json", exclude_none=True) if case.risk else None
    return await house.assessments.add(
        assessment, record, who, owner, repeatable, _pictures(house, findings, assessment.created_at)
    )


def _pictures(house: Rooms, findings: Findings, made_at: dt.datetime) -> Pictures | None:
    if not house.settings.keep_pictures or not findings.pictures:
        return None
    return Pictures(png_bytes(findings.pictures), made_at + dt.timedelta(days=house.settings.picture_days))
