"""Whose assessments were made by one version of a model, and an alert for each of these patients."""

import datetime as dt
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import anyio

from gateway.platform.audit import audit_row
from gateway.platform.audit_actions import AuditAction
from gateway.platform.clock import today
from gateway.platform.database.engine import Sessions
from gateway.platform.database.tables import AssessmentRow
from gateway.platform.encryption import KeyEncryptionKey, decrypt
from gateway.platform.identity.scopes import Principal
from gateway.records.access import closed_patients
from gateway.records.alert_rules import NewAlert, NewAlerts
from gateway.records.alerts import add_alerts
from gateway.records.assessments import opened_key, with_keys
from gateway.records.patients import checked_key

# So many assessments are looked through in one step.
A_STEP = 1000
DAYS_TO_LOOK = 30
FOR_THE_PATIENT = "Your clinic looks at an earlier result of yours again. Ask there what it means for you."


@dataclass(frozen=True)
class ModelVersionName:
    """A model and its version, as answers name them."""

    name: str
    version: str

    def __str__(self) -> str:
        return f"{self.name}:{self.version}"


@dataclass(frozen=True)
class Recalled:
    """An assessment that the version had a part in.

    Of a restricted patient whose record is closed to the caller, who it is and that there is one is all that is told.
    """

    patient_id: UUID | None
    patient_number: str | None
    assessment_id: UUID | None
    created_at: dt.datetime | None
    withdrawn: bool | None
    restricted: bool


@dataclass(frozen=True)
class RecallStep:
    """What was found in one step; `next` is where the next one goes on, null at the end."""

    items: list[Recalled]
    next: UUID | None
    alerts: int = 0


class Recall:
    """Looks through the organisation's assessments. Nothing tells their models but their encrypted content.

    Args:
        sessions: of the installation's database.
        kek: unwraps the owners' keys.
    """

    def __init__(self, sessions: Sessions, kek: KeyEncryptionKey) -> None:
        self._sessions, self._kek = sessions, kek

    async def step(
        self, who: Principal, model: ModelVersionName, after: UUID | None = None, alert: bool = False
    ) -> RecallStep:
        """Look through the next assessments, oldest first, withdrawn ones too; the first step writes the trail.

        Args:
            after: `next` of the step before.
            alert: give each patient who is found an alert to look at within a month, unless there is one open.
        """
        condition = (AssessmentRow.organisation_id == who.organisation_id) & AssessmentRow.is_test.is_(False)
        if after is not None:
            condition &= AssessmentRow.id > after
        async with self._sessions.begin() as session:
            rows = (await session.execute(with_keys(condition).order_by(AssessmentRow.id).limit(A_STEP))).all()
            found = await anyio.to_thread.run_sync(self._made_by, rows, model)
            closed = await closed_patients(session, who, [row[0].patient_id for row in found])
            alerts = 0
            if alert:
                newest = {row[0].patient_id: row for row in found if row[0].patient_id is not None}
                for row in newest.values():
                    alerts += await add_alerts(session, self._alert(row, model), who.organisation_id, row[0].id, who.id)
            if after is None:
                action = AuditAction.RECALL_ALERTED if alert else AuditAction.RECALL_LISTED
                session.add(audit_row(who.organisation_id, who.id, action, str(model)[:100]))
        following = rows[-1][0].id if len(rows) == A_STEP else None
        return RecallStep([_recalled(row, closed) for row in found], following, alerts)

    def _made_by(self, rows: Sequence[Any], model: ModelVersionName) -> list[Any]:
        return [row for row in rows if (model.name, model.version) in _models(opened_key(self._kek, *row), row[0])]

    def _alert(self, row: Any, model: ModelVersionName) -> NewAlerts:
        assessment, patient, _ = row
        wrapped = checked_key(self._kek, patient, assessment.organisation_id)
        assert wrapped is not None  # noqa: S101 -- erasure deletes the assessments with the key
        text = (
            f"The assessment of {assessment.created_at:%Y-%m-%d} was made with {model.name} {model.version}, which is "
            "recalled: look at it again."
        )
        last_day = today() + dt.timedelta(days=DAYS_TO_LOOK)
        alert = NewAlert("follow_up", f"recall.{model}"[:100], text, FOR_THE_PATIENT, today(), last_day)
        return NewAlerts([alert], False, patient.id, self._kek.unwrap(wrapped, patient.id))


def _models(key: bytes, row: AssessmentRow) -> set[tuple[str, str]]:
    """Every model and rule set behind an assessment. Of thousands, so nothing else of it is read."""
    answered = json.loads(decrypt(key, row.content, row.id.bytes))["assessment"]
    parts = [(answered.get(part) or {}).get("model") for part in ("imaging", "staging", "clinical")]
    parts += [(answered.get("recommendation") or {}).get("rules"), answered.get("site_settings")]
    return {(part["name"], part["version"]) for part in parts if part}


def _recalled(row: Any, closed: set[UUID]) -> Recalled:
    assessment, patient, _ = row
    number = patient.patient_number if patient else None
    if assessment.patient_id in closed:
        return Recalled(assessment.patient_id, number, None, None, None, True)
    withdrawn = any(step.action == "withdrawn" for step in assessment.reviews)
    return Recalled(assessment.patient_id, number, assessment.id, assessment.created_at, withdrawn, False)
