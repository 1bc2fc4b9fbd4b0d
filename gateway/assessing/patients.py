"""Patients over the years: timeline, measurements, alerts, everything to take away, and all of it gone."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from uuid import UUID

from gateway.assessing.cases import PatientFacts, facts_of
from gateway.assessing.export_views import (
    ExportedAccountView,
    ExportedAlertView,
    ExportedCaseView,
    ExportedFilmView,
    ExportedInvitationView,
    ExportedMergeView,
    ExportedRenderingView,
    ExportedShadowAnswerView,
    PatientAuditLineView,
    PatientExportView,
)
from gateway.assessing.feedback import visible_feedback
from gateway.assessing.patient_views import (
    AlertView,
    AssessmentWithRecordView,
    EmergencyAccessView,
    MeasurementView,
    PatientView,
    TimelineView,
)
from gateway.assessing.release import visible_to
from gateway.platform.audit_actions import AuditAction
from gateway.platform.clock import now, today
from gateway.platform.database.engine import Database
from gateway.platform.database.idempotency import Earlier, IdempotentRequest, Repeats
from gateway.platform.database.ids import uuid7
from gateway.platform.identity.scopes import Principal
from gateway.platform.paging import Page, Window
from gateway.records.alert_rules import NewAlerts, bone_loss
from gateway.records.alerts import Alerts, AlertState
from gateway.records.assessments import Assessments
from gateway.records.emergency_accesses import EmergencyAccesses
from gateway.records.feedback import FeedbackStore
from gateway.records.measurement import DensityMeasured, FractureSuffered, TScoreMeasured
from gateway.records.patient_merges import PatientMerges
from gateway.records.patient_records import PatientRecords, PatientSummary
from gateway.records.patients import Patient
from gateway.records.shadow_answers import ShadowAnswers
from gateway.records.stored_data import StoredData
from gateway.records.timeline import Measurement, timeline, with_measurement
from gateway.records.treatments import Treatment, treatments
from gateway.records.trend import trends
from gateway.settings import GatewaySettings
from shared.problems import NotAuthorised

# What needs somebody's attention today; upcoming follow-ups do not.
NEEDS_ATTENTION: tuple[AlertState, ...] = ("urgent", "due", "overdue", "worsening")


@dataclass(frozen=True)
class PatientUseCases:
    """What people and hospital systems do with patients.

    A patient is named by the id given here or, by a text, by either of that and the hospital's own number.
    """

    records: PatientRecords
    assessments: Assessments
    alerts: Alerts
    stored_data: StoredData
    feedback: FeedbackStore
    shadow_answers: ShadowAnswers
    emergency_accesses: EmergencyAccesses
    merges: PatientMerges
    repeats: Repeats
    database: Database
    settings: GatewaySettings

    async def page(
        self, who: Principal, limit: int, before: UUID | None, number: str = ""
    ) -> Page[PatientSummary, UUID]:
        """The organisation's patients, newest first, all or those whose number has this part; a patient's account sees
        itself.
        """
        return await self.records.page(who, limit, before, number)

    async def count(self, who: Principal, number: str = "") -> int | None:
        """How many patients there are in all, or with this part in their number."""
        return await self.records.count(who, number)

    async def named(self, who: Principal, number: str) -> str:
        """How the trail names the patient of this number, else the text itself."""
        known = await self.records.known(who, number) if number else None
        return str(known.id) if known else number

    async def treatments(self, who: Principal, patient: str | UUID) -> list[Treatment]:
        """Since when the patient's records name each medicine for bones."""
        known = await self.records.find(who, patient, AuditAction.TIMELINE_READ)
        return treatments(await self.assessments.of_patient(known.id))

    async def facts(self, who: Principal, patient: str | UUID) -> PatientFacts | None:
        """What the last record says of the patient; null where there is none."""
        known = await self.records.find(who, patient, AuditAction.TIMELINE_READ)
        return facts_of(await self.assessments.of_patient(known.id))

    async def get(self, who: Principal, patient: str | UUID) -> PatientView:
        """One patient.

        Raises:
            NotFound: there is none that the caller may see; so do all the others here.
            PatientRestricted: the caller has to open the record first; so do all the others here that name a patient.
        """
        known = await self.records.find(who, patient, AuditAction.PATIENT_READ)
        last = await self.assessments.of_patient(known.id, 1)
        last_at = last[0].assessment.created_at if last else None
        is_restricted = known.restricted_at is not None
        numbers = await self.records.merged_numbers(known)
        return PatientView.of(
            PatientSummary(known.id, known.patient_number, known.created_at, last_at, is_restricted, numbers)
        )

    async def timeline(self, who: Principal, patient: str | UUID) -> TimelineView:
        """Assessments, measured bone densities and fractures in the order of their dates, and the trend of each."""
        known = await self.records.find(who, patient, AuditAction.TIMELINE_READ)
        assessments = await self.assessments.of_patient(known.id)
        entries = timeline(assessments, await self.records.measurements(known))
        lsc = self.settings.least_significant_change_percent
        return TimelineView(patient_number=known.patient_number, entries=entries, trends=trends(entries, lsc))

    async def add_measurement(
        self,
        who: Principal,
        patient: str | UUID,
        measured: TScoreMeasured | DensityMeasured | FractureSuffered,
        request: IdempotentRequest | None = None,
    ) -> tuple[MeasurementView, bool]:
        """Add a T-score, a bone density or a fracture; and whether the same request did so before.

        A loss beyond the measurement's own error raises an alert.

        Raises:
            Conflict: the request's key was used for another one.
        """
        known = await self.records.find(who, patient, AuditAction.PATIENT_READ)

        async def again(before: Earlier) -> MeasurementView:
            return MeasurementView.of(await self.records.measurement(known, UUID(before.subject)))

        make = partial(self._add_measurement, who, known, measured, request)
        return await self.repeats.once("measurement", who.id, request, make, again)

    async def _add_measurement(
        self,
        who: Principal,
        known: Patient,
        measured: TScoreMeasured | DensityMeasured | FractureSuffered,
        request: IdempotentRequest | None,
    ) -> MeasurementView:
        before = timeline(await self.assessments.of_patient(known.id), await self.records.measurements(known))
        lsc = self.settings.least_significant_change_percent
        measurement = Measurement(uuid7(), measured)
        loss = bone_loss(before, with_measurement(before, measurement), lsc)
        new_alerts = NewAlerts(list(loss), replaces=False, patient_id=known.id, key=known.data_key)
        await self.records.add(known, measurement, new_alerts, who, request)
        return MeasurementView.of(measurement)

    async def export(self, who: Principal, patient: str | UUID) -> PatientExportView:
        """Everything that is stored about one patient, with the trail of who read and wrote it."""
        known = await self.records.find(who, patient, AuditAction.PATIENT_EXPORTED)
        stored, measured = await self.assessments.of_patient(known.id), await self.records.measurements(known)
        alerts, rule = (
            await self.alerts.of_patient(known.id, today(), closed_too=True),
            self.settings.release_medication,
        )
        account, data = await self.stored_data.account(known), self.stored_data
        return PatientExportView(
            exported_at=now(),
            id=known.id,
            patient_number=known.patient_number,
            created_at=known.created_at,
            account=account and ExportedAccountView.model_validate(account, from_attributes=True),
            merged_accounts=[
                ExportedAccountView.model_validate(merged, from_attributes=True)
                for merged in await data.merged_accounts(known)
            ],
            invitations=[
                ExportedInvitationView.model_validate(invitation, from_attributes=True)
                for invitation in await data.invitations(known)
            ],
            assessments=[
                AssessmentWithRecordView.of(kept, visible_to(who, kept.assessment, rule).assessment) for kept in stored
            ],
            feedback=[visible_feedback(one, who) for one in await self.feedback.of_patient(known.id, known.data_key)],
            shadow_answers=[
                ExportedShadowAnswerView.of(one)
                for one in await self.shadow_answers.of_patient(known.id, known.data_key)
            ],
            pictures=[ExportedRenderingView.of(rendering) for rendering in await data.renderings(known)],
            measurements=[MeasurementView.of(measurement) for measurement in measured],
            alerts=[ExportedAlertView.of(alert, who) for alert in alerts],
            emergency_accesses=[
                EmergencyAccessView.of(access) for access in await self.emergency_accesses.of_patient(known)
            ],
            merges=[ExportedMergeView.of(merge) for merge in await self.merges.of_patient(known)],
            batch_cases=[ExportedCaseView.of(case) for case in await data.batch_cases(known)],
            films=[ExportedFilmView.of(film) for film in await data.films(known)],
            orders=await data.orders(known),
            trail=[PatientAuditLineView.of(line) for line in await data.trail(known)],
        )

    async def erase(self, who: Principal, patient: str | UUID) -> None:
        """Destroy the patient's key and delete everything stored about them. There is no way back."""
        await self.records.erase(await self.records.find(who, patient, AuditAction.PATIENT_READ), who)
        await self.database.scrub()

    async def restrict(self, who: Principal, patient: str | UUID) -> None:
        """Close the record to everybody but the patient, until somebody opens it by emergency access.

        Raises:
            NotAuthorised: a patient's own account asks.
        """
        if who.is_patient:
            raise NotAuthorised("The clinic restricts a record, not the patient: ask it to.")
        await self.records.restrict(who, patient)

    async def lift_restriction(self, who: Principal, patient: str | UUID) -> None:
        """Open the record to the organisation again. Whoever lifts a restriction has opened the record before.

        Raises:
            PatientRestricted: by emergency access, which somebody else reviews.
        """
        await self.records.lift_restriction(who, patient)

    async def alerts_page(
        self, who: Principal, limit: int, window: Window[UUID], states: Sequence[AlertState]
    ) -> Page[AlertView, UUID]:
        """Open alerts in these states; a patient's own account sees its own, in the patient's words."""
        alerts = await self.alerts.page(who, limit, window, states, today())
        return alerts.map(lambda alert: AlertView.of(alert, who))

    async def open_alerts(self, who: Principal, patient: str | UUID) -> list[AlertView]:
        """Every open alert of one patient, newest first, however many others there are."""
        known = await self.records.find(who, patient, AuditAction.ALERTS_LISTED)
        return [AlertView.of(alert, who) for alert in await self.alerts.of_patient(known.id, today())]

    async def acknowledge_alert(self, alert_id: UUID, who: Principal) -> None:
        """A clinician is looking at an emergency, so that no second alarm goes out. Once more changes nothing.

        Raises:
            NotAuthorised: no clinician asks.
            NotFound: there is none under this id that the caller may see.
            Conflict: it is no emergency.
        """
        if who.role != "clinician":
            raise NotAuthorised("A clinician says who is looking at an emergency, with an account of their own.")
        await self.alerts.acknowledge(alert_id, who)

    async def close_alert(self, alert_id: UUID, who: Principal) -> None:
        """Somebody has seen to it. Closing again changes nothing.

        Raises:
            NotFound: there is none under this id that the caller may see.
        """
        await self.alerts.close(alert_id, who)
