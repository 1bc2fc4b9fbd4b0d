"""What the work list is filtered and ordered by, and how far staff are with each assessment."""

import json

import sqlalchemy as sa
from alembic import context, op

from gateway.platform.encryption import decrypt

revision = "0026"
down_revision = "0025"
branch_labels = None
depends_on = None

ROWS_AT_ONCE = 200
URGENCIES = {"routine": 1, "soon": 2, "urgent": 3, "emergency": 4}
ASSESSMENTS = sa.table(
    "assessments", sa.column("id", sa.Uuid()), sa.column("organisation_id", sa.Uuid()),
    sa.column("patient_id", sa.Uuid()), sa.column("content", sa.LargeBinary()), sa.column("urgency", sa.Integer()),
    sa.column("category", sa.String()), sa.column("is_unclear", sa.Boolean()), sa.column("has_medicines", sa.Boolean()),
)  # fmt: skip
PATIENTS = sa.table("patients", sa.column("id", sa.Uuid()), sa.column("data_key", sa.LargeBinary()))
ORGANISATIONS = sa.table("organisations", sa.column("id", sa.Uuid()), sa.column("data_key", sa.LargeBinary()))
ADDED = ("urgency", "category", "is_unclear", "has_medicines", "case_status", "case_status_at", "case_status_by")
INDEX = "ix_assessments_organisation_id_urgency"


def upgrade() -> None:
    with op.batch_alter_table("assessments") as table:
        table.add_column(sa.Column("urgency", sa.Integer(), nullable=False, server_default="0"))
        table.add_column(sa.Column("category", sa.String(10), nullable=True))
        table.add_column(sa.Column("is_unclear", sa.Boolean(), nullable=False, server_default=sa.false()))
        table.add_column(sa.Column("has_medicines", sa.Boolean(), nullable=False, server_default=sa.false()))
        table.add_column(sa.Column("case_status", sa.String(6), nullable=False, server_default="new"))
        table.add_column(sa.Column("case_status_at", sa.DateTime(timezone=True), nullable=True))
        table.add_column(sa.Column("case_status_by", sa.String(100), nullable=True))
    op.create_index(INDEX, "assessments", ["organisation_id", "case_status", "urgency", "id"])
    _fill_in()


def downgrade() -> None:
    op.drop_index(INDEX, "assessments")
    with op.batch_alter_table("assessments") as table:
        for name in ADDED:
            table.drop_column(name)


def _fill_in() -> None:
    """What is stored gets the same columns as what will be, in parts: an answer has some ten kilobytes."""
    connection, last = op.get_bind(), None
    owners = sa.select(ASSESSMENTS, PATIENTS.c.data_key.label("of_patient"), ORGANISATIONS.c.data_key)
    owners = owners.outerjoin(PATIENTS, PATIENTS.c.id == ASSESSMENTS.c.patient_id)
    owners = owners.join(ORGANISATIONS, ORGANISATIONS.c.id == ASSESSMENTS.c.organisation_id).order_by(ASSESSMENTS.c.id)
    while rows := connection.execute(_after(owners, last).limit(ROWS_AT_ONCE)).all():
        kek = context.config.attributes["kek"]
        for row in rows:
            wrapped, owner = (row.of_patient, row.patient_id) if row.patient_id else (row.data_key, row.organisation_id)
            content = json.loads(decrypt(kek.unwrap(wrapped, owner), row.content, row.id.bytes))
            mine = ASSESSMENTS.c.id == row.id
            connection.execute(ASSESSMENTS.update().where(mine).values(_columns(content["assessment"])))
        last = rows[-1].id


def _after(query: sa.Select[tuple[object, ...]], last: object) -> sa.Select[tuple[object, ...]]:
    return query if last is None else query.where(ASSESSMENTS.c.id > last)


def _columns(answered: dict[str, dict[str, object]]) -> dict[str, object]:
    advice, imaging = answered.get("recommendation") or {}, answered.get("imaging") or {}
    consult, items = advice.get("consult") or {}, advice.get("items") or []
    return {
        "urgency": URGENCIES.get(consult.get("urgency"), 0),  # type: ignore[attr-defined]
        "category": (answered.get("combined") or {}).get("category"),
        "is_unclear": bool(imaging.get("indeterminate")),
        "has_medicines": any(item["kind"] == "medication" for item in items),  # type: ignore[attr-defined]
    }
