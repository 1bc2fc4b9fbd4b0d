"""Batches of cases, worked on by whoever holds a lease."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "batches",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("organisation_id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("caller", sa.String(length=100), nullable=False),
        sa.Column("cancelled_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("idempotency_key", sa.String(length=255), nullable=True),
        sa.Column("request_hash", sa.LargeBinary(length=32), nullable=True),
        sa.ForeignKeyConstraint(
            ["organisation_id"], ["organisations.id"], name=op.f("fk_batches_organisation_id_organisations")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_batches")),
        sa.UniqueConstraint("caller", "idempotency_key", name=op.f("uq_batches_caller_idempotency_key")),
    )
    op.create_index("ix_batches_organisation_id_id", "batches", ["organisation_id", "id"])
    op.create_table(
        "batch_cases",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("batch_id", sa.Uuid(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("reference", sa.String(length=64), nullable=False),
        sa.Column("patient", sa.Uuid(), nullable=True),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("record", sa.LargeBinary(), nullable=True),
        sa.Column("image", sa.LargeBinary(), nullable=True),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("not_before", sa.DateTime(timezone=True), nullable=False),
        sa.Column("leased_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("assessment_id", sa.Uuid(), nullable=True),
        sa.Column("problem", sa.JSON(), nullable=True),
        sa.ForeignKeyConstraint(
            ["assessment_id"], ["assessments.id"], name=op.f("fk_batch_cases_assessment_id_assessments"),
            ondelete="SET NULL",
        ),
        sa.ForeignKeyConstraint(["batch_id"], ["batches.id"], name=op.f("fk_batch_cases_batch_id_batches")),
        sa.ForeignKeyConstraint(["patient"], ["patients.id"], name=op.f("fk_batch_cases_patient_patients")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_batch_cases")),
        sa.UniqueConstraint("batch_id", "position", name=op.f("uq_batch_cases_batch_id_position")),
        sa.UniqueConstraint("batch_id", "reference", name=op.f("uq_batch_cases_batch_id_reference")),
    )  # fmt: skip
    op.create_index("ix_batch_cases_state_batch_id_position", "batch_cases", ["state", "batch_id", "position"])
    op.create_index(op.f("ix_batch_cases_patient"), "batch_cases", ["patient"])
    op.create_index(op.f("ix_batch_cases_assessment_id"), "batch_cases", ["assessment_id"])


def downgrade() -> None:
    op.drop_table("batch_cases")
    op.drop_table("batches")
