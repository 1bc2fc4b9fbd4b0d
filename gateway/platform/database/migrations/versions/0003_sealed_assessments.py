"""Assessments belong to patients and are sealed with their keys; they can be released to them and have pictures."""

import json
from uuid import UUID

import sqlalchemy as sa
from alembic import context, op

from gateway.platform.clock import now
from gateway.platform.database.ids import uuid7
from gateway.platform.encryption import encrypt, new_data_key

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

ASSESSMENTS = sa.table(
    "assessments", sa.column("id", sa.Uuid()), sa.column("organisation_id", sa.Uuid()), sa.column("patient_id"),
    sa.column("document", sa.JSON()), sa.column("record", sa.JSON()), sa.column("patient", sa.Uuid()),
    sa.column("content", sa.LargeBinary()),
)  # fmt: skip
PATIENTS = sa.table(
    "patients", sa.column("id", sa.Uuid()), sa.column("organisation_id", sa.Uuid()), sa.column("reference"),
    sa.column("data_key", sa.LargeBinary()), sa.column("created_at", sa.DateTime(timezone=True)),
)  # fmt: skip
ORGANISATIONS = sa.table("organisations", sa.column("id", sa.Uuid()), sa.column("data_key", sa.LargeBinary()))


def upgrade() -> None:
    with op.batch_alter_table("assessments", schema=None) as batch_op:
        batch_op.add_column(sa.Column("patient", sa.Uuid(), nullable=True))
        batch_op.add_column(sa.Column("content", sa.LargeBinary(), nullable=True))
        batch_op.add_column(sa.Column("released_at", sa.DateTime(timezone=True), nullable=True))
        batch_op.add_column(sa.Column("released_by", sa.String(length=100), nullable=True))
    _seal_what_is_there()
    with op.batch_alter_table("assessments", schema=None) as batch_op:
        batch_op.drop_index("ix_assessments_organisation_id_patient_id_id")
        for name in ("document", "record", "patient_id"):
            batch_op.drop_column(name)
        batch_op.alter_column("content", existing_type=sa.LargeBinary(), nullable=False)
        batch_op.create_foreign_key(batch_op.f("fk_assessments_patient_patients"), "patients", ["patient"], ["id"])
        batch_op.create_index("ix_assessments_organisation_id_patient_id", ["organisation_id", "patient", "id"])
    op.create_table(
        "pictures",
        sa.Column("assessment_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["assessment_id"], ["assessments.id"], name=op.f("fk_pictures_assessment_id_assessments"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("assessment_id", "kind", name=op.f("pk_pictures")),
    )  # fmt: skip
    op.create_index(op.f("ix_pictures_expires_at"), "pictures", ["expires_at"])


def _seal_what_is_there() -> None:
    """Rows of the first version, each under the key of its patient, who is made here, or of its organisation."""
    connection = op.get_bind()
    rows = connection.execute(sa.select(ASSESSMENTS)).mappings().all()
    if not rows:
        return
    keys = _Keys(connection)
    for row in rows:
        patient, key = keys.of(row["organisation_id"], row["patient_id"])
        content = json.dumps({"assessment": row["document"], "record": row["record"]}).encode()
        changed = {"patient": patient, "content": encrypt(key, content, row["id"].bytes)}
        connection.execute(ASSESSMENTS.update().where(ASSESSMENTS.c.id == row["id"]).values(changed))


class _Keys:
    """The keys of patients and organisations, made where there are none; the master key wraps them."""

    def __init__(self, connection: sa.Connection) -> None:
        self._connection = connection
        self._kek = context.config.attributes["kek"]
        self._known: dict[tuple[UUID, str | None], tuple[UUID | None, bytes]] = {}

    def of(self, organisation: UUID, reference: str | None) -> tuple[UUID | None, bytes]:
        """The internal id of the patient, and the key to encrypt with."""
        if (organisation, reference) not in self._known:
            made = self._patient(organisation, reference) if reference else self._organisation(organisation)
            self._known[organisation, reference] = made
        return self._known[organisation, reference]

    def _patient(self, organisation: UUID, reference: str) -> tuple[UUID, bytes]:
        same = (PATIENTS.c.organisation_id == organisation) & (PATIENTS.c.reference == reference)
        if there := self._connection.execute(sa.select(PATIENTS).where(same)).first():
            return there.id, self._kek.unwrap(there.data_key, there.id)
        identity, key = uuid7(), new_data_key()
        values = {"id": identity, "organisation_id": organisation, "reference": reference, "created_at": now()}
        self._connection.execute(PATIENTS.insert().values(data_key=self._kek.wrap(key, identity), **values))
        return identity, key

    def _organisation(self, organisation: UUID) -> tuple[None, bytes]:
        mine = ORGANISATIONS.c.id == organisation
        if there := self._connection.execute(sa.select(ORGANISATIONS.c.data_key).where(mine)).scalar():
            return None, self._kek.unwrap(there, organisation)
        key = new_data_key()
        wrapped = self._kek.wrap(key, organisation)
        self._connection.execute(ORGANISATIONS.update().where(mine).values(data_key=wrapped))
        return None, key


def downgrade() -> None:
    raise NotImplementedError("what is sealed is not written in the open again: restore a backup instead")
