"""A patient's organisation, number, account and key are sealed together."""

import json

import sqlalchemy as sa
from alembic import context, op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

PATIENTS = sa.table(
    "patients", sa.column("id", sa.Uuid()), sa.column("organisation_id", sa.Uuid()), sa.column("patient_number"),
    sa.column("account_id", sa.Uuid()), sa.column("data_key", sa.LargeBinary()), sa.column("seal", sa.LargeBinary()),
)  # fmt: skip


def upgrade() -> None:
    op.add_column("patients", sa.Column("seal", sa.LargeBinary(32), nullable=True))
    connection = op.get_bind()
    rows = connection.execute(sa.select(PATIENTS).where(PATIENTS.c.data_key.is_not(None))).all()
    if not rows:
        return
    kek = context.config.attributes["kek"]
    for row in rows:
        fields = [row.id, row.organisation_id, row.patient_number, row.account_id, row.data_key.hex()]
        content = json.dumps([None if value is None else str(value) for value in fields]).encode()
        connection.execute(PATIENTS.update().where(PATIENTS.c.id == row.id).values(seal=kek.seal(content)))


def downgrade() -> None:
    with op.batch_alter_table("patients") as table:
        table.drop_column("seal")
