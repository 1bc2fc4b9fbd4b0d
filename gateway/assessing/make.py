"""Making an assessment, for whoever asks: the REST route and the pages."""

from dataclasses import dataclass

from gateway.assessing.case import Case
from gateway.assessing.keep import keep
from gateway.assessing.release import shown_to
from gateway.assessing.workflow import Findings, Told, nobody
from gateway.context import AppContext
from gateway.platform.identity.scopes import Principal
from gateway.records.assessments import IdempotentRequest
from shared.contracts.assessment import Assessment


@dataclass(frozen=True)
class Made:
    """An assessment as the caller may see it. `findings` is null where the same request was answered before."""

    assessment: Assessment
    findings: Findings | None


async def make(
    ctx: AppContext, who: Principal, case: Case, idempotency_key: str | None, pictures: bool, told: Told = nobody
) -> Made:
    """Assess a case and store it, or find what was answered to the same request under the same key.

    Args:
        pictures: draw them, even where the site keeps none.
        told: hears of each part as it is over.

    Raises:
        InvalidInput: the image cannot be read, or is refused and there is no record beside it.
        Conflict: the key was used for another request, or the patient was erased meanwhile.
        TooBusy: as many cases are in flight as may be.
    """
    idempotent = IdempotentRequest(idempotency_key, case.digest()) if idempotency_key else None
    made = await ctx.assessments.repeated(who, idempotent) if idempotent else None
    findings = None
    if made is None:
        owner = await ctx.patients.owner(who, case.patient_id)
        findings = await ctx.workflow.assess(case, pictures or ctx.settings.keep_pictures, told)
        made = await keep(ctx, case, findings, who, owner, idempotent)
    return Made(shown_to(who, made, ctx.settings.release_medication), findings)
