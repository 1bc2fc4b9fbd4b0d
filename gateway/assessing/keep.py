"""From findings to an assessment that is stored, with its pictures where the site keeps them."""

import datetime as dt

from gateway.assessing.case import Case, as_sent
from gateway.assessing.compose import compose
from gateway.assessing.workflow import Findings
from gateway.context import AppContext
from gateway.platform.identity.scopes import Principal
from gateway.records.alert_rules import NewAlerts, bone_loss, follow_ups, worsening
from gateway.records.assessments import IdempotentRequest, Pictures
from gateway.records.encrypted import StoredAssessment
from gateway.records.patients import KeyOwner
from gateway.records.rendering_kinds import png_bytes
from gateway.records.timeline import timeline
from shared.contracts.assessment import Assessment

# Earlier assessments that a new one is compared with.
LOOK_BACK = 20


async def keep(
    ctx: AppContext,
    case: Case,
    findings: Findings,
    who: Principal,
    owner: KeyOwner,
    idempotent: IdempotentRequest | None,
) -> Assessment:
    """Compose and store one assessment; raises as `Assessments.add` does."""
    assessment = compose(findings, case.patient_id)
    record = as_sent(case.risk) if case.risk else None
    pictures = _pictures(ctx, findings, assessment.created_at)
    watch = await watch_of(ctx, StoredAssessment(assessment, record, owner.patient), owner)
    return await ctx.assessments.add(assessment, record, who, owner, idempotent, pictures, watch)


async def watch_of(ctx: AppContext, new: StoredAssessment, owner: KeyOwner) -> NewAlerts | None:
    """What the assessment gives the clinic to look at; nothing where no patient was named."""
    if owner.patient is None:
        return None
    earlier = await ctx.assessments.of_patient(owner.patient, LOOK_BACK)
    lsc = ctx.settings.least_significant_change_percent
    loss = bone_loss(timeline(earlier, []), timeline([*earlier, new], []), lsc)
    alerts = [*follow_ups(new.assessment), *worsening(new, earlier), *loss]
    return NewAlerts(alerts, new.record is not None, owner.patient, owner.key)


def _pictures(ctx: AppContext, findings: Findings, made_at: dt.datetime) -> Pictures | None:
    if not ctx.settings.keep_pictures or not findings.pictures:
        return None
    return Pictures(png_bytes(findings.pictures), made_at + dt.timedelta(days=ctx.settings.picture_days))
