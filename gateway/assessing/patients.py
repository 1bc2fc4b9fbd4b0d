"""Patients over the years: timeline, measurements, alerts, everything to take away, and all of it gone."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from gateway.assessing.export_views import (
    ExportedAccountView,
    ExportedAlertView,
    ExportedCaseView,
    ExportedInvitationView,
    ExportedRenderingView,
    PatientAuditLineView,
    PatientExportView,
)
from gateway.assessing.patient_views import (
    AlertView,
    AssessmentWithRecordView,
    MeasurementView,
    PatientView,
    TimelineView,
)
from gateway.assessing.release import visible_to
from gateway.platform.audit_actions import AuditAction
from gateway.platform.clock import now, today
from gateway.platform.database.engine import Database
from gateway.platform.database.ids import uuid7
from gateway.platform.identity.scopes import Principal
from gateway.platform.paging import Page
from gateway.records.alert_rules import NewAlerts, bone_loss
from gateway.records.alerts import Alerts, AlertState
from gateway.records.assessments import Assessments
from gateway.records.measurement import DensityMeasured, FractureSuffered, TScoreMeasured
from gateway.records.patient_records import PatientRecords, PatientSummary
from gateway.records.stored_data import StoredData
from gateway.records.timeline import Measurement, timeline, with_measurement
from gateway.records.trend import trends
from gateway.settings import GatewaySettings

# What needs somebody's attention today; upcoming follow-ups do not.
NEEDS_ATTENTION: tuple[AlertState, ...] = ("due", "overdue", "worsening")


@dataclass(frozen=True)
class PatientUseCases:
    """What people and hospital systems do with patients.

    A patient is named by the hospital's own number or by the id given here.
    """

    records: PatientRecords
    assessments: Assessments
    alerts: Alerts
    stored_data: StoredData
    database: Database
    settings: GatewaySettings

    async def page(self, who: Principal, limit: int, before: UUID | None) -> Page[PatientSummary, UUID]:
        """The organisation's patients, newest first; a patient's own account sees itself."""
        return await self.records.page(who, limit, before)

    async def get(self, who: Principal, patient: str) -> PatientView:
        """One patient.

        Raises:
            NotFound: there is none that the caller may see; so do all the others here.
        """
        known = await self.records.find(who, patient, AuditAction.PATIENT_READ)
        last = await self.assessments.of_patient(known.id, 1)
        last_at = last[0].assessment.created_at if last else None
        return PatientView.of(PatientSummary(known.id, known.patient_number, known.created_at, last_at))

    async def timeline(self, who: Principal, patient: str) -> TimelineView:
        """Assessments, measured bone densities and fractures in the order of their dates, and the trend of each."""
        known = await self.records.find(who, patient, AuditAction.TIMELINE_READ)
        assessments = await self.assessments.of_patient(known.id)
        entries = timeline(assessments, await self.records.measurements(known))
        lsc = self.settings.least_significant_change_percent
        return TimelineView(patient_number=known.patient_number, entries=entries, trends=trends(entries, lsc))

    async def add_measurement(
        self, who: Principal, patient: str, measured: TScoreMeasured | DensityMeasured | FractureSuffered
    ) -> MeasurementView:
        """Add a T-score, a bone density or a fracture. A loss beyond the measurement's own error raises an alert."""
        known = await self.records.find(who, patient, AuditAction.PATIENT_READ)
        before = timeline(await self.assessments.of_patient(known.id), await self.records.measurements(known))
        lsc = self.settings.least_significant_change_percent
        measurement = Measurement(uuid7(), measured)
        loss = bone_loss(before, with_measurement(before, measurement), lsc)
        new_alerts = NewAlerts(list(loss), replaces=False, patient_id=known.id, key=known.data_key)
        await self.records.add(known, measurement, new_alerts, who)
        return MeasurementView.of(measurement)

    async def export(self, who: Principal, patient: str) -> PatientExportView:
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
            invitations=[
                ExportedInvitationView.model_validate(invitation, from_attributes=True)
                for invitation in await data.invitations(known)
            ],
            assessments=[
                AssessmentWithRecordView.of(kept, visible_to(who, kept.assessment, rule).assessment) for kept in stored
            ],
            pictures=[ExportedRenderingView.of(rendering) for rendering in await data.renderings(known)],
            measurements=[MeasurementView.of(measurement) for measurement in measured],
            alerts=[ExportedAlertView.of(alert, who) for alert in alerts],
            batch_cases=[ExportedCaseView.of(case) for case in await data.batch_cases(known)],
            trail=[PatientAuditLineView.of(line) for line in await data.trail(known)],
        )

    async def erase(self, who: Principal, patient: str) -> None:
        """Destroy the patient's key and delete everything stored about them. There is no way back."""
        await self.records.erase(await self.records.find(who, patient, AuditAction.PATIENT_READ), who)
        await self.database.scrub()

    async def alerts_page(
        self, who: Principal, limit: int, before: UUID | None, states: Sequence[AlertState]
    ) -> Page[AlertView, UUID]:
        """Open alerts in these states, newest first; a patient's own account sees its own, in the patient's words."""
        alerts = await self.alerts.page(who, limit, before, states, today())
        return alerts.map(lambda alert: AlertView.of(alert, who))

    async def open_alerts(self, who: Principal, patient: str) -> list[AlertView]:
        """Every open alert of one patient, newest first, however many others there are."""
        known = await self.records.find(who, patient, AuditAction.ALERTS_LISTED)
        return [AlertView.of(alert, who) for alert in await self.alerts.of_patient(known.id, today())]

    async def close_alert(self, alert_id: UUID, who: Principal) -> None:
        """Somebody has seen to it. Closing again changes nothing.

        Raises:
            NotFound: there is none under this id that the caller may see.
        """
        await self.alerts.close(alert_id, who)
